"""Everything a clinic decides as one TOML file: written out, read into drafts, and described by a JSON Schema."""

from collections.abc import Mapping
from typing import Any

import tomli_w
from sqlalchemy.orm import Session

from messaging.editions import places, publishing
from messaging.models import Clinic
from reminders import decisions

HEAD = """# What {name} has decided, kind by kind. Read back, it becomes drafts: nothing in it comes into force by itself.
# A kind that is left out stays as it is. `warmthread clinic schema` describes every field.

"""
LONGEST = 1_000_000


class BadFile(ValueError):
    """A file that was not read: `problems` names each mistake by field and, where it is found, by line."""

    def __init__(self, problems: list[publishing.Problem]) -> None:
        super().__init__("; ".join(map(str, problems)))
        self.problems = problems


def export(session: Session, clinic: Clinic) -> str:
    """Return everything that holds at a clinic now as the text of one file."""
    whole = {name: kind.present(session, clinic) for name, kind in decisions.KINDS.items()}
    written = tomli_w.dumps(places.without_nothing(whole))
    return HEAD.format(name=clinic.name) + written


def parse(text: str) -> dict[str, publishing.Definition]:
    """Return the decisions of a file's text by kind, each in its full form. Raises BadFile with every mistake."""
    if len(text) > LONGEST:
        raise BadFile([publishing.Problem("file", "this is more than a clinic's file can hold")])
    try:
        whole = places.read(text)
    except places.NotToml as broken:
        raise BadFile([broken.problem]) from None
    found: dict[str, publishing.Definition] = {}
    problems: list[publishing.Problem] = []
    for name, given in whole.items():
        if name not in decisions.KINDS:
            said = f"unknown; there are {', '.join(decisions.KINDS)}"
            problems.append(publishing.Problem(name[:60], said, places.line_of(text, (name,))))
        elif not isinstance(given, Mapping):
            said = f"expected a table, [{name}]"
            problems.append(publishing.Problem(name, said, places.line_of(text, (name,))))
        else:
            try:
                found[name] = decisions.KINDS[name].read(given)
            except publishing.Refused as wrong:
                problems += [_placed(name, one, text) for one in wrong.problems]
    if not whole:
        problems.append(
            publishing.Problem("file", f"it decides nothing; there are {', '.join(decisions.KINDS)}")
        )
    if problems:
        raise BadFile(problems)
    return found


def _placed(kind: str, problem: publishing.Problem, text: str) -> publishing.Problem:
    line = places.line_of(text, (kind, *places.path_of(problem.field)))
    field = f"{kind}.{problem.field}" if problem.field else kind
    return publishing.Problem(field, problem.message, line)


def draft(session: Session, clinic: Clinic, text: str, actor: str) -> list[str]:
    """Make a draft of each kind in which the file differs from what holds; return their names, in the file's order.

    All of them or none: raises BadFile, also where somebody is working on a draft of such a kind.
    """
    found = parse(text)
    changed = {
        name: definition
        for name, definition in found.items()
        if definition != decisions.KINDS[name].present(session, clinic)
    }
    taken = [name for name in changed if publishing.draft(session, clinic.id, name) is not None]
    if taken:
        said = "somebody is working on a draft of this: it must be published or thrown away first"
        raise BadFile([publishing.Problem(name, said, places.line_of(text, (name,))) for name in taken])
    for name, definition in changed.items():
        publishing.save(session, clinic, decisions.KINDS[name], definition, edit=0, actor=actor)
    return list(changed)


def schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of the file, made from the models of the kinds."""
    definitions: dict[str, Any] = {}
    properties: dict[str, Any] = {}
    for name, kind in decisions.KINDS.items():
        if kind.model is None:
            properties[name] = {"type": "object"}
            continue
        one = kind.model.model_json_schema(ref_template=f"#/$defs/{name}.{{model}}")
        definitions |= {f"{name}.{model}": inner for model, inner in one.pop("$defs", {}).items()}
        properties[name] = one
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A clinic's file",
        "type": "object",
        "additionalProperties": False,
        "properties": properties,
        "$defs": definitions,
    }
