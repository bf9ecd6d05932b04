"""Reads a row of a registry that was kept in a spreadsheet as an episode, or says in words what is wrong with it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from zoneinfo import ZoneInfo

from caseload.registry import progress
from config import clock
from intake_links import scoring
from messaging.models import Clinic
from reminders.imports import dates, faults, records
from reminders.imports.faults import WrongRow

KIND, EARLIEST = "caseload", date(2000, 1, 1)
A_DAY = "expected a date such as 2026-03-10 or 3/10/2026"


@dataclass(frozen=True)
class EpisodeRow:
    """An episode as a row has it: whose by record number, else by name and birth date; colleagues by name or address.

    `points` are the first and the last total of `scale`, as far as they stand there.
    """

    record: str
    name: str
    birth_date: date | None
    enrolled_on: date
    consent: str
    consent_on: date
    manager: str
    clinician: str
    consultant: str
    payer: str
    scale: str
    points: tuple[progress.Point, ...]
    phase: str
    plan_on: date | None
    check_on: date | None
    ended_on: date | None
    end_reason: str | None


def read(values: Mapping[str, str], clinic: Clinic) -> EpisodeRow:
    """Read an episode. Raises WrongRow, which names each column that is wrong."""
    today = clock.now().astimezone(ZoneInfo(clinic.zone)).date()
    enrolled_on = partial(_enrolled_on, values, today)
    end = partial(_end, values, enrolled_on, today)
    scale = partial(_scale, values)
    fields = faults.every(
        {
            "whose": lambda: _whose(values),
            "enrolled_on": enrolled_on,
            "told": lambda: _told(values),
            "consent": lambda: _word(values, "consent"),
            "consent_on": lambda: _consent_on(values, enrolled_on, today),
            "manager": lambda: records.needed(values, "manager", 200),
            "clinician": lambda: records.needed(values, "clinician", 200),
            "consultant": lambda: records.text(values, "consultant", 200),
            "payer": lambda: _word(values, "payer"),
            "scale": scale,
            "points": lambda: _points(values, scale, enrolled_on, lambda: end()[1] or today),
            "end": end,
            "plan": lambda: _plan(values, lambda: end()[0], enrolled_on, today),
        }
    )
    fields.pop("told")
    record, name, birth_date = fields.pop("whose")
    phase, ended_on, end_reason = fields.pop("end")
    plan_on, check_on = fields.pop("plan")
    return EpisodeRow(
        record=record,
        name=name,
        birth_date=birth_date,
        phase=phase,
        plan_on=plan_on,
        check_on=check_on,
        ended_on=ended_on,
        end_reason=end_reason,
        **fields,
    )


def _enrolled_on(values: Mapping[str, str], today: date) -> date:
    day = _past(values, "enrolled_on", today)
    if day is None:
        raise WrongRow("enrolled_on: is empty")
    return day


def _told(values: Mapping[str, str]) -> None:
    if _word(values, "cost_told") != "yes":
        raise WrongRow("cost_told: nobody is enrolled who was not told that cost sharing can apply")


def _scale(values: Mapping[str, str]) -> str:
    return records.meant(values, KIND, "scale") or "phq9"


def _whose(values: Mapping[str, str]) -> tuple[str, str, date | None]:
    record = records.text(values, "record", 80)
    if record:
        return record, "", None
    born = records.birth_date_of(values)
    if born is None:
        raise WrongRow("record: is empty, and without a birth date nobody is found by their name")
    return "", " ".join(filter(None, records.names_of(values))), born


def _word(values: Mapping[str, str], column: str) -> str:
    """One of the words a column may hold; it may not be empty."""
    word = records.meant(values, KIND, column)
    if not word:
        raise WrongRow(f"{column}: is empty")
    return word


def _day(values: Mapping[str, str], column: str, last: date) -> date | None:
    typed = records.text(values, column, 40)
    if not typed:
        return None
    day = dates.day(typed, until=last)
    if day is None:
        raise WrongRow(f"{column}: {A_DAY}")
    if day < EARLIEST:
        raise WrongRow(f"{column}: expected a day from 2000 on")
    return day


def _past(values: Mapping[str, str], column: str, today: date) -> date | None:
    day = _day(values, column, today)
    if day is not None and day > today:
        raise WrongRow(f"{column}: is in the future")
    return day


def _consent_on(values: Mapping[str, str], enrolled_on: Callable[[], date], today: date) -> date:
    """The day of consent: that of the enrollment where the file has none."""
    day = _past(values, "consent_on", today)
    if day is not None and day > enrolled_on():
        raise WrongRow("consent_on: is after the enrollment")
    return day or enrolled_on()


def _end(
    values: Mapping[str, str], enrolled_on: Callable[[], date], today: date
) -> tuple[str, date | None, str | None]:
    """Phase, last day and reason, which must agree."""
    fields = faults.every(
        {
            "ended_on": lambda: _past(values, "ended_on", today),
            "reason": lambda: records.meant(values, KIND, "end_reason") or None,
            "phase": lambda: records.meant(values, KIND, "phase"),
        }
    )
    ended_on, reason = fields["ended_on"], fields["reason"]
    phase = fields["phase"] or ("discharged" if ended_on else "active")
    if phase != "discharged" and (ended_on or reason):
        raise WrongRow(f"phase: {phase.replace('_', ' ')}, but with a discharge")
    if phase == "discharged" and ended_on is None:
        raise WrongRow("ended_on: is empty, of an episode that is discharged")
    if phase == "discharged" and reason is None:
        raise WrongRow("end_reason: is empty, of an episode that is discharged")
    if ended_on is not None and ended_on < enrolled_on():
        raise WrongRow("ended_on: is before the enrollment")
    return phase, ended_on, reason


def _plan(
    values: Mapping[str, str], phase: Callable[[], str], enrolled_on: Callable[[], date], today: date
) -> tuple[date | None, date | None]:
    """The days of the plan and of its next check, which only somebody in relapse prevention has."""
    days = faults.every(
        {
            "plan_on": lambda: _past(values, "plan_on", today),
            "check_on": lambda: _day(values, "check_on", today),
        }
    )
    plan_on, check_on = days["plan_on"], days["check_on"]
    if plan_on is not None and plan_on < enrolled_on():
        raise WrongRow("plan_on: is before the enrollment")
    prevented = phase() == "relapse_prevention"
    if prevented and check_on is None:
        raise WrongRow("check_on: is empty, of somebody in relapse prevention")
    return plan_on, check_on if prevented else None


def _points(
    values: Mapping[str, str], scale: Callable[[], str], enrolled_on: Callable[[], date], until: Callable[[], date]
) -> tuple[progress.Point, ...]:
    """The totals, each with its day; none that no form of the scale can have, nor of a day that counts for nothing."""
    read = faults.every({which: partial(_point, values, which, scale) for which in ("first", "last")})
    points: dict[str, progress.Point] = {which: point for which, point in read.items() if point is not None}
    for which, point in points.items():
        if point.on > until():
            raise WrongRow(f"{which}_on: is after the discharge, or in the future")
        if point.on < enrolled_on() - progress.SCREENING_WINDOW:
            raise WrongRow(f"{which}_on: is more than 30 days before the enrollment")
    if len(points) == 2 and points["last"].on < points["first"].on:
        raise WrongRow("last_on: is before first_on")
    if len(points) == 2 and points["last"].on == points["first"].on and points["last"].total != points["first"].total:
        raise WrongRow("last_score: another one on the day of the first")
    return tuple(dict.fromkeys(points.values()))


def _point(values: Mapping[str, str], which: str, scale: Callable[[], str]) -> progress.Point | None:
    typed = records.text(values, f"{which}_score", 10)
    day = _day(values, f"{which}_on", clock.now().date())
    if not typed and day is None:
        return None
    if not typed:
        raise WrongRow(f"{which}_score: is empty, with a day beside it")
    if day is None:
        raise WrongRow(f"{which}_on: is empty, with a score beside it")
    highest = highest_of(scale())
    if not typed.isascii() or not typed.isdecimal() or int(typed) > highest:
        raise WrongRow(f"{which}_score: expected a whole number from 0 to {highest}")
    return progress.Point(day, int(typed))


def highest_of(scale: str) -> int:
    """Return the highest total of a scale."""
    items: Sequence[scoring.Item] = scoring.instrument(scale).items
    return sum(max(item.values) for item in items if item.scored)
