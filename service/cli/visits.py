"""Commands about patients and their visits: import from CSV, and what is planned around the visits."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import click
from sqlalchemy import select

from config import clock, db
from messaging import languages
from reminders import reasons
from reminders.imports import column_mapping, completeness, csv_import, value_tables
from reminders.models import Appointment, Reminder
from reminders.rules import zones
from service.cli import opening
from service.cli.people import clinic_option, the_clinic
from service.cli.tables import as_json, bar, say, show

COMPLETE = "The file holds every visit of its days, of the clinic or of the places in it: cancel what is missing."


def import_command(group: click.Group, kind: str, explained: str) -> None:
    """Give a group of commands its `import` of files of this kind (csv_import.KINDS)."""

    @group.command("import", help=explained)
    @as_json
    @clinic_option
    @click.option("--dry-run", is_flag=True, help="Check every row, write nothing.")
    @click.option("--column", "columns", multiple=True, metavar="FIELD=HEADER", help="Read a field from this column.")
    @click.option("--all", "constants", multiple=True, metavar="FIELD=VALUE", help="What all rows share where empty.")
    @click.option("--value", "values", multiple=True, metavar="FIELD:WORD=VALUE", help="What a word of the file means.")
    @click.option("--day-first", is_flag=True, help="Days such as 3/10/2026 are October 3.")
    @click.option("--complete", type=click.Choice(completeness.SCOPES), default=None, help=COMPLETE)
    @click.option("--vanish", default="", metavar="N", help="How many are cancelled, if they are more than the limit.")
    @click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
    def read_in(file: Path, dry_run: bool, clinic_name: str | None, json_: bool, **said: Any) -> None:
        _import(kind, file, clinic_name, dry_run, json_, _chosen(kind, **said))


def _chosen(
    kind: str,
    columns: Sequence[str],
    constants: Sequence[str],
    values: Sequence[str],
    day_first: bool,
    complete: str | None,
    vanish: str,
) -> csv_import.Chosen:
    """What the options say of the file."""
    if complete and kind != "appointments":
        raise click.UsageError("--complete is for files of appointments")
    meanings: dict[str, dict[str, str]] = {}
    for named, meant in _pairs("--value", values):
        name, colon, word = named.partition(":")
        if not colon or name not in value_tables.FIELDS[kind]:
            raise click.UsageError(
                f"--value {named}: expected FIELD:WORD=VALUE, of {_listed(value_tables.FIELDS[kind])}"
            )
        meanings.setdefault(name, {})[word.strip().casefold()] = meant
    order = column_mapping.ORDERS[day_first]
    told = column_mapping.Columns(dict(_pairs("--column", columns)), dict(_pairs("--all", constants)), order, meanings)
    unknown = {*told.columns, *told.constants} - set(column_mapping.fields(kind))
    if unknown:
        raise click.UsageError(f"no field {min(unknown)}: there are {_listed(column_mapping.fields(kind))}")
    return csv_import.Chosen(told, complete or "", vanish)


def _pairs(option: str, typed: Sequence[str]) -> list[tuple[str, str]]:
    for each in typed:
        if "=" not in each:
            raise click.UsageError(f"{option} {each}: expected an equals sign")
    return [(name.strip(), value.strip()) for name, _, value in (each.partition("=") for each in typed)]


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names)


def _import(
    kind: str, file: Path, clinic_name: str | None, dry_run: bool, json_: bool, chosen: csv_import.Chosen
) -> None:
    opening.begin()
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        clinic_id: UUID = the_clinic(session, clinic_name).id
    errors = file.with_name(file.stem + ".errors.csv")
    try:
        with bar(kind.capitalize()) as progress:
            result = csv_import.import_file(
                kind, clinic_id, file, dry_run=dry_run, progress=progress, errors_path=errors, chosen=chosen
            )
    except csv_import.BadFile as error:
        raise click.ClickException(str(error)) from None
    row: dict[str, Any] = {
        name: getattr(result, name) for name in ("rows", "created", "updated", "unchanged", "failed", "noted")
    }
    row |= {"cancelled": result.cancelled} if chosen.complete else {}
    row |= {"errors": str(errors) if result.failed or result.noted else None, "dry_run": dry_run}
    show([row], json_=json_, empty="")
    _say_what_is_missing(result, errors)
    if result.failed:
        say(f"{result.failed} rows were not taken. Why stands in {errors}: mend it and import it again.")
        raise click.exceptions.Exit(3)


def _say_what_is_missing(result: csv_import.ImportResult, errors: Path) -> None:
    """Tell of patients whose language has no texts, each language once, and of what was left out of rows taken."""
    for code, count in sorted(result.unworded.items()):
        name = languages.name(code)
        say(f"There are no texts in {name}. Patients who speak it get English: {count}.")
    if result.noted:
        say(f"{result.noted} rows were taken, but not whole. What is missing stands in {errors}.")


@click.group()
def patients() -> None:
    """Patients: import from CSV."""


import_command(
    patients,
    "patients",
    "Import patients. Importing twice changes nothing; a wrong row stops nothing. Exit 3 if rows were not taken.",
)


@click.group()
def appointments() -> None:
    """Appointments: import from CSV."""


import_command(
    appointments,
    "appointments",
    "Import appointments and plan their reminders. Exit 3 if rows were not taken.",
)


@appointments.command("plan")
@clinic_option
@as_json
def show_plan(clinic_name: str | None, json_: bool) -> None:
    """Show what is planned around the coming visits: each text's time and the reason for it."""
    opening.begin()
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        at = the_clinic(session, clinic_name)
        coming = (
            select(Reminder, Appointment)
            .join(Appointment, Appointment.id == Reminder.appointment_id)
            .where(
                Appointment.clinic_id == at.id,
                Appointment.starts_at > clock.now(),
                Reminder.revision == Appointment.revision,
            )
            .order_by(Appointment.starts_at, Appointment.external_id, Reminder.due_at)
        )
        rows = [
            {
                "visit": visit.external_id,
                "step": reminder.step,
                "local": zones.to_local(reminder.due_at, zones.zone(visit.zone)).isoformat(timespec="minutes")
                if reminder.due_at
                else None,
                "state": reminder.state,
                "why": "; ".join(reasons.kept(reminder.why)),
            }
            for reminder, visit in session.execute(coming)
        ]
    show(rows, json_=json_, empty="No reminder is planned.")
