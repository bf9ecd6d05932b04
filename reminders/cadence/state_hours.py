"""The stricter hours of some states, read from their table."""

import tomllib
from datetime import time
from functools import cache
from pathlib import Path

from messaging.weekdays import WEEKDAYS
from reminders.rules import hours

FILE = Path(__file__).parents[1] / "texts" / "quiet_hours.toml"


@cache
def by_state() -> dict[str, hours.OpenHours]:
    """Return the hours in which a state lets a business text, by its two letters,
    for states stricter than the law of all."""
    read = tomllib.loads(FILE.read_text(encoding="utf-8"))
    return {state: _hours(days) for state, days in read.items()}


def _hours(days: dict[str, list[str]]) -> hours.OpenHours:
    windows = {day: (time.fromisoformat(opens), time.fromisoformat(closes)) for day, (opens, closes) in days.items()}
    return hours.OpenHours(
        *windows["every_day"],
        {WEEKDAYS.index(day): window for day, window in windows.items() if day != "every_day"},
    )
