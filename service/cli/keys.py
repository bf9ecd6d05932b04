"""Commands about keys: what stands under which master key, and data keys replaced by new ones."""

import time
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

import click
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from config import audit, clock, db
from config import keys as key_ring
from config.db import replacing
from messaging.models import Clinic
from messaging.people import directory
from service.cli import opening
from service.cli.checks import PROBLEMS
from service.cli.people import clinic_option, the_clinic
from service.cli.tables import as_json, bar, say, show

# How many keys are wrapped anew in one transaction.
AT_ONCE = 50
# Seconds between looks at the clock while others may still remember an old key.
PAUSE_SECONDS = 5


@click.group()
def keys() -> None:
    """Master keys, and the data keys of clinics and patients."""


@keys.command("status")
@as_json
def status(json_: bool) -> None:
    """Show how many clinic keys each master key wraps."""
    opening.begin()
    ring = key_ring.ring()
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        counted = select(db.DataKey.master_id, func.count()).where(db.DataKey.wrapped_by.is_(None))
        wraps = dict(session.execute(counted.group_by(db.DataKey.master_id)).all())
    names = list(dict.fromkeys([*ring.ids(), *(name or "" for name in wraps)]))
    rows = [
        {
            "master": name,
            "in_ring": name in ring.ids(),
            "seals": name == ring.newest,
            "wraps": wraps.get(name, 0),
        }
        for name in names
    ]
    show(rows, json_=json_, empty="")
    if any(not row["in_ring"] for row in rows):
        raise click.exceptions.Exit(PROBLEMS)


@keys.command("rotate")
def rotate() -> None:
    """Wrap every clinic key under the newest master key. Runs while the service serves; ended at any point, it goes on
    where it was when it is run again."""
    opening.begin()
    ring, changed = key_ring.ring(), 0
    while some := _rewrap(ring):
        changed += some
    say(f"{changed} clinic keys now stand under {ring.newest}.")


def _rewrap(ring: key_ring.Ring) -> int:
    """Wrap some keys anew in a transaction of their own; return how many. A key that another has wrapped meanwhile is
    left as it is."""
    done = 0
    with db.unit_of_work(db.EVERY) as session:
        old = select(db.DataKey).where(db.DataKey.wrapped_by.is_(None), db.DataKey.master_id != ring.newest)
        for row in session.scalars(old.order_by(db.DataKey.id).limit(AT_ONCE)).all():
            bound = ("data_key", str(row.id), str(row.clinic_id))
            master_id, wrapped = ring.wrap(ring.unwrap(row.master_id or "", row.wrapped, *bound), *bound)
            unchanged = update(db.DataKey).where(db.DataKey.id == row.id, db.DataKey.wrapped == row.wrapped)
            session.execute(unchanged.values(master_id=master_id, wrapped=wrapped))
            done += 1
    return done


@keys.command("replace")
@clinic_option
@click.option("--patient", "record", metavar="RECORD", help="Only the key of the patient with this record number.")
@click.option("--dry-run", is_flag=True, help="Count what would be sealed anew, and change nothing.")
@click.option("--no-wait", is_flag=True, help="End where only the time is missing; run it again later.")
@as_json
def replace(clinic_name: str | None, record: str | None, dry_run: bool, no_wait: bool, json_: bool) -> None:
    """Replace the clinic's key and every key under it, or the key of one patient, by new ones.

    Everything under an old key is sealed anew while the service serves, which takes ten minutes at least. Ended at any
    point, it goes on when it is run again. The old keys are thrown away when nothing is sealed under them. Backups from
    before hold the old keys.
    """
    opening.begin()
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        clinic = the_clinic(session, clinic_name)
        only = _keys_of(session, clinic, record) if record else []
    if dry_run:
        _tell(_counted(clinic.id, only), json_)
        return
    _begin(clinic, only)
    total = _seal_anew(clinic, only, no_wait=no_wait)
    if total is not None:
        _tell(total, json_)
    else:
        raise click.exceptions.Exit(PROBLEMS)


def _keys_of(session: Session, clinic: Clinic, record: str) -> list[UUID]:
    patient = directory.find_by_record(session, clinic, record.strip())
    if patient is None:
        raise click.ClickException("there is no patient with this record number")
    return [patient.key_id, *db.keys_below(session, [patient.key_id])]


def _counted(clinic_id: UUID, only: list[UUID]) -> dict[str, int]:
    """What stands under an old key where a replacement was begun, else all there is."""
    with db.unit_of_work(clinic_id, read_only=True) as session:
        begun = replacing.being_replaced(session, clinic_id, only)
    if not begun:
        return replacing.values_of(clinic_id, only)
    say(f"Begun already: {begun} keys still have their old one beside them.")
    return replacing.sweep(clinic_id, only, lambda _done, _total: None, write=False).anew


def _tell(counts: Mapping[str, int], json_: bool) -> None:
    rows = [{"table": name, "values": count} for name, count in sorted(counts.items())]
    show(rows, json_=json_, empty="Nothing is sealed under an old key.")


def _begin(clinic: Clinic, only: list[UUID]) -> None:
    """Make the new keys, as far as that is not done."""
    first = only or [clinic.key_id]
    with db.unit_of_work(clinic.id) as session:
        fresh = sum(replacing.renew_first(session, key_id) for key_id in first)
        if fresh:
            about = f"data_key:{first[0]}"
            audit.record(session, clinic.id, opening.operator(), "keys.replacing", about, below=int(not only))
    below = 0 if only else replacing.renew_below(clinic.id, clinic.key_id)
    made = fresh + below
    say(f"{made} new keys seal from now on." if made else "Begun before: it goes on where it was.")


def _seal_anew(clinic: Clinic, only: list[UUID], *, no_wait: bool) -> dict[str, int] | None:
    """Sweep until nothing is left under the old keys and no process can add to it; None where that takes time still."""
    total: dict[str, int] = {}
    while True:
        began = clock.now()
        with bar("Sealing anew") as progress:
            swept = replacing.sweep(clinic.id, only, progress)
        for name, count in swept.anew.items():
            total[name] = total.get(name, 0) + count
        with db.unit_of_work(clinic.id, read_only=True) as session:
            until = replacing.kept_until(session, clinic.id, only)
        if until is None or (not swept.anew and began >= until):
            _end(clinic, only, swept.unreadable, sum(total.values()))
            return total
        if not swept.anew:
            say(f"Nothing is left. Until {clock.iso(until)} another process may remember an old key.")
            if no_wait:
                say("The old keys are still there: run this again then.")
                return None
            _wait(until)


def _wait(until: datetime) -> None:
    while clock.now() < until:
        time.sleep(PAUSE_SECONDS)


def _end(clinic: Clinic, only: list[UUID], unreadable: int, count: int) -> None:
    with db.unit_of_work(clinic.id) as session:
        gone = replacing.throw_away_old(session, clinic.id, only)
        if gone:
            about = f"data_key:{(only or [clinic.key_id])[0]}"
            audit.record(session, clinic.id, opening.operator(), "keys.replaced", about, keys=gone)
    say(f"{gone} old keys are thrown away; {count} values were sealed anew this time.")
    if unreadable:
        say(f"{unreadable} values open by no key, as before: theirs is lost.")
