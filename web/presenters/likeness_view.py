"""Why a text may be a crisis though no word says so for sure: what weighed most, what it is like, what people say."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from config import clock, db
from messaging.inbox.models import InboxItem
from messaging.inbox.routing import topics
from messaging.models import Clinic, Message, Staff
from messaging.reading import likeness
from messaging.second_reading import keeping, verdicts
from messaging.second_reading.models import SecondReading
from web import team, times, words

# Where a crisis was read by its words, there is nothing to explain.
BY_LIKENESS = ("reader_high", "soft_confirmed")


@dataclass(frozen=True)
class Likeness:
    """What stands over a case. `says` is why, `asks` what is asked of the reader; the text is `before`, `span` (what
    weighed most, may be empty) and `after`; `near` the invented line most like it; `verdict` what was said of it.

    Each is empty where there is none. `choices` are what can be said: key, words, and what follows.
    """

    says: str
    asks: str
    band: str
    joined: str
    before: str
    span: str
    after: str
    near: str
    verdict: str
    choices: list[tuple[str, str, str]]


def read(session: Session, clinic: Clinic, item: InboxItem, colleagues: Mapping[UUID | None, Staff]) -> Likeness | None:
    """Return what is to be said of an item that likeness led to, None for any other."""
    may_be = item.kind == "safety" or topics.is_worry(item.reason) or topics.CALLED_NEITHER in item.reason
    reading = keeping.of_item(session, item) if may_be else None
    says = _says(reading) if reading else ""
    if reading is None or not says:
        return None
    text = _text(session, reading)
    begin, end = likeness.weighed_most(text) if reading.band in ("worry", "crisis") else (0, 0)
    return Likeness(
        says=says,
        asks=_asks(item, reading, clinic),
        band=_band(reading),
        joined=words.say("likeness", "joined") if reading.joined else "",
        before=text[:begin],
        span=text[begin:end],
        after=text[end:],
        near=likeness.nearest(text) or "" if text and reading.band in ("worry", "crisis") else "",
        verdict=_verdict(reading, colleagues, clinic),
        choices=_choices(item, reading),
    )


def _says(reading: SecondReading) -> str:
    if reading.acted == "worry":
        return words.say("worries", topics.of_worry(reading.reasons))
    sure = "sure_phrase" in reading.reasons
    by_likeness = (reason for reason in BY_LIKENESS if reason in reading.reasons and not sure)
    joined = words.say("likeness", "joined_sure") if reading.joined and sure else ""
    return next((words.say("likeness", reason) for reason in by_likeness), joined)


def _asks(item: InboxItem, reading: SecondReading, clinic: Clinic) -> str:
    """What is asked of whoever reads it; of what a colleague has called a crisis nothing but what an alarm asks."""
    if item.state == "done" or item.acknowledged_at is not None:
        return ""
    if reading.acted == "crisis":
        return words.say("likeness", "sent")
    until = times.moment(item.answer_by, clock.now(), clinic.zone, running=True)
    return words.say("likeness", "asks", until=until) if item.kind == "reply" else words.say("likeness", "unsent")


def _choices(item: InboxItem, reading: SecondReading) -> list[tuple[str, str, str]]:
    """What can be said: key, words and effect. What somebody has called a crisis is answered as an alarm."""
    if item.kind == "safety" and reading.verdict == "crisis":
        return []
    return [(key, words.say("verdicts", key), _effect(key, item)) for key in verdicts.VERDICTS]


def _band(reading: SecondReading) -> str:
    return words.say("likeness", "off") if reading.off else words.say("likeness_bands", reading.band or "none")


def _text(session: Session, reading: SecondReading) -> str:
    """The words that were read, in the order in which they were sent; empty where they are no longer kept."""
    ids = [UUID(each) for each in reading.joined] + [reading.message_id]
    said = select(Message).where(Message.id.in_(ids)).order_by(Message.created_at, Message.id)
    texts = list(session.scalars(said))
    db.load_keys(session, (text.key_id for text in texts))
    return "\n".join(text.body or "" for text in texts).strip()


def _verdict(reading: SecondReading, colleagues: Mapping[UUID | None, Staff], clinic: Clinic) -> str:
    if reading.verdict is None or reading.verdict_at is None:
        return ""
    who = team.name_of(colleagues, reading.verdict_by, otherwise="Somebody")
    at = times.moment(reading.verdict_at, clock.now(), clinic.zone, running=True)
    return words.say("likeness", "said", who=who, at=at, verdict=words.say("verdicts", reading.verdict).lower())


def _effect(key: str, item: InboxItem) -> str:
    """What follows from saying this; nothing where it is a safety item already."""
    return "" if item.kind == "safety" else words.say("verdict_effects", key)
