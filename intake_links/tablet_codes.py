"""Opens a form on the clinic's own tablet: a code of six digits, for ten minutes, for one patient, once.

While somebody guesses the codes handed out have eight, also for a day after; what guessing comes to stands in
docs/security.md.
"""

import re
import secrets
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from config import audit, clock, keys, throttle
from intake_links import links
from intake_links.models import IntakeLink
from messaging.models import Clinic, Patient

VALID = timedelta(minutes=10)
OPEN = timedelta(hours=2)
# Wrong codes an hour from all unknown sources together; a code does not say whose it is, so the door counts as one.
# Past these one a minute is tried: 93 in the first hour, 60 in each after it.
AT_DOOR = throttle.Limit("tablet.door", free=30)
# All wrong codes of a day, also from a clinic's own network, and nobody waits for it: more than half of these make
# codes longer. The door forgets 30 an hour, so that whoever guessed no faster would never be noticed by its count.
NOTICED = throttle.Limit("tablet.noticed", free=10, window=86_400, longest=0)
DIGITS, DIGITS_UNDER_ATTACK = 6, 8


def door() -> throttle.Bucket:
    """Return what is tried at the door by whoever is not known to be a clinic's."""
    return AT_DOOR.of("everybody")


def noticed() -> throttle.Bucket:
    """Return what every wrong code is counted in, whoever tried it."""
    return NOTICED.of("everybody")


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
    if len(code) not in (DIGITS, DIGITS_UNDER_ATTACK) or not re.fullmatch("[0-9]+", code):
        return None
    matching = session.scalars(_with(code).with_for_update()).all()
    # Two codes alike at once open neither: nobody is shown somebody else's form.
    if len(matching) != 1 or not links.is_open(matching[0], clock.now()):
        return None
    link = matching[0]
    link.code_hash, link.code_until = None, None
    return link, links.let_in(session, link)


def _new_code(session: Session) -> str:
    digits = DIGITS_UNDER_ATTACK if throttle.level(noticed()) > NOTICED.free / 2 else DIGITS
    while True:
        code = f"{secrets.randbelow(10**digits):0{digits}}"
        if session.scalars(_with(code)).first() is None:
            return code


def _with(code: str) -> Select[IntakeLink]:
    return select(IntakeLink).where(IntakeLink.code_hash == keys.token_hash(code), IntakeLink.code_until > clock.now())
