"""Commands that check: the ledger, the audit chain and the service itself. Exit 3: problems."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from config import audit as audit_log
from config import audit_heads, db
from intake_links import alert_audit
from service import carrier_check, database_roles, health, key_check, start
from service.cli import opening
from service.cli.tables import as_json, say, show

PROBLEMS = 3


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


@click.command()
@click.option("--carrier", is_flag=True, help="Ask the carrier too, how it is set for the numbers of the clinics.")
@as_json
def doctor(json_: bool, carrier: bool) -> None:
    """Look at the whole service and say what is wrong and what to do."""
    settings = start.begin("cli")
    problems = health.check() + health.second_wall() + database_roles.problems()
    if settings.public_url.startswith("http://"):
        problems.append("WARMTHREAD_PUBLIC_URL is not https: only good for trying things out on one machine")
    if settings.twilio_api_url:
        problems.append("TWILIO_API_URL is set: texts go there and not to Twilio")
    problems += health.texts_to_nobody() + health.self_check() + health.reports() + key_check.left_over()
    problems += carrier_check.problems(settings) if carrier else []
    show([{"problem": problem} for problem in problems], json_=json_, empty="Everything is well.")
    _end(bool(problems))
