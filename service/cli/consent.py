"""Commands for consent: where our ledger and the carrier disagree. Exit 3: they do."""

import click
from sqlalchemy import select

from config import db
from messaging.delivery import consent_drift
from messaging.models import REAL, Clinic
from service.cli import opening
from service.cli.tables import as_json, say, show

PROBLEMS = 3


@click.group()
def consent() -> None:
    """Consent to be texted."""


@consent.command("drift")
@as_json
def drift(json_: bool) -> None:
    """Find phones that the carrier has blocked and our ledger calls granted, and texts that left after a revocation.

    Exit 3 if there are any; the page /consents/drift shows them with what to do.
    """
    opening.begin()
    rows = []
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        for clinic in session.scalars(select(Clinic).where(REAL).order_by(Clinic.created_at)).all():
            rows += [
                {
                    "clinic": clinic.name,
                    "kind": drifted.kind,
                    "conversation": str(drifted.conversation_id),
                    "programmes": " ".join(drifted.programmes),
                    "since": drifted.at.isoformat(timespec="seconds"),
                    "message": str(drifted.message_id or ""),
                }
                for drifted in consent_drift.find(session, clinic.id)
            ]
    show(rows, json_=json_, empty="No mismatch: the ledger and the carrier say the same.")
    if rows:
        say(f"{len(rows)} to look at. The page /consents/drift says what to do.")
        raise click.exceptions.Exit(PROBLEMS)
