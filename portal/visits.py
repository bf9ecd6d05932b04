"""The visits a patient sees on their own page, and what they can say of them: the same verbs as a reply by text."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from config import audit, clock
from messaging.inbox import items
from messaging.inbox.models import InboxItem
from messaging.models import Clinic, Conversation, Patient
from messaging.wording import clinic_names
from portal import calendar_files, words
from reminders import appointments, phrasing, same_moment
from reminders.models import Appointment, Reminder
from reminders.rules import zones

SHOWN = (*appointments.STILL_TO_COME, "arrived", "cancelled")
MOST = 10
ACTS = ("confirm", "change", "arrived", "late")


@dataclass(frozen=True)
class Shown:
    """A visit as the page has it.

    `said` and `texts` are sentences, `acts` what can be said of it now; `place` may be "".
    """

    id: UUID
    revision: int
    state: str
    when: str
    place: str
    said: str
    texts: str
    acts: tuple[str, ...]


class Changed(Exception):
    """The visit is another one than the page showed: moved or cancelled meanwhile, to be looked at again."""


def shown(session: Session, clinic: Clinic, patient: Patient, language: str, *, texted: bool) -> list[Shown]:
    """Return the patient's visits from today on, one of each moment, soonest first.

    `texted`: whether reminders reach them at all.
    """
    now = clock.now()
    near = select(Appointment).where(
        Appointment.patient_id == patient.id,
        Appointment.state.in_(SHOWN),
        Appointment.starts_at > now - appointments.STILL_TODAY,
    )
    cancelled_last = Appointment.state == "cancelled"
    visits = session.scalars(near.order_by(Appointment.starts_at, cancelled_last, Appointment.id))
    rows = same_moment.one_each(visits)[:MOST]
    today = {appointment.id for appointment in appointments.today(session, patient.id, now)}
    return [_one(session, clinic, patient, row, language, now, row.id in today, texted) for row in rows]


def _one(
    session: Session,
    clinic: Clinic,
    patient: Patient,
    visit: Appointment,
    language: str,
    now: datetime,
    today: bool,
    texted: bool,
) -> Shown:
    own, zone = words.texts(language), zones.zone(visit.zone)
    local = zones.to_local(visit.starts_at, zone)
    values = phrasing.words(clinic, patient, visit, now, language=language)
    at_day = words.day(local, zones.to_local(now, zone), language)
    late = visit.state in appointments.STILL_TO_COME and _told(session, visit, "late")
    return Shown(
        id=visit.id,
        revision=visit.revision,
        state=visit.state,
        when=f"{at_day[0].upper()}{at_day[1:]}, {values['time']}",
        place=(visit.place or "") if patient.privacy == "details" else "",
        said=own["said"]["late" if late else visit.state],
        texts=_texts(session, patient, visit, language, now, texted),
        acts=_acts(visit, now, today, late),
    )


def _acts(visit: Appointment, now: datetime, today: bool, late: bool) -> tuple[str, ...]:
    """What can be said of a visit: never twice the same, and nothing of one that is cancelled or over."""
    ahead = visit.starts_at > now
    possible = {
        "confirm": ahead and visit.state == "booked",
        "arrived": today and visit.state in appointments.STILL_TO_COME,
        "late": today and visit.state in appointments.STILL_TO_COME and not late,
        "change": ahead and visit.state in ("booked", "confirmed"),
    }
    return tuple(act for act, may in possible.items() if may)


def _texts(session: Session, patient: Patient, visit: Appointment, language: str, now: datetime, texted: bool) -> str:
    """When texts about the visit will come, on the patient's clock."""
    own = words.texts(language)
    if visit.state not in ("booked", "confirmed") or visit.starts_at <= now:
        return ""
    if not texted:
        return str(own["texts_stopped"])
    planned = select(Reminder.try_after).where(
        Reminder.appointment_id == visit.id,
        Reminder.revision == visit.revision,
        Reminder.state == "planned",
        Reminder.try_after > now,
    )
    place = zones.zone(patient.zone or visit.zone)
    here = zones.to_local(now, place)
    moments = [zones.to_local(at, place) for at in session.scalars(planned.order_by(Reminder.try_after))]
    if not moments:
        return str(own["texts_none"])
    times = [
        own["text_at"].format(day=words.day(moment, here, language), time=words.hour(moment, language))
        for moment in moments
    ]
    return str(own["texts_planned"].format(times="; ".join(times)))


def act(session: Session, clinic: Clinic, patient: Patient, visit_id: UUID, revision: int, what: str) -> None:
    """Do what the patient says of this visit of theirs; said twice, it is done once. `what` is one of ACTS.

    Raises Changed where the visit is no longer what they saw, LookupError where it is none of theirs.
    """
    visit = of_patient(session, patient, visit_id, locked=True)
    if visit.revision != revision:
        raise Changed
    now, actor = clock.now(), audit.Actor.patient(patient.id)
    today = any(appointment.id == visit.id for appointment in appointments.today(session, patient.id, now))
    if what not in _acts(visit, now, today, _told(session, visit, "late")):
        return
    if what == "confirm":
        appointments.confirm(session, visit, actor)
    elif what == "arrived":
        appointments.arrive(session, visit, actor)
    elif what == "change":
        appointments.ask_change(session, visit, actor)
        _tell(session, clinic, patient, visit, "change")
    else:
        _tell(session, clinic, patient, visit, "late")


def of_patient(session: Session, patient: Patient, visit_id: UUID, *, locked: bool = False) -> Appointment:
    """Return this visit of this patient. Raises LookupError for anybody else's."""
    visit = session.get(
        Appointment,
        visit_id,
        with_for_update={"key_share": True} if locked else None,
        populate_existing=locked,
    )
    if visit is None or visit.patient_id != patient.id:
        raise LookupError("no visit of this patient")
    return visit


def _reason(visit: Appointment, what: str) -> str:
    return f"own:{what}:{visit.id}:{visit.revision}"


def _told(session: Session, visit: Appointment, what: str) -> bool:
    query = select(InboxItem.id).where(InboxItem.clinic_id == visit.clinic_id, InboxItem.dedupe == _reason(visit, what))
    return session.scalar(query) is not None


def _tell(session: Session, clinic: Clinic, patient: Patient, visit: Appointment, what: str) -> None:
    """Have a person see it: somebody must call about another time, and the front desk know who comes late."""
    spoken = phrasing.staff_words(clinic, patient, visit, clock.now())
    key = {"change": "change_asked", "late": "late"}[what]
    talks = select(Conversation.id).where(Conversation.patient_id == patient.id)
    items.open_item(
        session,
        clinic,
        kind="reply",
        about=f"appointment:{visit.id}",
        dedupe=_reason(visit, what),
        summary=phrasing.texts("en")["staff"][key].format(**spoken),
        patient_id=patient.id,
        conversation_id=session.scalar(talks.order_by(Conversation.last_at.desc()).limit(1)),
    )


def calendar_file(clinic: Clinic, patient: Patient, visit: Appointment, language: str) -> bytes:
    """Return the visit for the patient's calendar; it names clinic and place as far as their texts may."""
    name = clinic_names.in_texts(clinic, language)
    places = {"place": [name], "details": [*phrasing.place_of(clinic, visit.place).values(), name]}
    return calendar_files.write(
        calendar_files.Entry(
            uid=str(visit.id),
            revision=visit.revision,
            starts_at=visit.starts_at,
            changed_at=visit.updated_at,
            state=visit.state,
            title=words.texts(language)["calendar_title"],
            place=", ".join(places.get(patient.privacy, [])),
        )
    )
