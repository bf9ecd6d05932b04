"""One case as it is read from the top: why it is here and until when, what was said or scored, what can be done."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from config import audit, clock, db
from intake_links.models import Screen
from messaging import number_owner
from messaging.inbox import item_state, items, notes_and_calls
from messaging.inbox.models import InboxItem, ItemEvent
from messaging.inbox.routing import topics
from messaging.models import Clinic, Conversation, Patient, Staff
from web import team, times, words
from web.presenters import (
    assignment,
    case_reasons,
    case_side,
    case_words,
    composer,
    conversation_view,
    handoff_strip,
    item_marks,
    kit_view,
    known,
    likeness_view,
    patient_view,
    screen_history,
    screen_view,
    short_names,
    task_view,
    thread_view,
)


@dataclass(frozen=True)
class Line:
    """One line of an item's history."""

    at: str
    words: str


@dataclass(frozen=True)
class Case:
    """Everything the page of one item says; words of the patient are empty where they may not be read."""

    id: UUID
    kind: str
    kind_words: str
    name: str
    mark: times.Mark | None
    due: str
    state: str
    owner: str | None
    owner_id: UUID | None
    mine: bool
    role: str
    why: list[str]
    came: str
    heading: str
    quote: str | None
    notice: bool
    acknowledged: str | None
    settled: str | None
    needs_acknowledgement: bool
    pronoun: str
    patient: patient_view.Person | None
    sharing: list[tuple[UUID, str]]
    screen: screen_view.ScreenView | None
    screen_is_the_item: bool
    conversation_id: UUID | None
    thread: conversation_view.Page
    last_seen: UUID | None
    composer: composer.Composer
    history: list[Line]
    colleagues: list[tuple[UUID, str]]
    roles: list[tuple[str, str]]
    handoff: handoff_strip.Going | None
    route: list[assignment.Step]
    aside: case_side.Beside
    follow: case_side.Follow | None
    merged: bool
    kit: kit_view.Kit | None
    caption: str
    beside: case_reasons.Reasons
    likeness: likeness_view.Likeness | None
    asked: task_view.Asked | None
    pinned: list[thread_view.Fact]
    people: list[tuple[UUID, str, str]]
    once: UUID = field(default_factory=db.new_id)


def find(session: Session, clinic: Clinic, item_id: UUID, *, lock: bool = False) -> InboxItem | None:
    """Return the clinic's own item, None for another clinic's."""
    item = session.get(InboxItem, item_id, with_for_update=True) if lock else session.get(InboxItem, item_id)
    return item if item is not None and item.clinic_id == clinic.id else None


def read(
    session: Session,
    clinic: Clinic,
    staff: Staff,
    item: InboxItem,
    events: Sequence[ItemEvent],
    whom: known.Known,
    *,
    readable: bool,
    named: bool = True,
    before: str | None = None,
) -> Case:
    """Return the case of `item` for `staff`; without `readable` what was said stays closed, without `named` who it is.

    `events` are its history, `whom` it is about; `before` is the cursor of an earlier page of the conversation.
    """
    now, zone, patient, conversation = clock.now(), clinic.zone, whom.patient, whom.conversation
    colleagues = team.everyone(session, clinic.id)
    screen, is_the_item = _screen(session, item, patient, zone) if readable else (None, False)
    owed = _owed(session, clinic, staff, item, whom, readable, named=named)
    thread, below = conversation_view.Thread(conversation, patient, item.id), case_reasons.leads(item, owed["beside"])
    page = conversation_view.page(session, clinic, staff, thread, before, below=below) if readable else None
    history = [(event, _event(event, colleagues)) for event in events]
    return Case(
        **_standing(clinic, item, patient, conversation, colleagues, staff, named=named),
        **_first_words(session, item, screen if is_the_item else None, readable),
        sharing=case_words.sharing(session, clinic, conversation) if patient is None and named else [],
        screen=screen,
        screen_is_the_item=is_the_item,
        thread=page or conversation_view.NOTHING,
        last_seen=whom.newest,
        composer=composer.composer(session, conversation, patient, whom.reach, topics.language(item.reason)),
        history=[Line(times.moment(event.at, now, zone), line) for event, line in history],
        handoff=handoff_strip.of_case(session, clinic, item),
        route=assignment.explain(session, clinic, item, patient, colleagues.get(item.owner_id), history, now),
        aside=case_side.read(session, clinic, item, patient, colleagues, readable=readable, reach=whom.reach),
        likeness=likeness_view.read(session, clinic, item, colleagues) if readable else None,
        merged=patient is not None and number_owner.merged(events),
        **owed,
    )


def _person(
    session: Session, clinic: Clinic, patient: Patient, whom: known.Known, *, named: bool
) -> patient_view.Person:
    person = patient_view.person(session, clinic, patient, whom.reach, whom.open_hours)
    return person if named else patient_view.unnamed(person, short_names.initials(patient))


def _owed(
    session: Session,
    clinic: Clinic,
    staff: Staff,
    item: InboxItem,
    whom: known.Known,
    readable: bool,
    *,
    named: bool,
) -> dict[str, Any]:
    """Return the fields that say who it is beyond doubt, and what else is owed."""
    patient = whom.patient
    return {
        "patient": _person(session, clinic, patient, whom, named=named) if patient else None,
        "beside": case_reasons.read(session, clinic, staff, item, readable=readable),
        "kit": kit_view.read(session, clinic, patient, clinical=readable, item=item) if patient and named else None,
        "asked": task_view.asked(session, clinic, staff, item) if readable or patient is None else None,
        "follow": case_side.follow(session, item, clinic.zone) if readable else None,
        "pinned": thread_view.pinned(session, clinic, item.patient_id) if readable else [],
    }


