"""A warm handoff's life: what leads from which state to which, how long each may last, and what follows then. Pure.

Nobody is forgotten: each state ends, or has a moment at which something follows, or rests with a named human, to whom
an item was brought that escalates by itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from reminders.handoff.terms import Terms

# Nobody has said yes so far; somebody is on their way; somebody has taken it on and it has not ended.
WAITING = ("asked", "offered")
COMING = ("accepted", "told")
TAKEN_ON = (*COMING, "arrived")
# What waits for people now; a referral for another day is open beside these.
NOW = (*WAITING, *TAKEN_ON)
OPEN = (*NOW, "referred")
# How it ended as a colleague says it; `contacted` is a referral after which somebody was in touch.
OUTCOMES = ("met", "scheduled", "declined", "left")
ENDED = (*OUTCOMES, "lost", "cancelled", "contacted")
# After these somebody must still be in touch with the patient within the clinic's days.
OWED_CONTACT = ("scheduled", "left", "lost")
# It ended without a meeting that anybody agreed to forgo: a patient who is here after all is met after all.
MISSED = ("left", "lost", "cancelled")
MODALITIES = ("in_person", "video", "call", "later")

_ENDINGS: Mapping[str, str] = {outcome: outcome for outcome in (*OUTCOMES, "cancelled", "lost")}
# state -> event -> state. What stands in no row does not happen.
LEADS: Mapping[str, Mapping[str, str]] = {
    "asked": {"offer": "offered", "nobody": "asked", "accept": "accepted", **_ENDINGS},
    "offered": {"offer": "offered", "nobody": "asked", "accept": "accepted", **_ENDINGS},
    "accepted": {"tell": "told", "arrive": "arrived", "release": "asked", **_ENDINGS},
    "told": {"arrive": "arrived", "untold": "accepted", "release": "asked", **_ENDINGS},
    "arrived": {"release": "asked", **_ENDINGS},
    "referred": {"contact": "contacted", **_ENDINGS},
    **{state: {"return": "arrived"} for state in MISSED},
}
BETWEEN_STEPS = timedelta(minutes=3)
# Where nobody was left to be asked, it is looked again this often whether somebody is by now.
LOOK_AGAIN = timedelta(minutes=1)
# How often a colleague is asked how it ended: after that it rests with them, by an item that escalates.
_ASKED_ONCE = 1


class NotOpen(Exception):
    """The handoff is not in a state for this: somebody else has accepted it, or it has ended."""


@dataclass(frozen=True)
class Standing:
    """Where a handoff stands: its state, how often its time has run out in it (`stage`), since when (`at`).

    `start_at` is when the colleague comes or calls, `leaves_at` until when the patient is taken to be in the building,
    `contact_by` until when a referral must have been followed by a contact. Moments are aware.
    """

    state: str
    at: datetime
    leaves_at: datetime
    stage: int = 0
    modality: str = "in_person"
    urgent: bool = False
    start_at: datetime | None = None
    contact_by: datetime | None = None


@dataclass(frozen=True)
class Step:
    """What follows at which moment, unless somebody acts before.

    next (ask the next colleague) | look (whether somebody can be asked by now) | nudge (one kind text) | warn (an item,
    before they leave) | call (instead of a video) | ask (the colleague, how it ended) | contact (see whether anybody
    was in touch) | lose
    """

    follows: str
    at: datetime


def after(standing: Standing, event: str, at: datetime) -> Standing:
    """Return where an event leads. Raises NotOpen for one that does not happen in this state."""
    leads = LEADS.get(standing.state, {}).get(event)
    if leads is None:
        raise NotOpen(standing.state)
    return replace(standing, state=leads, at=at, stage=0)


def ran_out(standing: Standing, step: Step, at: datetime) -> Standing:
    """Return where it stands after the time of a step has come; asking the next colleague is the caller's."""
    if step.follows == "lose":
        return after(standing, "lost", at)
    if step.follows == "call":
        return replace(standing, modality="call", start_at=at, at=at, stage=0)
    if step.follows == "contact" and standing.state == "referred":
        return replace(after(standing, "lost", at), stage=1)  # nobody was in touch, which is asked once
    return replace(standing, stage=standing.stage + 1, at=at)


def follows(standing: Standing, terms: Terms) -> Step | None:
    """Return what follows next and when, None where it is over or only a human moves it."""
    if standing.state in OPEN:
        return _STEPS[standing.state](standing, terms)
    if standing.state in OWED_CONTACT and standing.contact_by is not None and standing.stage == 0:
        return Step("contact", standing.contact_by)
    return None


def _asked(standing: Standing, _terms: Terms) -> Step:
    look = standing.at + LOOK_AGAIN
    return Step("look", look) if look < standing.leaves_at else Step("lose", max(standing.leaves_at, look))


def _offered(standing: Standing, terms: Terms) -> Step:
    return Step("next", standing.at + terms.patience(urgent=standing.urgent))


def _coming(standing: Standing, terms: Terms) -> Step | None:
    expected = max(standing.start_at or standing.at, standing.at)
    if standing.modality == "video":
        return Step("call", expected + timedelta(minutes=terms.call_after))
    if standing.modality != "in_person":
        return _how_it_ended(standing, expected + timedelta(minutes=terms.outcome))
    if standing.stage == 0:
        return Step("nudge", expected + timedelta(minutes=terms.arrive))
    if standing.stage == 1:
        before = standing.leaves_at - timedelta(minutes=terms.leaving)
        return Step("warn", max(before, standing.at + BETWEEN_STEPS))
    return Step("lose", max(standing.leaves_at, standing.at + BETWEEN_STEPS))


def _arrived(standing: Standing, terms: Terms) -> Step | None:
    return _how_it_ended(standing, standing.at + timedelta(minutes=terms.outcome))


def _how_it_ended(standing: Standing, at: datetime) -> Step | None:
    return Step("ask", at) if standing.stage < _ASKED_ONCE else None


def _referred(standing: Standing, _terms: Terms) -> Step:
    return Step("contact", standing.contact_by or standing.at)


_STEPS = {
    "asked": _asked,
    "offered": _offered,
    "accepted": _coming,
    "told": _coming,
    "arrived": _arrived,
    "referred": _referred,
}
