"""Who may have a record destroyed: asked by one, agreed to by another administrator; never while something waits."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, exists, select
from sqlalchemy.orm import Session

from config import audit, clock
from intake_links.models import Screen
from messaging import second_people
from messaging.inbox.models import InboxItem, not_done
from messaging.media import attachments
from messaging.models import Clinic, Media, Message, Patient
from reminders.handoff import machine
from reminders.models import Handoff
from reminders.shredding import belonging, carrying_out, copies
from reminders.shredding.models import Shredding

# How long a request waits for a second administrator.
VALID = timedelta(days=7)
LEAVING = ("sending", "unknown")


class Refused(ValueError):
    """Not so, and nothing was changed; `why` are keys of [shredding_refusals]."""

    def __init__(self, *why: str) -> None:
        super().__init__(", ".join(why))
        self.why = why


def refusals(session: Session, clinic: Clinic, patient: Patient) -> list[str]:
    """Return why the record may not be destroyed now: hold | items | handoff | texts | pictures | form | episode |
    import | feed. None of it is undone by destroying; a person sees to it first."""
    asked: dict[str, ColumnElement[bool]] = {
        "items": exists().where(InboxItem.patient_id == patient.id, not_done(InboxItem)),
        "handoff": exists().where(Handoff.patient_id == patient.id, Handoff.state.in_(machine.OPEN)),
        "texts": exists().where(Message.patient_id == patient.id, Message.state.in_(LEAVING)),
        "pictures": exists().where(Media.message_id == Message.id, Message.patient_id == patient.id, attachments.DUE),
        "form": exists().where(Screen.patient_id == patient.id, Screen.look_at.is_not(None)),
        "episode": _open_episode(patient.id),
        "import": _import_under_way(clinic.id),
    }
    found = ["hold"] if patient.legal_hold_at is not None else []
    found += [why for why, condition in asked.items() if session.scalar(select(condition))]
    rows = {"patient": {patient.id}}
    if copies.waiting(session, clinic.id, copies.sought(session, patient, rows)):
        found.append("feed")
    return found


def _open_episode(patient_id: UUID) -> ColumnElement[bool]:
    episode = belonging.tables()["care_episode"]
    return exists().where(episode.c.patient_id == patient_id, episode.c.phase != "discharged")


def _import_under_way(clinic_id: UUID) -> ColumnElement[bool]:
    run = belonging.tables()["import_run"]
    return exists().where(run.c.clinic_id == clinic_id, run.c.state.not_in(("done", "stopped")))


def waiting(session: Session, clinic_id: UUID) -> list[Shredding]:
    """Return the requests that wait for a second administrator, the oldest first."""
    open_ones = select(Shredding).where(
        Shredding.clinic_id == clinic_id, Shredding.done_at.is_(None), Shredding.asked_at > clock.now() - VALID
    )
    return list(session.scalars(open_ones.order_by(Shredding.asked_at)))


def done(session: Session, clinic_id: UUID) -> list[Shredding]:
    """Return what was destroyed, the newest first."""
    past = select(Shredding).where(Shredding.clinic_id == clinic_id, Shredding.done_at.is_not(None))
    return list(session.scalars(past.order_by(Shredding.done_at.desc())))


def takes_two(session: Session, clinic_id: UUID, actor: str) -> bool:
    """Whether another administrator must agree: there is one who counts (messaging.two_person_rule), beside whoever
    asks; where that is an operator, beside one who knows the clinic."""
    others = len(second_people.others(session, clinic_id, "destruction", actor))
    return others >= (1 if audit.Actor(actor).staff_id else 2)


def ask(session: Session, clinic: Clinic, patient: Patient, actor: str) -> bool:
    """Ask that a record be destroyed, or agree to what another asked; return whether it is destroyed now.

    Where the clinic has two administrators, one of them must agree who has not asked. Raises Refused: what `refusals`
    says, "operator" where an operator would agree, why an administrator is not the second person
    (messaging.two_person_rule), and "done".
    """
    session.get_one(Clinic, clinic.id, with_for_update=True)
    session.refresh(patient)
    if patient.shredded_at is not None:
        raise Refused("done")
    if why := refusals(session, clinic, patient):
        raise Refused(*why)
    row = _row(session, clinic, patient)
    if row is None and takes_two(session, clinic.id, actor):
        session.add(_request(session, clinic, patient, actor))
        audit.record(session, clinic.id, actor, "patient.shred_asked", f"patient:{patient.id}")
        return False
    if row is not None:
        if row.asked_by != actor and audit.Actor(actor).staff_id is None:
            raise Refused("operator")
        refusal = second_people.refusal(session, "destruction", actor, row.asked_by)
        if row.asked_by == actor or refusal:
            raise Refused(refusal or "second")
        row.agreed_by = actor
    return carrying_out.shred(session, clinic, patient, actor)


def take_back(session: Session, row: Shredding, actor: str) -> None:
    """Take a request back, whoever made it."""
    audit.record(session, row.clinic_id, actor, "patient.shred_taken_back", f"patient:{row.patient_id}")
    session.delete(row)


def hold(session: Session, clinic: Clinic, patient: Patient, actor: str, *, on: bool) -> bool:
    """Put a record under legal hold, or end that; False if it already was so. Under it nothing of it is destroyed or
    emptied."""
    if (patient.legal_hold_at is not None) == on:
        return False
    patient.legal_hold_at = clock.now() if on else None
    audit.record(session, clinic.id, actor, f"patient.hold_{'begun' if on else 'ended'}", f"patient:{patient.id}")
    return True


def _row(session: Session, clinic: Clinic, patient: Patient) -> Shredding | None:
    """The request that is still good; one that is too old is gone."""
    marked = carrying_out.mark(session, clinic, patient.id)
    row = session.scalar(select(Shredding).where(Shredding.clinic_id == clinic.id, Shredding.mark == marked))
    if row is not None and row.asked_at <= clock.now() - VALID:
        session.delete(row)
        session.flush()
        return None
    return row


def _request(session: Session, clinic: Clinic, patient: Patient, actor: str) -> Shredding:
    marked = carrying_out.mark(session, clinic, patient.id)
    return Shredding(clinic_id=clinic.id, mark=marked, patient_id=patient.id, asked_by=actor, asked_at=clock.now())