def _standing(
    clinic: Clinic,
    item: InboxItem,
    patient: Patient | None,
    conversation: Conversation | None,
    team: dict[UUID | None, Staff],
    staff: Staff,
    *,
    named: bool,
) -> dict[str, Any]:
    """Return the fields that say who and what it is, whose, until when, and what was said about it."""
    now, zone = clock.now(), clinic.zone
    return {
        "id": item.id,
        "kind": item.kind,
        "kind_words": item_marks.kind_words(item),
        "notice": item_marks.is_notice(item),
        "why": why(item.reason),
        "colleagues": _colleagues(team, item),
        "people": thread_view.may_be_mentioned(team, staff),
        "roles": _roles(item),
        "name": _name(patient, named=named) if patient else short_names.of_nobody(item.kind, conversation),
        "mark": item_marks.mark(item, now, zone),
        "due": times.moment(item.answer_by, now, zone, running=True),
        "state": item.state,
        "owner": team[item.owner_id].name if item.owner_id in team else None,
        "owner_id": item.owner_id,
        "mine": item.owner_id == staff.id,
        "role": items.words()["roles"].get(item.role or "", ""),
        "came": times.moment(item.created_at, now, zone, running=True),
        "acknowledged": _said(item, item.acknowledged_at, item.acknowledged_by, team, zone),
        "settled": _said(item, item.done_at, item.done_by, team, zone),
        "needs_acknowledgement": item_state.is_owed(item),
        "pronoun": case_words.pronoun(patient),
        "caption": case_words.caption(item, patient),
        "conversation_id": conversation.id if conversation else None,
    }


def _name(patient: Patient, *, named: bool) -> str:
    return patient_view.full_name(patient) if named else short_names.initials(patient)


def why(reasons: Sequence[str]) -> list[str]:
    """Return the reasons of a routing in words, such as "panel:Dr Lindqvist"."""
    return [assignment.reason_words(reason) for reason in reasons]


def _colleagues(team: dict[UUID | None, Staff], item: InboxItem) -> list[tuple[UUID, str]]:
    now_able = [
        colleague for colleague in team.values() if colleague.active and colleague.role in ("care_manager", "clinician")
    ]
    return [(colleague.id, colleague.name) for colleague in now_able if colleague.id != item.owner_id]


def _roles(item: InboxItem) -> list[tuple[str, str]]:
    """The roles to whose inbox the item can be given; the front desk reads nothing that may be clinical."""
    ours = item.kind == "reply" and topics.may_go_to_the_desk(item.reason)
    fits = [role for role in topics.ROLES if role != item.role and (role != topics.FRONT_DESK or ours)]
    return [(role, items.words()["roles"][role]) for role in fits]


def _screen(
    session: Session, item: InboxItem, patient: Patient | None, zone: str
) -> tuple[screen_view.ScreenView | None, bool]:
    """The screen the item is about, else the last one of the patient; and whether it is the item's own."""
    if patient is None:
        return None, False
    table, _, row_id = item.about.partition(":")
    own = session.get(Screen, UUID(row_id)) if table == "screen" else None
    screen = own or screen_history.latest(session, patient)
    return screen_view.view(session, screen, patient, zone) if screen else None, own is not None


def _first_words(
    session: Session, item: InboxItem, screen: screen_view.ScreenView | None, readable: bool
) -> dict[str, Any]:
    """Return the heading, and the words of the text that the item is about, which it does not repeat."""
    quote = case_words.quote(session, item) if readable else None
    return {"heading": _heading(item, screen, quote, readable), "quote": quote}


def _heading(item: InboxItem, screen: screen_view.ScreenView | None, quote: str | None, readable: bool) -> str:
    if not readable and not item_marks.is_notice(item):
        return words.say("kinds", item.kind)
    if item.kind == "safety" and screen is not None and screen.alerts:
        return screen.alerts[0]
    if item.kind == "safety" and quote:
        return case_words.before(quote, item.summary or "") or words.say("kinds", item.kind)
    return words.one_line(item.summary) or words.say("kinds", item.kind)


def _said(
    item: InboxItem, at: datetime | None, by: UUID | None, team: dict[UUID | None, Staff], zone: str
) -> str | None:
    """Who said what was done, and when; None where nobody has."""
    if at is None:
        return None
    who = team[by].name if by in team else "Somebody"
    done = items.dispositions().get(item.disposition or "", "")
    return f"{who}, {times.moment(at, clock.now(), zone, running=True)}: {done}"


def _event(event: ItemEvent, colleagues: dict[UUID | None, Staff]) -> str:
    detail, name = event.detail, partial(team.name_of, colleagues, otherwise=words.say("history", "service"))
    recipients = detail.get("told") or [staff_id for staff_id in (detail.get("to"), detail.get("staff")) if staff_id]
    return words.say(
        "events",
        event.event,
        role=items.words()["roles"].get(str(detail.get("role")), ""),
        outcome=notes_and_calls.outcomes().get(str(detail.get("outcome")), "").lower(),
        who=name(audit.Actor(event.actor).staff_id),
        to=" and ".join(name(staff_id) for staff_id in recipients) or "nobody",
        disposition=items.dispositions().get(str(detail.get("disposition")), "").lower(),
        line=str(detail.get("line", "")),
        how=words.table_of("on_it_ways").get(str(detail.get("how")), ""),
        why=" · ".join(why(detail.get("why", []))) or "nobody fitted",
    )
