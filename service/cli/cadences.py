"""Commands for a clinic's cadence: show, check a file, preview the plan it makes, apply it."""

import json
from datetime import UTC, timedelta
from pathlib import Path

import click
from sqlalchemy.orm import Session

from config import clock, db
from messaging.models import Clinic
from messaging.versions import publishing
from reminders import clinic_profile, planner
from reminders.cadence import cadence_definition, explaining, toml_file
from reminders.cadence_decision import CADENCE, plan_again, unknown
from reminders.rules import conditions, zones
from service.cli import opening
from service.cli.people import clinic_option, the_clinic
from service.cli.tables import as_json, bar, say, show

PROBLEMS = 3
the_file = click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))


@click.group()
def cadence() -> None:
    """Reminder cadences."""


@cadence.command("show")
@clinic_option
@click.option("--toml", "as_toml", is_flag=True, help="As a file that `cadence check` and `apply` read.")
def show_cadence(clinic_name: str | None, as_toml: bool) -> None:
    """Print the cadence the clinic's reminders follow now."""
    opening.begin()
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        present = planner.cadence_of(session, the_clinic(session, clinic_name).id)
    click.echo(
        toml_file.write(present) if as_toml else json.dumps(present.model_dump(mode="json"), indent=2),
        nl=not as_toml,
    )


@cadence.command("schema")
def show_schema() -> None:
    """Print the JSON Schema of a cadence, for an editor that checks while you write."""
    click.echo(json.dumps(cadence_definition.schema(), indent=2))


@cadence.command("check")
@the_file
def check_cadence(file: Path) -> None:
    """Check a cadence file; name each mistake with its line. Exit 3 if there is one."""
    read = _read(file)
    say(f"{file.name}: {len(read.all_steps())} steps, no mistake.")


@cadence.command("preview")
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--visit-at", help="Local time of a made-up visit, such as 2026-03-10T09:00; in a week if not given.")
@click.option("--booked-at", help="When it was booked, with Z or an offset; now if not given.")
@click.option("--patient-zone", help="The patient's time zone; the clinic's if not given.")
@click.option("--language", help="The patient's language, such as es; English if not given.")
@click.option("--place", help="Where the visit is.")
@click.option("--kind", help="The kind of visit, by the name that the clinic's books give it.")
@click.option("--first-visit/--seen-before", default=None, help="Whether the patient has been to the clinic before.")
@click.option("--confirmed", is_flag=True, default=None, help="The patient has confirmed it.")
@click.option("--answered", is_flag=True, default=None, help="The patient has answered its questions.")
@click.option(
    "--marked",
    type=click.Choice(conditions.OUTCOMES),
    help="How the visit went; what follows it is shown for both ways if not given.",
)
@clinic_option
@as_json
def preview(
    file: Path | None,
    visit_at: str | None,
    booked_at: str | None,
    clinic_name: str | None,
    json_: bool,
    **facts: str | bool | None,
) -> None:
    """Show the plan for a made-up visit, by FILE.toml or, without it, by the cadence the clinic follows.
    Sends nothing.
    """
    opening.begin()
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        at = the_clinic(session, clinic_name)
        # A file is followed in the hours that the clinic leaves for texts, as the published one is.
        chosen = clinic_profile.narrowed(_read(file), at) if file else planner.cadence_of(session, at.id)
    now = clock.now()
    in_a_week = zones.to_local(now + timedelta(days=7), zones.zone(at.zone)).date()
    record: dict[str, object] = {
        "zone": at.zone,
        "visit_at": visit_at or f"{in_a_week}T09:00",
        "booked_at": booked_at or f"{now.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        **facts,
    }
    plan = explaining.explain(record, chosen)
    if "error" in plan:
        raise click.UsageError(str(plan["error"]))
    rows = [step | {"why": "; ".join(step["why"])} if not json_ else step for step in plan["steps"]]
    show(rows, json_=json_, empty="")


@cadence.command("apply")
@the_file
@clinic_option
@as_json
def apply(file: Path, clinic_name: str | None, json_: bool) -> None:
    """Let the clinic's reminders follow FILE.toml from now on, and plan every coming visit again."""
    opening.begin()
    read = _read(file)
    with db.unit_of_work(db.EVERY) as session:
        at = the_clinic(session, clinic_name)
        version = _publish(session, at, read)
    with bar("Planning") as progress:
        visits = plan_again(at.id, progress)
    row = {
        "clinic": at.name,
        "cadence": read.name,
        "version": version,
        "steps": len(read.all_steps()),
        "visits": visits,
    }
    show([row], json_=json_, empty="")


def _read(file: Path) -> cadence_definition.Cadence:
    """Return the cadence of a file whose texts and instruments exist, or say every mistake and end with exit 3."""
    try:
        read = cadence_definition.parse(file.read_text("utf-8-sig"))
    except cadence_definition.BadCadence as error:
        mistakes = [str(problem) for problem in error.problems]
    except UnicodeDecodeError:
        mistakes = ["not a text in UTF-8"]
    else:
        mistakes = [str(problem) for problem in unknown(read)]
        if not mistakes:
            return read
    for mistake in mistakes:
        say(f"{file.name}: {mistake}")
    raise click.exceptions.Exit(PROBLEMS)


def _publish(session: Session, clinic: Clinic, read: cadence_definition.Cadence) -> int:
    """Publish the cadence as the clinic's next version, with who and when; return its number."""
    there = publishing.draft(session, clinic.id, CADENCE.name)
    if there is not None:
        raise click.ClickException(
            "somebody is working on a draft of the cadence: it must be published or discarded first"
        )
    actor = opening.operator()
    draft = publishing.save(session, clinic, CADENCE, read.model_dump(mode="json"), edit=0, actor=actor)
    return publishing.publish(session, clinic, CADENCE, edit=draft.edit, actor=actor).number or 0
