"""The clinic of the self-check, with one colleague and one patient: made up, named so, and counted by nobody."""

from datetime import date

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from config import audit, clock, db
from intake_links.models import IntakeLink, LinkSession, Screen
from messaging.inbox.models import InboxItem, ItemEvent, Timer, Told
from messaging.models import Attempt, Clinic, Message, Patient, Staff
from messaging.people import directory
from service.self_check.models import SelfCheck

NAME, COLLEAGUE, MAIL = "Self-check (not a clinic)", "Self-check (not a person)", "self-check@warmthread.invalid"
RECORD = "SELF-CHECK"
BORN = date(1970, 1, 1)
# From the range that is given to nobody; what goes there ends before the carrier.
NO_SENDER, NO_PHONE = "+12025550198", "+12025550199"
# In this order: what refers to another goes before it. The audit keeps what happened.
LEAVES = (Told, ItemEvent, Timer, InboxItem, Screen, LinkSession, IntakeLink)


def find(session: Session) -> Clinic | None:
    """Return the made-up clinic, if it is here."""
    return session.scalar(select(Clinic).where(Clinic.synthetic.is_not(None)).order_by(Clinic.created_at).limit(1))


def set_up(session: Session, *, test_number: str | None, sender: str | None, actor: str) -> SelfCheck:
    """Make the clinic, or change where its texts end; return its check, due at once.

    With `test_number` (E.164, a phone of the operator's own) each check is one real text from `sender`, a number of
    the account's that belongs to no clinic. Without, every text ends before the carrier.
    """
    now, synthetic = clock.now(), "texted" if test_number else "silent"
    clinic = find(session) or _made(session)
    clinic.synthetic, clinic.number = synthetic, sender or NO_SENDER
    colleague(session, clinic).number = test_number or NO_PHONE
    check = session.scalar(select(SelfCheck).where(SelfCheck.clinic_id == clinic.id))
    if check is None:
        check = SelfCheck(clinic_id=clinic.id, state="resting", try_after=now, attempts=0, fence=0, created_at=now)
        session.add(check)
    check.state, check.try_after = "resting", now
    audit.record(session, clinic.id, actor, "self_check.set_up", f"clinic:{clinic.id}", texts=synthetic)
    return check


def end(session: Session, actor: str) -> bool:
    """Check no more; False if nothing did. The clinic stays, empty, for its log."""
    clinic = find(session)
    check = session.scalar(select(SelfCheck).where(SelfCheck.clinic_id == clinic.id)) if clinic else None
    if clinic is None or check is None:
        return False
    sweep(session, clinic)
    session.delete(check)
    audit.record(session, clinic.id, actor, "self_check.ended", f"clinic:{clinic.id}")
    return True


def colleague(session: Session, clinic: Clinic) -> Staff:
    """Return the one who is told: always on duty, without a way to sign in."""
    return session.scalars(select(Staff).where(Staff.clinic_id == clinic.id)).one()


def patient(session: Session, clinic: Clinic) -> Patient:
    """Return the one who answers: with a birth date to be let in by, and no number that a text could ever go to."""
    answering = session.scalars(select(Patient).where(Patient.clinic_id == clinic.id)).one()
    db.load_keys(session, {answering.key_id})
    answering.birth_date = BORN.isoformat()
    return answering


def sweep(session: Session, clinic: Clinic) -> None:
    """Take away what a check has left. Texts that are with the carrier at this moment go with a later one."""
    for table in LEAVES:
        session.execute(delete(table).where(table.clinic_id == clinic.id))
    over = select(Message.id).where(Message.clinic_id == clinic.id, Message.state.not_in(("sending", "unknown")))
    session.execute(delete(Attempt).where(Attempt.clinic_id == clinic.id, Attempt.message_id.in_(over)))
    session.execute(delete(Message).where(Message.id.in_(over)))


def _made(session: Session) -> Clinic:
    clinic = directory.add_clinic(session, name=NAME, zone="UTC", number=NO_SENDER)
    clinic.synthetic = "silent"
    directory.add_staff(session, clinic, name=COLLEAGUE, email=MAIL, number=NO_PHONE)
    record = directory.PatientRecord(
        record=RECORD, first_name="Self-check", last_name="(not a person)", number=None, birth_date=BORN, consent=False
    )
    directory.save_patient(session, clinic, record)
    return clinic
