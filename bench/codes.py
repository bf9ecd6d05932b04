"""Patients' months reckoned a second on one core, minutes and codes, against a floor that only adds up the same
entries' lengths."""

import os
import random
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from caseload.codes import minutes, reckoning, tables
from caseload.codes.minutes import Entry
from caseload.months import Month, span

MONTHS = int(os.environ.get("BENCH_MONTHS", "100000"))
DIFFERENT = 2_000
# A care manager has some 75 patients; of a day's work for others only what is near matters.
MOST_ENTRIES, GOAL = 12, 10.0
MARCH = Month(2026, 3)
BOUNDS = span(MARCH, ZoneInfo("America/Chicago"))
MINUTE = timedelta(minutes=1)


def measure() -> str:
    """Reckon the months, as many different ones as there is time to make; return the line that tells."""
    cases = _cases()
    ours, floor = _seconds(_reckon, cases), _seconds(_added_up, cases)
    return (
        f"codes: {MONTHS} patient-months in {ours:.1f} s ({ours / MONTHS * 1e6:.0f} µs each, "
        f"{sum(len(entries) for entries, _ in cases) / len(cases):.1f} entries); goal {GOAL * MONTHS / 100_000:.1f} s: "
        f"{'ok' if ours <= GOAL * MONTHS / 100_000 else 'TOO SLOW'}; floor (lengths added up) {floor:.1f} s, "
        f"ratio {floor / ours:.3f}"
    )


def _cases() -> list[tuple[list[Entry], reckoning.Asked]]:
    chance = random.Random(20260301)
    return [(_entries(chance), _asked(chance)) for _ in range(DIFFERENT)]


def _entries(chance: random.Random) -> list[Entry]:
    """A month's calls, notes and reviews of two people, some at the same time, some for somebody else."""
    entries = []
    for _ in range(chance.randint(2, MOST_ENTRIES)):
        start = datetime(2026, 3, chance.randint(1, 28), chance.randint(14, 22), chance.randint(0, 59), tzinfo=UTC)
        length = timedelta(seconds=chance.randint(120, 2400))
        role: minutes.Role = "care_manager" if chance.random() < 0.9 else "consultant"
        entries.append(Entry(start, start + length, chance.choice("ab"), chance.choice(["", "", "", "q"]), role))
        if chance.random() < 0.2:
            entries.append(Entry(start + 3 * MINUTE, start + length + MINUTE, chance.choice("ab")))
    return entries


def _asked(chance: random.Random) -> reckoning.Asked:
    begun, day = BOUNDS[0], timedelta(days=1)
    stay = begun + chance.randint(1, 20) * day
    return reckoning.Asked(
        month=MARCH,
        bounds=minutes.Bounds(
            BOUNDS,
            consent_at=begun + chance.randint(-90, 5) * day,
            discharged_at=begun + 25 * day if chance.random() < 0.1 else None,
            away=((stay, stay + 3 * day),) if chance.random() < 0.1 else (),
        ),
        payer="medicare",
        tables=tables.payers()["medicare"],
        first_month=chance.random() < 0.2,
    )


def _reckon(entries: Sequence[Entry], asked: reckoning.Asked) -> object:
    return reckoning.reckon(entries, asked).count.excluded


def _added_up(entries: Sequence[Entry], _: reckoning.Asked) -> object:
    return sum((entry.end - entry.start for entry in entries), timedelta()) // MINUTE


def _seconds(
    work: Callable[[Sequence[Entry], reckoning.Asked], object], cases: Sequence[tuple[list[Entry], reckoning.Asked]]
) -> float:
    began = time.process_time()
    for number in range(MONTHS):
        work(*cases[number % len(cases)])
    return time.process_time() - began
