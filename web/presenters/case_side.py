"""What stands beside a conversation: what came before, who is here and who covers, forms that are out, calls."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from config import clock, db
from intake_links import links, scoring
from intake_links.models import IntakeLink
from messaging import contactability
from messaging.inbox import item_state, items, notes_and_calls
from messaging.inbox.models import Absence, InboxItem
from messaging.models import Clinic, Patient, Staff
from messaging.reachable import Reach
from web import times, words

EARLIER, FORMS = 5, 4
# A human's voice answers these; everything else asks for more than that somebody was reached.
SETTLED_BY_A_CALL = ("reply", "delivery")


@dataclass(frozen=True)
class Earlier:
    """An item before this one: what it was, how it ended and with whom."""

    id: UUID
    kind: str
    summary: str
    when: str
    ended: str


@dataclass(frozen=True)
class Form:
    """A form that was sent, and what has become of it. `names` are empty where they may not be read."""

    names: str
    sent: str
    state: str
    open: bool


@dataclass(frozen=True)
class Offered:
    """A form that can be sent: its id, its name for staff, how long it is, and whether one is open already."""

    id: str
    title: str
    questions: int
    taken: bool


@dataclass(frozen=True)
class Sending:
    """Whether and which forms can be sent: `refused` says why not, `open_since` that one is out already."""

    offered: list[Offered]
    open_since: str
    refused: str


@dataclass(frozen=True)
class Team:
    """Who is here: who covers the owner while away, until when, and who else is on duty."""

    away: str
    on_duty: list[str]


@dataclass(frozen=True)
class Follow:
    """What a logged call leads to.

    `act` is settle | acknowledge | retry | mark, `line` what marking would say of the number.
    """

    act: str
    words: str
    contact_id: UUID
    line: str


@dataclass(frozen=True)
class Beside:
    """What stands beside a conversation."""

    earlier: list[Earlier]
    team: Team
    forms: list[Form]
    sending: Sending | None


def read(
    session: Session,
    clinic: Clinic,
    item: InboxItem,
    patient: Patient | None,
    team: Mapping[UUID | None, Staff],
    *,
    readable: bool,
    reach: Reach,
) -> Beside:
    """Return what stands beside the case of `item`; `reach` is the patient's."""
    zone, sent = clinic.zone, sent_forms(session, patient) if patient else []
    return Beside(
        earlier(session, item, team, zone, readable=readable),
        who_is_here(session, clinic, team.get(item.owner_id), team, clock.now()),
        forms(sent, zone, readable=readable),
        sending(patient, zone, reach, sent) if patient and readable else None,
    )


def earlier(
    session: Session, item: InboxItem, team: Mapping[UUID | None, Staff], zone: str, *, readable: bool
) -> list[Earlier]:
    """Return the last five other items of the same patient or number."""
    same = [
        column == value
        for column, value in (
            (InboxItem.patient_id, item.patient_id),
            (InboxItem.conversation_id, item.conversation_id),
        )
        if value is not None
    ]
    if not same:
        return []
    others = session.scalars(
        select(InboxItem)
        .where(InboxItem.clinic_id == item.clinic_id, or_(*same), InboxItem.id != item.id)
        .order_by(InboxItem.created_at.desc(), InboxItem.id.desc())
        .limit(EARLIER)
    ).all()
    db.load_keys(session, (other.key_id for other in others))
    return [as_earlier(other, team, zone, readable=readable) for other in others]


def as_earlier(item: InboxItem, team: Mapping[UUID | None, Staff], zone: str, *, readable: bool) -> Earlier:
    """Return an item as it is told beside another one."""
    now = clock.now()
    return Earlier(
        id=item.id,
        kind=words.say("kinds", item.kind),
        summary=(words.one_line(item.summary) or words.say("keeping", "emptied")) if readable else "",
        when=times.day(item.created_at, now, zone),
        ended=_ended(item, team, now, zone),
    )


def _ended(item: InboxItem, team: Mapping[UUID | None, Staff], now: datetime, zone: str) -> str:
    done = items.dispositions().get(item.disposition or "", "")
    if item.state == "done" and item.done_at:
        who = team[item.done_by].name if item.done_by in team else "Somebody"
        return f"{done or 'Settled'}, {who}, {times.moment(item.done_at, now, zone, running=True)}"
    owner = team[item.owner_id].name if item.owner_id in team else "nobody yet"
    return f"{done}, still open with {owner}" if done else f"still open with {owner}"


