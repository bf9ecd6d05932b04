"""How often a delivery is tried, what becomes of an endpoint that never answers: the rules of schedule.toml. Pure."""

import tomllib
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from importlib import resources


@dataclass(frozen=True)
class Schedule:
    """The rules. `tries` are spans after the first try, the others as in the file."""

    tries: tuple[timedelta, ...]
    jitter: float
    closest: timedelta
    slow_down: frozenset[int]
    slow_down_for: timedelta
    longest_hold: timedelta
    notices: tuple[timedelta, ...]
    off_after: timedelta
    off_failures: int
    kept: timedelta
    rotation: timedelta

    def next_try(self, first: datetime, attempts: int, now: datetime, chance: float) -> datetime | None:
        """Return when a delivery that failed `attempts` times is tried again, None if never.

        `first` is when it was tried first, `chance` a random number in 0..1.
        """
        if attempts >= len(self.tries):
            return None
        moved = self.tries[attempts] * (1 + self.jitter * (2 * chance - 1))
        return max(first + moved, now + self.closest * (1 + self.jitter * chance))

    def hold(self, status: int | None, retry_after: int | None, now: datetime) -> datetime | None:
        """Return until when an endpoint is left alone that answered `status`, None if it did not ask for it.

        `retry_after` is the header's value in seconds, None where there was none.
        """
        if status not in self.slow_down:
            return None
        asked = self.slow_down_for if retry_after is None else timedelta(seconds=retry_after)
        return now + min(asked, self.longest_hold)

    def notices_due(self, failing_since: datetime, now: datetime) -> int:
        """Return how many notices administrators should have got of an endpoint that fails since then."""
        return sum(now - failing_since >= after for after in self.notices)

    def is_off(self, failing_since: datetime, failures: int, now: datetime) -> bool:
        """Whether an endpoint that has failed so long and so often is switched off."""
        return now - failing_since >= self.off_after and failures >= self.off_failures


@cache
def shipped() -> Schedule:
    """Return the rules of schedule.toml."""
    told = tomllib.loads(resources.files("messaging.event_webhooks").joinpath("schedule.toml").read_text("utf-8"))
    return Schedule(
        tries=tuple(timedelta(minutes=after) for after in told["tries"]),
        jitter=told["jitter"],
        closest=timedelta(seconds=told["closest"]),
        slow_down=frozenset(told["slow_down"]),
        slow_down_for=timedelta(seconds=told["slow_down_seconds"]),
        longest_hold=timedelta(seconds=told["longest_hold_seconds"]),
        notices=tuple(timedelta(hours=after) for after in told["notice_hours"]),
        off_after=timedelta(hours=told["off_hours"]),
        off_failures=told["off_failures"],
        kept=timedelta(days=told["kept_days"]),
        rotation=timedelta(hours=told["rotation_hours"]),
    )
