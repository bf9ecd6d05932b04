"""Commands that check: the ledger, the audit chain, keys, consent and the service itself. Exit 3: problems."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from config import audit as audit_log
from config import audit_heads, db
from config import keys as key_ring
from intake_links import alert_audit
from service import database_roles, health, start
from service.cli import opening
from service.cli.tables import as_json, say, show

PROBLEMS = 3
# How many keys are wrapped anew in one transaction.
AT_ONCE = 50


def _end(problems: bool) -> None:
    if problems:
        raise click.exceptions.Exit(PROBLEMS)


@click.command()
@as_json
def ledger(json_: bool) -> None:
    """Every answered self-harm item and positive screen against its inbox item and acknowledgement."""
    opening.begin()
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        rows = [asdict(row) for row in alert_audit.rows(session)]
    show(rows, json_=json_, empty="No positive screen yet.")
    late = sum(1 for row in rows if row["owed"])
    say(f"{len(rows)} positive, {late} owed to a human.")
    _end(bool(late))


@click.group()
def audit() -> None:
    """The audit log."""


@audit.command("verify")
@click.option(
    "--heads", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Signed heads, a line each."
)
@as_json
def verify(json_: bool, heads: Path | None) -> None:
    """Verify the hash chain of every clinic, and compare it with the signed heads that were sent outside.

    Without --heads those of the file in the settings are taken, if it is there; what cannot be changed from here, such
    as a copy on another machine, proves more.
    """
    opening.begin()
    audit_log.seal()
    rows = []
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        for head in session.scalars(select(audit_log.AuditHead)).all():
            faults = list(audit_log.verify(session, head.clinic_id))
            rows.append({"clinic": str(head.clinic_id), "lines": head.seq, "head": head.hash, "faults": faults})
        rows += _outside(session, heads or audit_heads.path())
    show(rows, json_=json_, empty="Nothing has been recorded yet.")
    _end(any(row["faults"] for row in rows))


def _outside(session: Session, heads: Path) -> list[dict[str, Any]]:
    """Return what the signed heads say, as a row more; nothing where there is no such file."""
    if not heads.exists():
        return []
    lines = heads.read_text(encoding="utf-8").splitlines()
    return [{"clinic": "heads", "lines": len(lines), "head": "-", "faults": list(audit_heads.compare(session, lines))}]


@click.group()
def keys() -> None:
    """Master keys."""


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
    _end(any(not row["in_ring"] for row in rows))


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


@click.command()
@as_json
def doctor(json_: bool) -> None:
    """Look at the whole service and say what is wrong and what to do."""
    settings = start.begin("cli")
    problems = health.check() + health.second_wall() + database_roles.problems()
    if settings.public_url.startswith("http://"):
        problems.append("WARMTHREAD_PUBLIC_URL is not https: only good for trying things out on one machine")
    if settings.twilio_api_url:
        problems.append("TWILIO_API_URL is set: texts go there and not to Twilio")
    problems += health.texts_to_nobody() + health.self_check()
    show([{"problem": problem} for problem in problems], json_=json_, empty="Everything is well.")
    _end(bool(problems))