def sent_forms(session: Session, patient: Patient) -> list[IntakeLink]:
    """Return the last forms sent to the patient, the latest first: one that is open is among them, as a newer one
    withdraws it."""
    query = select(IntakeLink).where(IntakeLink.patient_id == patient.id, links.WITH_QUESTIONS)
    return list(session.scalars(query.order_by(IntakeLink.created_at.desc(), IntakeLink.id.desc()).limit(FORMS)))


def forms(sent: Sequence[IntakeLink], zone: str, *, readable: bool) -> list[Form]:
    """Return what has become of each of the forms that were sent."""
    now = clock.now()
    listed = []
    for link in sent:
        live = links.is_open(link, now)
        state = link.state if live or link.state not in links.LIVE else "expired"
        at = {"answered": link.answered_at, "verified": link.verified_at}.get(state)
        when = f" {times.moment(at, now, zone, running=True)}" if at else ""
        names = titles(link.instruments) if readable else ""
        at_first = times.moment(link.created_at, now, zone)
        listed.append(Form(names, at_first, words.say("link_states", state) + when, live))
    return listed


def titles(instruments: Sequence[str]) -> str:
    """Return instruments by their names for staff."""
    definitions = scoring.instruments()
    return ", ".join(definitions[name].title if name in definitions else name for name in instruments)


def sending(patient: Patient, zone: str, reach: Reach, sent: Sequence[IntakeLink]) -> Sending:
    """Return which forms can be sent to the patient in their language, and why none can where that is so; `sent` are
    those that were."""
    now = clock.now()
    live = next((link for link in sent if links.is_open(link, now)), None)
    since = times.moment(live.created_at, now, zone, running=True) if live else ""
    taken = set(live.instruments) if live else set()
    offered = [
        Offered(instrument.id, instrument.title, len(instrument.items), instrument.id in taken)
        for instrument in scoring.instruments().values()
        if scoring.speaks(instrument, patient.language) and instrument.ages is None
    ]
    return Sending(offered, since, _refused(patient, reach))


def _refused(patient: Patient, reach: Reach) -> str:
    refused = contactability.refusal(reach.facts, "screening")
    if refused:
        return words.say("closed_forms", refused.key)
    return "" if patient.birth_date else words.say("refusals", "form_no_birth_date")


def who_is_here(
    session: Session, clinic: Clinic, owner: Staff | None, team: Mapping[UUID | None, Staff], now: datetime
) -> Team:
    """Return who covers the owner if they are away, and which care managers are on duty."""
    here = [
        colleague.name
        for colleague in team.values()
        if colleague.active
        and colleague.role == "care_manager"
        and (owner is None or colleague.id != owner.id)
        and times.on_duty(colleague.hours, now, clinic.zone) is not None
    ]
    return Team(_away(session, clinic, owner, team, now) if owner else "", here)


def _away(session: Session, clinic: Clinic, owner: Staff, team: Mapping[UUID | None, Staff], now: datetime) -> str:
    absence = session.scalar(
        select(Absence)
        .where(
            Absence.clinic_id == clinic.id,
            Absence.staff_id == owner.id,
            Absence.starts_at <= now,
            Absence.ends_at > now,
            Absence.ended_at.is_(None),
        )
        .order_by(Absence.starts_at.desc())
        .limit(1)
    )
    if absence is None:
        return ""
    until = times.until(absence.ends_at, now, clinic.zone)
    cover = team.get(absence.cover_id)
    covering = f"{cover.name} covers" if cover else "nobody covers by name"
    return f"{owner.name} is away until {until}; {covering}"


def follow(session: Session, item: InboxItem, zone: str) -> Follow | None:
    """Return what the last call logged on an open item leads to, if it leads anywhere. Nothing closes by itself."""
    call = notes_and_calls.last_call(session, item) if item.state != "done" else None
    if call is None or call.outcome is None:
        return None
    outcome = notes_and_calls.outcomes().get(call.outcome, call.outcome)
    summary = f"{outcome}, {times.moment(call.at, clock.now(), zone, running=True)}"
    line = notes_and_calls.LINES.get(call.outcome, "")
    if line:
        return Follow("mark", summary, call.id, line) if item.patient_id else None
    if item_state.is_owed(item):
        return Follow("acknowledge" if call.outcome == "reached" else "retry", summary, call.id, "")
    if call.outcome == "reached" and item.kind in SETTLED_BY_A_CALL:
        return Follow("settle", summary, call.id, "")
    return None
