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
    those with a first contact of those that were owed one and whose days are over.
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


@dataclass(frozen=True)
class Report:
    """The handoffs of a span: warm ones and the others, and the warm ones by what BY names, the most first."""

    warm: Figures
    later: Figures
    by: dict[str, list[tuple[str, Figures]]]


def report(session: Session, clinic: messaging.Clinic, begins: datetime, ends: datetime) -> Report:
    """Return how the handoffs went that were asked for from `begins` on and before `ends`."""
    asked = select(Handoff).where(
        Handoff.clinic_id == clinic.id, Handoff.requested_at >= begins, Handoff.requested_at < ends
    )
    rows = session.scalars(asked.order_by(Handoff.requested_at).limit(MOST)).all()
    db.load_keys(session, {row.key_id for row in rows if row.key_id})
    warm = [row for row in rows if row.modality != "later"]
    place = ZoneInfo(clinic.zone)
    keys: dict[str, Callable[[Handoff], Iterable[str]]] = {
        "site": lambda row: [row.site or ""],
        "hour": lambda row: [f"{row.requested_at.astimezone(place).hour:02}"],
        "requester": lambda row: [row.requested_by],
        "reason": lambda row: telling.reason_keys(row) or [""],
    }
    now = clock.now()
    by = {name: _grouped(warm, keys[name], now, by_key=name == "hour") for name in BY}
    return Report(figures(warm, now), figures([row for row in rows if row.modality == "later"], now), by)


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
        minutes={name: _median(rows, *span) for name, span in SPANS.items()},
    )


def _median(rows: Sequence[Handoff], first: str, then: str) -> float | None:
    moments = [(getattr(row, first), getattr(row, then)) for row in rows]
    # Who was told, or was there, before somebody else accepted has not waited for that: it is no time of theirs.
    spans = [(later - at).total_seconds() / 60 for at, later in moments if at and later and later >= at]
    return statistics.median(spans) if spans else None
