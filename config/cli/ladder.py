"""Commands for a clinic's ladder: show it, check a file, apply it."""

from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import click

from config import db
from config.cli import opening
from config.cli.people import clinic_option, the_clinic
from config.cli.tables import say
from messaging.inbox import publishing, roster

PROBLEMS = 3
the_file = click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))


@click.group()
def ladder() -> None:
    """Who is told when nobody answers."""


@ladder.command("show")
@clinic_option
def show(clinic_name: str | None) -> None:
    """Print the ladder in force, as a file that can be changed and applied; its holes are named on standard error."""
    opening.begin()
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        at = the_clinic(session, clinic_name)
        people = roster.people(session, at)
        present = publishing.present(at.rules, people)
        problems = publishing.check(present, people, at.zone)
    click.echo(publishing.toml(present), nl=False)
    for problem in problems:
        say(f"# {problem}")


@ladder.command("check")
@the_file
@clinic_option
def check(file: Path, clinic_name: str | None) -> None:
    """Check a ladder file over every hour of a week; name each mistake. Exit 3 if there is one."""
    opening.begin()
    written = _read(file)
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        at = the_clinic(session, clinic_name)
        problems = publishing.check(written, roster.people(session, at), at.zone)
    if problems:
        _refuse(file, problems)
    say(f"{file.name}: somebody can be reached in every hour of the week.")


@ladder.command("apply")
@the_file
@clinic_option
def apply(file: Path, clinic_name: str | None) -> None:
    """Let the clinic follow FILE.toml from now on. A ladder with a hole is refused with exit 3, and nothing changes."""
    opening.begin()
    written = _read(file)
    try:
        with db.unit_of_work(db.EVERY) as session:
            at = the_clinic(session, clinic_name)
            roster.publish(session, at.id, written, "operator")
    except publishing.BadLadder as refused:
        _refuse(file, refused.problems)
    say(f"{at.name} follows {file.name} from now on.")


def _read(file: Path) -> publishing.Ladder:
    try:
        return publishing.parse(file.read_text("utf-8-sig"))
    except publishing.BadLadder as wrong:
        _refuse(file, wrong.problems)
    except UnicodeDecodeError:
        _refuse(file, ["not a text in UTF-8"])


def _refuse(file: Path, problems: Sequence[object]) -> NoReturn:
    for problem in problems:
        say(f"{file.name}: {problem}")
    raise click.exceptions.Exit(PROBLEMS)
