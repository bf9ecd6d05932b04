"""Commands for the brakes: which are pulled, pull one, release one."""

import click

from config import clock, db
from messaging.delivery.brakes import braking
from service.cli import opening
from service.cli.people import clinic_option, the_clinic
from service.cli.tables import as_json, say, show

kind_argument = click.argument("kind", type=click.Choice(braking.KINDS))


@click.group()
def brakes() -> None:
    """Hold back a kind of a clinic's texts; those about safety never are."""


@brakes.command("show")
@clinic_option
@as_json
def show_brakes(clinic_name: str | None, json_: bool) -> None:
    """Show what is held back, since when, by whom, and how many texts wait."""
    opening.begin()
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        clinic = the_clinic(session, clinic_name)
        waiting = braking.held(session, clinic.id)
        rows = [
            {
                "kind": kind,
                "since": clock.iso(brake.pulled_at),
                "by": brake.pulled_by,
                "failed": brake.failed,
                "out_of": brake.out_of,
                "held": waiting[kind],
            }
            for kind, brake in braking.pulled(session, clinic.id).items()
        ]
    show(rows, json_=json_, empty="Nothing is held back.")


@brakes.command("pull")
@kind_argument
@clinic_option
def pull(kind: str, clinic_name: str | None) -> None:
    """Hold back every text of KIND that the carrier does not have yet. Nothing is lost by it."""
    opening.begin()
    with db.unit_of_work(db.EVERY) as session:
        fresh = braking.pull(session, the_clinic(session, clinic_name).id, kind, opening.operator())
    say(f"Texts of the kind {kind} are held back." if fresh else "They were held back before.")


@brakes.command("release")
@kind_argument
@clinic_option
def release(kind: str, clinic_name: str | None) -> None:
    """Let texts of KIND go again; those whose time is over are dropped, with a line in the inbox."""
    opening.begin()
    with db.unit_of_work(db.EVERY) as session:
        was = braking.release(session, the_clinic(session, clinic_name).id, kind, opening.operator())
    say(f"Texts of the kind {kind} go again." if was else "They were not held back.")
