"""How handoffs went on the whole: accepted, how long each step took, who was met; and referrals that were not warm."""

import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from config import clock, db
from messaging import models as messaging
from reminders.handoff import telling
from reminders.models import Handoff

# What is measured: from one moment of a handoff to another.
SPANS = {
    "accepted": ("requested_at", "accepted_at"),
    "told": ("accepted_at", "told_at"),
    "arrived": ("told_at", "arrived_at"),
    "met": ("requested_at", "met_at"),
}
BY = ("site", "hour", "requester", "reason")
MOST = 20_000


@dataclass(frozen=True)
class Figures:
    """Some handoffs counted: asked for, met, lost, taken back, still open; medians in minutes.

    `accepted` counts those that ended of which somebody had said yes, and that were not taken back. `contacted` counts
    those with a first contact of those that were owed one and whose days are over. `in_touch` are those that ended and
    were met, or reached afterwards, and `until_in_touch` the median of minutes until then: warm or not.
    """

    asked: int
    accepted: int
    met: int
    lost: int
    cancelled: int
    open: int
    owed: int
    contacted: int
    minutes: dict[str, float | None]
    in_touch: int
    until_in_touch: float | None

    @property
    def counting(self) -> int:
        """Those that have ended and were not taken back: what shares are of."""
        return self.asked - self.cancelled - self.open

    @property
    def acceptance(self) -> float | None:
        """The share of those that ended that somebody had accepted."""
        return self.accepted / self.counting if self.counting else None

    @property
    def show_rate(self) -> float | None:
        """The share of those that ended in which patient and colleague met."""
        return self.met / self.counting if self.counting else None

    @property
    def touch_rate(self) -> float | None:
        """The share of those that ended of which somebody was in touch with the patient, then or afterwards."""
        return self.in_touch / self.counting if self.counting else None


@dataclass(frozen=True)
class Report:
    """The handoffs of a span: warm ones and the others, and each of both by what BY names, the most first."""

    warm: Figures
    later: Figures
    by: dict[str, list[tuple[str, Figures]]]
    later_by: dict[str, list[tuple[str, Figures]]]


def report(session: Session, clinic: messaging.Clinic, begins: datetime, ends: datetime) -> Report:
    """Return how the handoffs went that were asked for from `begins` on and before `ends`."""
    asked = select(Handoff).where(
        Handoff.clinic_id == clinic.id, Handoff.requested_at >= begins, Handoff.requested_at < ends
    )
    rows = session.scalars(asked.order_by(Handoff.requested_at).limit(MOST)).all()
    db.load_keys(session, {row.key_id for row in rows if row.key_id})
    warm, later = [row for row in rows if row.modality != "later"], [row for row in rows if row.modality == "later"]
    place = ZoneInfo(clinic.zone)
    keys: dict[str, Callable[[Handoff], Iterable[str]]] = {
        "site": lambda row: [row.site or ""],
        "hour": lambda row: [f"{row.requested_at.astimezone(place).hour:02}"],
        "requester": lambda row: [row.requested_by],
        "reason": lambda row: telling.reason_keys(row) or [""],
    }
    now = clock.now()
    by, later_by = (
        {name: _grouped(some, keys[name], now, by_key=name == "hour") for name in BY} for some in (warm, later)
    )
    return Report(figures(warm, now), figures(later, now), by, later_by)


def _grouped(
    rows: Sequence[Handoff], keys: Callable[[Handoff], Iterable[str]], now: datetime, *, by_key: bool
) -> list[tuple[str, Figures]]:
    groups: dict[str, list[Handoff]] = {}
    for row in rows:
        for key in keys(row):
            groups.setdefault(key, []).append(row)
    counted = [(key, figures(group, now)) for key, group in sorted(groups.items())]
    return counted if by_key else sorted(counted, key=lambda entry: -entry[1].asked)


def figures(rows: Sequence[Handoff], now: datetime) -> Figures:
    """Count these handoffs."""
    ended = [row for row in rows if row.ended_at is not None and row.outcome != "cancelled"]
    touched = [(row.requested_at, at) for row in ended if (at := row.met_at or row.contact_at)]
    owed = [row for row in rows if row.contact_by is not None and (row.contact_by <= now or row.contact_at)]
    return Figures(
        asked=len(rows),
        accepted=sum(row.accepted_at is not None for row in ended),
        met=sum(row.met_at is not None for row in rows),
        lost=sum(row.outcome in ("left", "lost") for row in rows),
        cancelled=sum(row.outcome == "cancelled" for row in rows),
        open=sum(row.ended_at is None for row in rows),
        owed=len(owed),
        contacted=sum(row.contact_at is not None for row in owed),
        minutes={
            name: _median((getattr(row, first), getattr(row, then)) for row in rows)
            for name, (first, then) in SPANS.items()
        },
        in_touch=len(touched),
        until_in_touch=_median(touched),
    )


def _median(moments: Iterable[tuple[datetime | None, datetime | None]]) -> float | None:
    # Who was told, or was there, before somebody else accepted has not waited for that: it is no time of theirs.
    spans = [(later - at).total_seconds() / 60 for at, later in moments if at and later and later >= at]
    return statistics.median(spans) if spans else None
