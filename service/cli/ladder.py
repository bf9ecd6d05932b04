"""Commands for a clinic's escalation policy: show it, check a file, apply it."""

from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import click
from sqlalchemy.orm import Session

from config import db
from messaging.inbox.routing import policy_definition, policy_file
from messaging.inbox.staff import roster
from messaging.models import Clinic
from messaging.versions import publishing as versions
from messaging.versions.problems import Problem
from reminders.decision_kinds import RULES
from service.cli import opening
from service.cli.people import clinic_option, the_clinic
from service.cli.tables import say

PROBLEMS, NEEDS_SECOND = 3, 4
the_file = click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))


@click.group()
def ladder() -> None:
    """Who is told when nobody answers."""


@ladder.command("show")
@clinic_option
def show(clinic_name: str | None) -> None:
    """Print the live escalation policy as a file to change and apply; coverage gaps are named on standard error."""
    opening.begin()
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        at = the_clinic(session, clinic_name)
        present = policy_definition.present(at.rules, roster.people(session, at))
        problems = RULES.check(session, at, present.model_dump(mode="json"))
    click.echo(policy_file.write(present), nl=False)
    for problem in problems:
        say(f"# {problem}")


@ladder.command("check")
@the_file
@clinic_option
def check(file: Path, clinic_name: str | None) -> None:
    """Check a policy file over every minute of a week, holidays and absences; name each mistake.
    Exit 3 if there is one.
    """
    opening.begin()
    text, written = _read(file)
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        at = the_clinic(session, clinic_name)
        problems = RULES.check(session, at, written.model_dump(mode="json"))
    if problems:
        _refuse(file, _with_lines(problems, text))
    say(f"{file.name}: somebody can be reached in every minute of the week.")


@ladder.command("apply")
@the_file
@clinic_option
def apply(file: Path, clinic_name: str | None) -> None:
    """Let the clinic follow FILE.toml from now on.

    An escalation policy with a coverage gap is refused with exit 3, and nothing changes. Where it could silence an
    alert and somebody else can agree, it waits for them as a draft: exit 4.
    """
    opening.begin()
    text, written = _read(file)
    try:
        with db.unit_of_work(db.EVERY) as session:
            at = the_clinic(session, clinic_name)
            name, reasons = at.name, _publish(session, at, written)
    except versions.Refused as refused:
        _refuse(file, _with_lines(refused.problems, text))
    if reasons:
        say(f"{file.name} waits on {name}'s page for a second person, because it could silence an alert:")
        for reason in reasons:
            say(f"  {reason}")
        raise click.exceptions.Exit(NEEDS_SECOND)
    say(f"{name} follows {file.name} from now on.")


def _publish(session: Session, clinic: Clinic, written: policy_definition.EscalationPolicy) -> list[str]:
    """Publish it as the clinic's next version; where a second person is needed, ask and return why."""
    if versions.draft(session, clinic.id, RULES.name) is not None:
        raise click.ClickException(
            "somebody is working on a draft of the escalation policy: it must be published or discarded first"
        )
    actor, definition = opening.operator(), written.model_dump(mode="json")
    draft = versions.save(session, clinic, RULES, definition, edit=0, actor=actor)
    try:
        versions.publish(session, clinic, RULES, edit=draft.edit, actor=actor)
    except versions.NeedsSecond as needs:
        versions.ask(session, draft, actor, "")
        return needs.why
    return []


def _read(file: Path) -> tuple[str, policy_definition.EscalationPolicy]:
    try:
        text = file.read_text("utf-8-sig")
        return text, policy_file.parse(text)
    except policy_definition.BadPolicy as wrong:
        _refuse(file, wrong.problems)
    except UnicodeDecodeError:
        _refuse(file, ["not a text in UTF-8"])


def _with_lines(problems: Sequence[Problem], text: str) -> list[Problem]:
    """The problems with the line of each field, where the file says anything about it."""
    return [
        Problem(problem.field, problem.message, policy_file.line_of_field(problem.field, text)) for problem in problems
    ]


def _refuse(file: Path, problems: Sequence[object]) -> NoReturn:
    for problem in problems:
        say(f"{file.name}: {problem}")
    raise click.exceptions.Exit(PROBLEMS)
