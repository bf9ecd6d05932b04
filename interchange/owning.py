"""Two EHRs that both have one visit: when two entries are one visit, and which of them says how it stands (pure).

An entry says a start from one message to the next of its own clock (MSH-7); a cancellation ends it and a missed visit
too, and what only changes a visit that has ended does not begin it again. Two entries of one patient are one visit if
at some moment both said the same start, five minutes more or less: an entry that lags behind still belongs to its
visit, and one that is booked at an hour which the other has long left does not. Whichever message comes first, the
spans are the same, and with them the answer.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

# Of how many messages of a visit one entry remembers what they said.
MOST = 50
# How far apart two EHRs may begin one visit: one of them rounds, or counts from when the patient is to be there.
ALIKE = timedelta(minutes=5)
EVER = datetime.max.replace(tzinfo=UTC)
NEVER = (None, False)
# Since when, which start in ISO 8601 or none, and whether the visit has ended by it: None where that stays as it was.
Claim = Sequence[Any]


@dataclass(frozen=True)
class Span:
    """From when to when an entry said this start."""

    start: str
    since: datetime
    until: datetime


def with_claim(claims: Sequence[Claim], at: datetime, start: datetime | None, *, ended: bool | None) -> list[Claim]:
    """Return an entry's claims with one more; of two of one second the later to come counts."""
    added = (at.isoformat(), start.isoformat() if start else None, ended)
    return sorted([*claims, added], key=lambda claim: datetime.fromisoformat(claim[0]))[-MOST:]


def settled(claims: Sequence[Claim]) -> tuple[datetime | None, bool]:
    """Return since when it is settled whether the visit stands, None if never, and whether it has ended by it."""
    return next(((datetime.fromisoformat(at), ended) for at, _, ended in reversed(claims) if ended is not None), NEVER)


def newest_start(claims: Sequence[Claim]) -> datetime | None:
    """Return the start that the newest claim which names one says."""
    return next((datetime.fromisoformat(start) for _, start, _ in reversed(claims) if start), None)


def spans(claims: Sequence[Claim]) -> Iterator[Span]:
    """Yield the spans of an entry."""
    said, since, gone = None, EVER, False
    for at_text, named, ended in claims:
        gone = gone if ended is None else bool(ended)
        if gone and ended is None:
            continue
        at, start = datetime.fromisoformat(at_text), named or said
        if said and start != said:
            yield Span(said, since, at)
        if start and start != said:
            said, since = start, at
        if ended and said:
            yield Span(said, since, at)
            said = None
    if said:
        yield Span(said, since, EVER)


def is_one(ours: Sequence[Claim], theirs: Sequence[Claim]) -> bool:
    """Whether two entries of one patient are one visit."""
    return any(
        begin_alike(datetime.fromisoformat(own.start), datetime.fromisoformat(other.start))
        and max(own.since, other.since) <= min(own.until, other.until)
        for own in spans(ours)
        for other in spans(theirs)
    )


def begin_alike(start: datetime, other: datetime) -> bool:
    """Whether two starts are one, as two EHRs write them."""
    return abs(start - other) <= ALIKE


def rank(profile: Mapping[str, Any], feed_id: UUID) -> tuple[bool, UUID]:
    """Return what feeds are sorted by: whose profile owns visits comes first, then who was added first."""
    return not profile.get("owns_visits", False), feed_id
