"""Which resources there are: from which rows, by which scope of a key, and by what they can be searched."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, and_, or_
from sqlalchemy.orm import InstrumentedAttribute, Session

from caseload.models import Episode
from intake_links import scoring
from intake_links.models import Screen
from messaging.inbox.models import InboxItem
from messaging.models import Clinic, Message, Patient
from messaging.team.models import Task
from records import telling
from records.fhir import care, forms, screens, texts, visits, work
from records.fhir.values import Resource
from reminders.models import Appointment, Handoff

Show: TypeAlias = Callable[[Session, Clinic, Sequence[Any]], list[list[Resource]]]
Column: TypeAlias = InstrumentedAttribute[Any]


@dataclass(frozen=True)
class Kind:
    """A resource type; `show` tells each row in one or more resources.

    `changed` are the columns of which the latest is `lastUpdated`; `date` is the standard name of the search by a
    day with its column; `statuses` which rows a FHIR status means; `code` the instruments with a code.
    """

    type: str
    scope: str
    model: Any
    show: Show
    conditions: tuple[ColumnElement[bool], ...] = ()
    patient: Column | None = None
    changed: tuple[Column, ...] = ()
    date: tuple[str, Column] | None = None
    statuses: Mapping[str, ColumnElement[bool]] | None = None
    code: Callable[[], Mapping[str, set[str]]] | None = None
    beside: tuple[Any, ...] = ()

    @property
    def parameters(self) -> Mapping[str, str]:
        """By what it is searched: names with the type of each, as a CapabilityStatement calls it."""
        named = {"_id": "token"}
        named |= {"patient": "reference"} if self.patient is not None else {}
        named |= {"_lastUpdated": "date"} if self.changed else {}
        named |= {self.date[0]: "date"} if self.date else {}
        named |= {"status": "token"} if self.statuses else {}
        return named | ({"code": "token"} if self.code else {})


def _states(column: Column, table: Mapping[str, str]) -> dict[str, ColumnElement[bool]]:
    return {
        status: column.in_([state for state, told in table.items() if told == status])
        for status in dict.fromkeys(table.values())
    }


def _task_states() -> dict[str, ColumnElement[bool]]:
    by_status = _states(InboxItem.state, work.TASKS)
    done, said = by_status["completed"], InboxItem.disposition
    otherwise = {
        status: and_(done, said.in_([key for key, told in work.ENDED_OTHERWISE.items() if told == status]))
        for status in dict.fromkeys(work.ENDED_OTHERWISE.values())
    }
    whole = and_(done, or_(said.is_(None), said.not_in(list(work.ENDED_OTHERWISE))))
    return by_status | otherwise | {"completed": whole}


def fixed() -> list[Resource]:
    """Return every Questionnaire, by id: they are the service's, and no clinic's."""
    return [forms.questionnaire(each) for _, each in sorted(scoring.instruments().items())]


FORMS = ("Questionnaire", "screens.read")
_OF_SCREEN = (Screen.started_at, Screen.submitted_at, Screen.scored_at)
ALL: tuple[Kind, ...] = (
    Kind("Patient", "patients.read", Patient, telling.patients, beside=telling.WITH_NUMBERS),
    Kind(
        "Appointment",
        "appointments.read",
        Appointment,
        telling.visits,
        patient=Appointment.patient_id,
        changed=(Appointment.updated_at,),
        date=("date", Appointment.starts_at),
        statuses=_states(Appointment.state, visits.STATUSES),
    ),
    Kind(
        "QuestionnaireResponse",
        "screens.read",
        Screen,
        telling.responses,
        patient=Screen.patient_id,
        changed=_OF_SCREEN,
        date=("authored", Screen.submitted_at),
        statuses=_states(Screen.state, screens.RESPONSES),
    ),
    Kind(
        "Observation",
        "screens.read",
        Screen,
        telling.observations,
        conditions=(Screen.scored_at.is_not(None),),
        patient=Screen.patient_id,
        changed=_OF_SCREEN,
        date=("date", Screen.submitted_at),
        statuses={"final": Screen.scored_at.is_not(None)},
        code=screens.codes,
    ),
    Kind(
        "Communication",
        "messages.read",
        Message,
        telling.texts,
        # Staff's own alerts are no texts with patients.
        conditions=(Message.staff_id.is_(None), Message.patient_id.is_not(None)),
        patient=Message.patient_id,
        changed=(Message.created_at, Message.sent_at, Message.delivered_at, Message.emptied_at),
        date=("sent", Message.sent_at),
        statuses=_states(Message.state, texts.STATUSES),
    ),
    Kind(
        "Task",
        "tasks.read",
        Task,
        telling.tasks,
        conditions=(Task.item_id == InboxItem.id,),
        patient=InboxItem.patient_id,
        changed=(InboxItem.created_at, InboxItem.acknowledged_at, InboxItem.done_at),
        date=("authored-on", InboxItem.created_at),
        statuses=_task_states(),
    ),
    Kind(
        "Flag",
        "inbox.read",
        InboxItem,
        telling.flags,
        conditions=(InboxItem.kind == "safety", InboxItem.patient_id.is_not(None)),
        patient=InboxItem.patient_id,
        changed=(InboxItem.created_at, InboxItem.acknowledged_at, InboxItem.done_at),
        date=("date", InboxItem.created_at),
        statuses=_states(InboxItem.state, work.FLAGS),
    ),
    Kind(
        "ServiceRequest",
        "handoffs.read",
        Handoff,
        telling.requests,
        patient=Handoff.patient_id,
        changed=(Handoff.requested_at, Handoff.state_at, Handoff.ended_at, Handoff.contact_at),
        date=("authored", Handoff.requested_at),
        statuses=_states(Handoff.state, work.REQUESTS),
    ),
    Kind(
        "EpisodeOfCare",
        "episodes.read",
        Episode,
        telling.episodes,
        patient=Episode.patient_id,
        changed=(Episode.created_at, Episode.phase_at),
        date=("date", Episode.enrolled_on),
        statuses=_states(Episode.phase, care.STATUSES),
    ),
)
BY_TYPE: Mapping[str, Kind] = {kind.type: kind for kind in ALL}
