"""What has been shared about a patient, what is planned, and what was missed: one page for all who care for them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from config import clock
from messaging.inbox import notes_and_calls
from messaging.inbox.models import Contact
from messaging.models import Clinic, Patient, Staff
from messaging.team import tasks
from web import team, times, words
from web.presenters import case_side, screen_view, task_view, visit_view
from web.presenters.task_view import Card
from web.presenters.visit_view import Visit

MOST = 5
NOT_SPOKEN = ("voicemail", "no_answer", "wrong_number", "out_of_service")
# A chain of tries that ends at the last time somebody was reached is read no further back than this.
TRIES = 20


@dataclass(frozen=True)
class Line:
    """One thing: what, when and the rest in words; `task_id` where it is a task that can be opened."""

    words: str
    when: str
    more: str = ""
    task_id: UUID | None = None


@dataclass(frozen=True)
class Around:
    """Three short lists."""

    shared: list[Line]
    scheduled: list[Line]
    missed: list[Line]


def read(session: Session, clinic: Clinic, staff: Staff, patient: Patient) -> Around:
    """Return what all who care for a patient should know."""
    zone, now = clinic.zone, clock.now()
    visits = [visit_view.visit(each) for each in visit_view.visits(session, patient)]
    calls = _calls(session, patient)
    open_tasks = tasks.of_patient(session, patient)
    late = {item.id for item, _ in open_tasks if item.answer_by <= now}
    shown = task_view.cards(session, clinic, staff, open_tasks)
    names = team.names(session, (call.staff_id for call in calls))
    forms = case_side.forms(case_side.sent_forms(session, patient), zone, readable=True)
    return Around(
        shared=[*_scores(session, patient, zone), *(Line(form.names, form.sent, form.state) for form in forms)][:MOST],
        scheduled=[
            *_visits(visits, lambda visit: not visit.past and visit.key not in ("cancelled", "no_show"))[::-1],
            *_tasks([each for each in shown if each.id not in late]),
            *_next_contact(calls, names, now, zone),
        ],
        missed=[
            *_tasks([each for each in shown if each.id in late]),
            *_visits(visits, lambda visit: visit.key == "no_show"),
            *_tries(calls, names, now, zone),
        ],
    )


def _scores(session: Session, patient: Patient, zone: str) -> list[Line]:
    return [
        Line(screen.title, screen.when, f"{screen.total} of {screen.highest}, {screen.band.lower()}")
        for screen in screen_view.every(session, patient, zone)
        if screen.total is not None
    ]


def _visits(visits: Sequence[Visit], which: Callable[[Visit], bool]) -> list[Line]:
    return [
        Line(words.say("team", "visit"), visit.when, " · ".join(filter(None, (visit.state, visit.clinician))))
        for visit in visits
        if which(visit)
    ][:MOST]


def _tasks(shown: Sequence[Card]) -> list[Line]:
    return [Line(each.title, each.due, each.owner, each.id) for each in shown][:MOST]


def _calls(session: Session, patient: Patient) -> list[Contact]:
    """The last calls and next contacts, the latest first."""
    rows = select(Contact).where(Contact.patient_id == patient.id, Contact.struck_at.is_(None))
    return list(session.scalars(rows.order_by(Contact.at.desc(), Contact.id.desc()).limit(TRIES)))


def _next_contact(calls: Sequence[Contact], names: Mapping[UUID | None, str], now: datetime, zone: str) -> list[Line]:
    coming = min((each for each in calls if each.next_try_at and each.next_try_at > now), key=_next_at, default=None)
    if coming is None:
        return []
    when = times.moment(_next_at(coming), now, zone)
    return [Line(words.say("team", "next_contact"), when, names.get(coming.staff_id, ""))]


def _next_at(contact: Contact) -> datetime:
    return contact.next_try_at or contact.at


def _tries(calls: Sequence[Contact], names: Mapping[UUID | None, str], now: datetime, zone: str) -> list[Line]:
    """The tries since somebody was last reached: what was answered afterwards was not missed."""
    missed: list[Line] = []
    for call in calls:
        if call.outcome == "reached":
            break
        if call.outcome in NOT_SPOKEN:
            outcome = notes_and_calls.outcomes()[call.outcome]
            when = times.moment(call.at, now, zone)
            missed.append(Line(words.say("team", "call"), when, f"{outcome}, {names.get(call.staff_id, '')}"))
    return missed[:MOST]
