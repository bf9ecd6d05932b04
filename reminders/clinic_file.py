"""Everything a clinic decides as one TOML file: written out, read into drafts, and described by a JSON Schema."""

from collections.abc import Mapping
from typing import Any

import tomli_w
from sqlalchemy.orm import Session

from messaging.models import Clinic
from messaging.versions import publishing, toml_positions
from reminders import decision_kinds

HEAD = """\
# What {name} has decided, kind by kind. Read back, it becomes drafts: nothing in it comes into force by itself.
# A kind that is left out stays as it is. `warmthread clinic schema` describes every field.

"""
# Whoever reads more than this many mistakes begins with the first.
MOST_PROBLEMS = 20


class BadFile(ValueError):
    """A file that was not read: `problems` names each mistake by field and, where it is found, by line."""

    def __init__(self, problems: list[publishing.Problem]) -> None:
        super().__init__("; ".join(map(str, problems)))
        self.problems = problems


def export(session: Session, clinic: Clinic) -> str:
    """Return everything that holds at a clinic now as the text of one file."""
    whole = {name: kind.present(session, clinic) for name, kind in decision_kinds.KINDS.items()}
    written = tomli_w.dumps(toml_positions.without_nothing(whole))
    return HEAD.format(name=clinic.name) + written


def parse(text: str) -> dict[str, publishing.Definition]:
    """Return the decisions of a file's text by kind, each in its full form. Raises BadFile with the first mistakes.

    It needs no database: done before a transaction is opened, no file makes another clinic wait.
    """
    try:
        whole = toml_positions.read(text)
    except toml_positions.NotToml as broken:
        raise BadFile([broken.problem]) from None
    definitions: dict[str, publishing.Definition] = {}
    problems: list[publishing.Problem] = []
    for name, table in whole.items():
        if len(problems) > MOST_PROBLEMS:
            break
        if name not in decision_kinds.KINDS:
            message = f"unknown; there are {', '.join(decision_kinds.KINDS)}"
            problems.append(publishing.Problem(name[:60], message))
        elif not isinstance(table, Mapping):
            problems.append(publishing.Problem(name, f"expected a table, [{name}]"))
        else:
            try:
                definitions[name] = decision_kinds.KINDS[name].read(table)
            except publishing.Refused as wrong:
                problems += [_within(name, problem) for problem in wrong.problems[: MOST_PROBLEMS + 1]]
    if not whole:
        problems.append(publishing.Problem("file", f"it decides nothing; there are {', '.join(decision_kinds.KINDS)}"))
    if problems:
        raise BadFile(_placed(problems, text))
    return definitions


def _within(kind: str, problem: publishing.Problem) -> publishing.Problem:
    field = f"{kind}.{problem.field}" if problem.field else kind
    return publishing.Problem(field, problem.message)


def _placed(problems: list[publishing.Problem], text: str) -> list[publishing.Problem]:
    """Return the first mistakes with their lines, and one more that says there are others."""
    lines = toml_positions.lines_of(text)
    placed = [
        publishing.Problem(
            problem.field,
            problem.message,
            toml_positions.nearest(lines, toml_positions.path_of(problem.field)),
        )
        for problem in problems[:MOST_PROBLEMS]
    ]
    overflow = [publishing.Problem("file", f"there are more mistakes than these {MOST_PROBLEMS}")]
    return placed + overflow if len(problems) > MOST_PROBLEMS else placed


def draft(session: Session, clinic: Clinic, text: str, actor: str) -> list[str]:
    """Make a draft of each kind in which the file differs from what holds; return their names, in the file's order.

    All of them or none: raises BadFile, also where somebody is working on a draft of such a kind.
    """
    return keep(session, clinic, parse(text), text, actor)


def keep(
    session: Session, clinic: Clinic, definitions: Mapping[str, publishing.Definition], text: str, actor: str
) -> list[str]:
    """Make the drafts of `definitions`, read from a file's text, as `draft` does."""
    changed = {
        name: definition
        for name, definition in definitions.items()
        if definition != decision_kinds.KINDS[name].present(session, clinic)
    }
    taken = [name for name in changed if publishing.draft(session, clinic.id, name) is not None]
    if taken:
        message = "somebody is working on a draft of this: it must be published or discarded first"
        raise BadFile(_placed([publishing.Problem(name, message) for name in taken], text))
    for name, definition in changed.items():
        publishing.save(session, clinic, decision_kinds.KINDS[name], definition, edit=0, actor=actor)
    return list(changed)


def schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of the file, made from the models of the kinds."""
    definitions: dict[str, Any] = {}
    properties: dict[str, Any] = {}
    for name, kind in decision_kinds.KINDS.items():
        if kind.model is None:
            properties[name] = {"type": "object"}
            continue
        kind_schema = kind.model.model_json_schema(ref_template=f"#/$defs/{name}.{{model}}")
        definitions |= {f"{name}.{model}": inner for model, inner in kind_schema.pop("$defs", {}).items()}
        properties[name] = kind_schema
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A clinic's file",
        "type": "object",
        "additionalProperties": False,
        "properties": properties,
        "$defs": definitions,
    }
