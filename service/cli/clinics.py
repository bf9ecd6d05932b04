"""Commands for everything a clinic decides as one file: export it, read it into drafts, print its schema."""

import json
from pathlib import Path

import click

from config import db
from reminders import clinic_file
from service.cli import opening
from service.cli.people import clinic, clinic_option, the_clinic
from service.cli.tables import as_json, say, show

PROBLEMS = 3
__all__ = ["clinic"]


@clinic.command("export")
@clinic_option
def export(clinic_name: str | None) -> None:
    """Print everything the clinic has decided as one TOML file."""
    opening.begin()
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        text = clinic_file.export(session, the_clinic(session, clinic_name))
    click.echo(text, nl=False)


@clinic.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@clinic_option
@as_json
def read_in(file: Path, clinic_name: str | None, json_: bool) -> None:
    """Read FILE.toml into drafts, never straight into force. Exit 3 names each mistake by line."""
    opening.begin()
    try:
        text = file.read_text("utf-8-sig")
        decisions = clinic_file.parse(text)
        with db.unit_of_work(db.EVERY) as session:
            at = the_clinic(session, clinic_name)
            drafted = clinic_file.keep(session, at, decisions, text, opening.operator())
    except (clinic_file.BadFile, UnicodeDecodeError) as wrong:
        problems = wrong.problems if isinstance(wrong, clinic_file.BadFile) else ["not a text in UTF-8"]
        for problem in problems:
            say(f"{file.name}: {problem}")
        raise click.exceptions.Exit(PROBLEMS) from None
    rows = [{"draft": name} for name in drafted]
    show(rows, json_=json_, empty="Nothing in this file differs from what holds.")


@clinic.command("schema")
def schema() -> None:
    """Print the JSON Schema of the file."""
    click.echo(json.dumps(clinic_file.schema(), indent=2))
