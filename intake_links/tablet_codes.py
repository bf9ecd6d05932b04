"""Opens a form on the clinic's own tablet: a code of six digits, for ten minutes, for one patient, once."""

import re
import secrets
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from config import audit, clock, keys
from intake_links import links
from intake_links.models import IntakeLink
from messaging.models import Clinic, Patient

VALID = timedelta(minutes=10)
OPEN = timedelta(hours=2)


def start(
    session: Session,
    clinic: Clinic,
    patient: Patient,
    instruments: Sequence[str],
    *,
    actor: str,
    appointment_id: UUID | None = None,
) -> str:
    """Return the code that opens `instruments` on the tablet; a link still open is withdrawn, as by every new one.

    Whoever starts it knows the patient and hands the tablet over, so no birth date is asked. Raises as links.issue.
    """
    if not instruments:
        raise ValueError("a form needs one or more instruments")
    link, _ = links.issue(session, clinic, patient, instruments, appointment_id=appointment_id, valid=OPEN)
    now = clock.now()
    code = _new_code(session)
    link.place, link.code_hash, link.code_until = links.TABLET, keys.token_hash(code), now + VALID
    audit.record(session, clinic.id, actor, "link.tablet", f"intake_link:{link.id}", patient=str(patient.id))
    return code


def redeem(session: Session, typed: str) -> tuple[IntakeLink, str] | None:
    """Return the form the code opens and its token, and make the code worthless; None if it opens none."""
    code = re.sub(r"[\s-]", "", typed)
    if not re.fullmatch("[0-9]{6}", code):
        return None
    matching = session.scalars(_with(code).with_for_update()).all()
    # Two codes alike at once open neither: nobody is shown somebody else's form.
    if len(matching) != 1 or not links.is_open(matching[0], clock.now()):
        return None
    link = matching[0]
    link.code_hash, link.code_until = None, None
    return link, links.let_in(session, link)


def _new_code(session: Session) -> str:
    while True:
        code = f"{secrets.randbelow(10**6):06}"
        if session.scalars(_with(code)).first() is None:
            return code


def _with(code: str) -> Select[IntakeLink]:
    return select(IntakeLink).where(IntakeLink.code_hash == keys.token_hash(code), IntakeLink.code_until > clock.now())
