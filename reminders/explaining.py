"""Explains the plan that a cadence makes for one visit: each text's time, or the reason why it would not be sent."""

import dataclasses
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from reminders import cadences
from reminders.rules import conditions, limits, planning, zones

INSTANT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d)?")
# Zone data is guesswork far from today, and a year like 0001 has no day before it.
YEARS = range(1970, 2101)
NEEDED = ("visit_at", "zone", "booked_at", "patient_zone", "cadence")
FIELDS = (*NEEDED, "language", "place", "kind", "first_visit")
WOULD_BE = "would be dropped: "
IF = {"no_show": "only if the patient does not come", "arrived": "only once the patient has come"}


def timeline(
    visit: planning.Visit,
    cadence: cadences.Cadence,
    *,
    capped: bool = True,
    sent: Iterable[datetime] = (),
) -> list[planning.PlannedStep]:
    """Every step of a visit that is still to come, in its order, and then those that would follow each way it may go.

    With `capped`, a step says so where it would be dropped because too much was sent: `sent` are the moments (aware)
    of other reminders to the same patient. The moment itself stays, because only sending decides.
    """
    steps = planning.plan(visit, cadence)
    found = _told(steps, visit, cadence, sent) if capped else steps
    for outcome, condition in IF.items():
        after = dataclasses.replace(visit, outcome=outcome, confirmed=False)
        # What went out before the visit counts for what follows it.
        gone = [*sent, *(step.at for step in found if step.at is not None and not _is_dropped(step))]
        later = planning.plan(after, cadence)
        later = _told(later, visit, cadence, gone) if capped else later
        found = [*found, *(dataclasses.replace(step, why=(condition, *step.why)) for step in later)]
    return found


def _told(
    steps: list[planning.PlannedStep],
    visit: planning.Visit,
    cadence: cadences.Cadence,
    sent: Iterable[datetime],
) -> list[planning.PlannedStep]:
    objections = limits.would_be([step.at for step in steps], visit.patient_zone or visit.zone, cadence, sent)
    return [
        dataclasses.replace(step, why=(*step.why, f"{WOULD_BE}{said}")) if said else step
        for step, said in zip(steps, objections, strict=True)
    ]


def _is_dropped(step: planning.PlannedStep) -> bool:
    return step.why[-1].startswith(WOULD_BE)


def explain(record: Mapping[str, object]) -> dict[str, Any]:
    """The answer of `warmthread explain plan`: {"steps": [{"step", "at", "local", "why"}]} or {"error": "..."}.

    `record` holds "visit_at" (local to "zone", or with an offset), "zone", "booked_at" (with Z or an offset) and
    perhaps "patient_zone", "language", "place", "kind", "first_visit" and "cadence" (as in the file). A cadence that
    names its caps is told where they would drop a step. Whatever the record holds, nothing is raised.
    """
    try:
        visit, cadence = _visit(record), cadences.default()
        if record.get("cadence") is not None:
            cadence = cadences.from_mapping(record["cadence"])
    except (cadences.BadCadence, ValueError) as problem:
        return {"error": f"cadence: {problem}" if isinstance(problem, cadences.BadCadence) else str(problem)}
    return {
        "steps": [
            {
                "step": step.step,
                "at": step.at and f"{step.at:%Y-%m-%dT%H:%M:%SZ}",
                "local": step.local,
                "why": list(step.why),
            }
            for step in timeline(visit, cadence, capped=_names_caps(record))
        ]
    }


def _visit(record: object) -> planning.Visit:
    if not isinstance(record, Mapping):
        raise ValueError(f"expected an object with {', '.join(FIELDS)}")
    unknown = [str(key)[:40] for key in record if key not in FIELDS]
    if unknown:
        raise ValueError(f"unknown field {', '.join(unknown[:5])}; expected {', '.join(FIELDS)}")
    place = zones.zone(_text(record, "zone"))
    start, booked = _instant(record, "visit_at"), _instant(record, "booked_at")
    if booked.tzinfo is None:
        raise ValueError("booked_at: expected Z or an offset at the end")
    return planning.Visit(
        starts_at=start.astimezone(UTC) if start.tzinfo else zones.local_to_utc(start, place),
        zone=place,
        booked_at=booked.astimezone(UTC),
        patient_zone=zones.zone(theirs) if (theirs := _perhaps(record, "patient_zone")) is not None else None,
        facts=conditions.Facts(
            language=_perhaps(record, "language"),
            place=_perhaps(record, "place"),
            kind=_perhaps(record, "kind"),
            first_visit=_yes_or_no(record, "first_visit"),
        ),
    )


def _yes_or_no(record: Mapping[str, object], field: str) -> bool | None:
    value = record.get(field)
    if value is not None and not isinstance(value, bool):
        raise ValueError(f"{field}: expected true or false")
    return value


def _perhaps(record: Mapping[str, object], field: str) -> str | None:
    return _text(record, field) if record.get(field) is not None else None


def _text(record: Mapping[str, object], field: str) -> str:
    value = record.get(field)
    if not isinstance(value, str):
        raise ValueError(f"{field}: expected a text")
    return value


def _instant(record: Mapping[str, object], field: str) -> datetime:
    text = _text(record, field).strip()
    if not INSTANT.fullmatch(text):
        raise ValueError(f'{field}: expected a date and time such as "2026-03-10T09:00"')
    try:
        at = datetime.fromisoformat(text)
    except ValueError as wrong:
        raise ValueError(f"{field}: {wrong}") from None
    if at.year not in YEARS:
        raise ValueError(f"{field}: expected a year from {YEARS[0]} to {YEARS[-1]}")
    return at


def _names_caps(record: Mapping[str, object]) -> bool:
    cadence = record.get("cadence")
    return isinstance(cadence, Mapping) and not {"cap_per_day", "cap_per_week"}.isdisjoint(cadence)
