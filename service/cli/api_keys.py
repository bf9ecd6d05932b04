"""Commands for the keys of a clinic's own programs: make, list, revoke."""

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from config import clock, db
from messaging.models import Clinic, Staff
from messaging.programs import keys, scopes
from messaging.programs.models import ApiKey
from service.cli import opening
from service.cli.people import clinic_option, the_clinic
from service.cli.tables import as_json, say, show

WRONG = {
    "name": "--name: expected 1 to 80 characters that can be shown",
    "scopes": f"--scope: expected at least one of {', '.join(scopes.ALL)}",
    "days": f"--days: expected 1 to {keys.LONGEST_LIFE}",
    "staff": "--acts-as: expected the e-mail address of a care manager or clinician who works here",
}


@click.group("api-keys")
def api_keys() -> None:
    """Keys of the clinic's own programs (/api/v1)."""


@api_keys.command("create")
@click.option("--name", required=True, help="What the program is called.")
@click.option("--scope", "wanted", multiple=True, required=True, help="What it may, such as patients.read; repeat it.")
@click.option("--days", type=int, default=90, show_default=True, help="For how long the key is good.")
@click.option("--acts-as", help="E-mail address of the colleague in whose name it works on the inbox.")
@clinic_option
@as_json
def create(
    name: str, wanted: tuple[str, ...], days: int, acts_as: str | None, clinic_name: str | None, json_: bool
) -> None:
    """Make a key and print it, this once."""
    opening.begin()
    with db.unit_of_work(db.EVERY) as session:
        at = the_clinic(session, clinic_name)
        staff = _colleague(session, at, acts_as) if acts_as else None
        try:
            made, token = keys.make(session, at, keys.Wanted(name, wanted, days, staff), actor=opening.operator())
        except keys.MayNot as refused:
            raise click.UsageError("; ".join(WRONG[field] for field in refused.problems)) from None
        row = _row(made)
    if json_:
        show([row | {"key": token}], json_=True, empty="")
        return
    show([row], json_=False, empty="")
    click.echo(token)


@api_keys.command("list")
@clinic_option
@as_json
def list_keys(clinic_name: str | None, json_: bool) -> None:
    """List every key that was made, what it may and when it was last used."""
    opening.begin()
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        rows = [_row(key) for key in keys.of_clinic(session, the_clinic(session, clinic_name))]
    show(rows, json_=json_, empty="No key yet: warmthread api-keys create --name --scope")


@api_keys.command("revoke")
@click.argument("key")
@clinic_option
def revoke(key: str, clinic_name: str | None) -> None:
    """Let nobody in by KEY, its name or its id, from now on."""
    opening.begin()
    with db.unit_of_work(db.EVERY) as session:
        meant = _meant(session, the_clinic(session, clinic_name), key)
        fresh = keys.revoke(session, meant, actor=opening.operator())
    say("Revoked: nobody is let in by it any more." if fresh else "It was revoked before.")


def _meant(session: Session, clinic: Clinic, wanted: str) -> ApiKey:
    """The key of this id, or the one of this name that is not revoked yet."""
    every = keys.of_clinic(session, clinic)
    fitting = [key for key in every if wanted == str(key.id) or (wanted == key.name and key.revoked_at is None)]
    if len(fitting) == 1:
        return fitting[0]
    raise click.ClickException("several keys have this name: say its id" if fitting else "the clinic has no such key")


def _colleague(session: Session, clinic: Clinic, email: str) -> Staff:
    staff = session.scalar(select(Staff).where(Staff.clinic_id == clinic.id, Staff.email == email.strip().lower()))
    if staff is None:
        raise click.UsageError(WRONG["staff"])
    return staff


def _row(key: ApiKey) -> dict[str, object]:
    return {
        "id": str(key.id),
        "name": key.name,
        "state": keys.state(key, clock.now()),
        "scopes": " ".join(key.scopes),
        "acts_as": str(key.staff_id) if key.staff_id else None,
        "expires": clock.iso(key.expires_at),
        "last_used": clock.iso(key.last_used_at) if key.last_used_at else None,
    }
