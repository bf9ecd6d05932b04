"""How a handoff goes, step by step: on its own pages, and in the case of a patient who has one."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from messaging.inbox.models import InboxItem
from messaging.models import Clinic
from reminders.handoff import machine
from reminders.models import Handoff
from web import times, words

# The steps of the strip, each with the moment that it has when it is done.
STRIP = (("asked", "requested_at"), ("accepted", "accepted_at"), ("told", "told_at"), ("arrived", "arrived_at"))


@dataclass(frozen=True)
class Step:
    """One step of the strip: its name, when it came, and minutes after the step before ("" until it has come)."""

    name: str
    at: str = ""
    took: str = ""
    past: bool = False
    now: bool = False


@dataclass(frozen=True)
class Going:
    """The handoff that a case shows: how it stands, step by step, and whether the item is about it (`own`)."""

    id: UUID
    state: str
    modality: str
    state_words: str
    strip: list[Step]
    own: bool


def of_case(session: Session, clinic: Clinic, item: InboxItem) -> Going | None:
    """Return the open handoff that an item is about, else the one that is under way for its patient."""
    table, _, row_id = item.about.partition(":")
    own = session.get(Handoff, UUID(row_id)) if table == "handoff" else None
    handoff = own if own is not None and own.state in machine.OPEN else None
    if handoff is None and item.patient_id is not None:
        now = select(Handoff).where(Handoff.patient_id == item.patient_id, Handoff.state.in_(machine.NOW))
        handoff = session.scalar(now.order_by(Handoff.requested_at).limit(1))
    if handoff is None:
        return None
    said = words.say("handoffs", handoff.state)
    return Going(handoff.id, handoff.state, handoff.modality, said, steps(handoff, clinic.zone), own=handoff is own)


def _ended(handoff: Handoff) -> datetime | None:
    """When it was over: of a referral after which somebody was in touch, when they were; that was seen later."""
    return handoff.contact_at if handoff.state == "contacted" else handoff.ended_at


def _by_how_they_meet(modality: str) -> list[tuple[str, str]]:
    return [(f"arrived_{modality}" if name == "arrived" else name, column) for name, column in STRIP]


def steps(handoff: Handoff, zone: str) -> list[Step]:
    """Return the steps of a handoff, those done with their time and the minutes since the step before."""
    referral = handoff.modality == "later"
    last = handoff.outcome if handoff.outcome in machine.ENDED else "contacted" if referral else "met"
    # Of a referral nobody is asked to come now: it is asked for, and somebody is in touch.
    named = [("asked", "requested_at")] if referral else _by_how_they_meet(handoff.modality)
    moments = [(name, getattr(handoff, column)) for name, column in named] + [(str(last), _ended(handoff))]
    done = [at for _, at in moments if at is not None]
    shown_steps, before = [], None
    for name, at in moments:
        # Somebody who was there before the next accepted has not waited for it: that took no time.
        took = times.length(max(at - before, timedelta())) if at is not None and before is not None else ""
        shown = times.time_of(at, zone) if at is not None else ""
        shown_steps.append(
            Step(words.say("handoff_steps", name), shown, took, at is not None, at is not None and at == done[-1])
        )
        before = at or before
    return shown_steps
