"""Explains the plan that a cadence makes for one visit: each text's time, or the reason why it would not be sent."""

import dataclasses
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from messaging.reasons import Reason
from reminders import reasons
from reminders.cadence import cadence_definition
from reminders.rules import conditions, limits, planning, zones

INSTANT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d)?")
# Zone data is guesswork far from today, and a year like 0001 has no day before it.
YEARS = range(1970, 2101)
NEEDED = ("visit_at", "zone", "booked_at", "patient_zone", "cadence")
FIELDS = (*NEEDED, "language", "place", "kind", "first_visit", "confirmed", "answered", "marked")
WOULD_BE = "would_be_dropped"
IF = {"no_show": Reason("if_no_show"), "arrived": Reason("if_arrived")}
UNLESS = {
    "no_show": reasons.dropped(Reason("for_no_show")),
    "arrived": reasons.dropped(Reason("for_arrived")),
}
# What a condition hangs on that is not known of a visit yet, and how that is said.
IF_OPEN, IF_FIRST = Reason("if_open"), Reason("if_first")
OPEN = {conditions.INTAKE_OPEN: ("intake_done", IF_OPEN), conditions.FIRST_VISIT: ("first_visit", IF_FIRST)}


def timeline(
    visit: planning.Visit,
    cadence: cadence_definition.Cadence,
    *,
    capped: bool = True,
    sent: Iterable[datetime] = (),
    marked: str | None = None,
) -> list[planning.PlannedStep]:
    """Every step of a visit in its order: those before it, and then those that would follow each way it may go.

    `marked` is how it went ("no_show", "arrived"): what follows the other way is dropped. With `capped`, a step says so
    where it would be dropped because too much was sent: `sent` are the moments (aware) of other reminders to the same
    patient. The moment itself stays, because only sending decides.
    """
    steps = planning.plan(visit, cadence)
    shown = _told(steps, visit, cadence, sent) if capped else steps
    # What goes out before the visit counts for what follows it.
    gone = [*sent, *(step.at for step in shown if step.at is not None and not is_dropped(step))]
    for outcome in IF:
        after = dataclasses.replace(visit, outcome=outcome, confirmed=False)
        later = planning.plan(after, cadence)
        later = _told(later, visit, cadence, gone) if capped else later
        shown = [*shown, *(_if(outcome, marked, step) for step in later)]
    return shown


def _if(outcome: str, marked: str | None, step: planning.PlannedStep) -> planning.PlannedStep:
    """A step that follows one outcome, as far as it is known how the visit went."""
    if marked is None:
        return dataclasses.replace(step, why=(IF[outcome], *step.why))
    if marked == outcome:
        return step
    return planning.PlannedStep(step.step, None, None, (step.why[0], UNLESS[outcome]))


def _told(
    steps: list[planning.PlannedStep],
    visit: planning.Visit,
    cadence: cadence_definition.Cadence,
    sent: Iterable[datetime],
) -> list[planning.PlannedStep]:
    """The same steps with what is decided only when they are due."""
    objections = limits.would_be([step.at for step in steps], visit.patient_zone or visit.zone, cadence, sent)
    told_steps = []
    for step, objection in zip(steps, objections, strict=True):
        definition = cadence.step(step.step, visit.facts.kind)
        when = definition.when if definition and step.at else ()
        open_reasons = [
            OPEN[condition][1]
            for condition in when
            if condition in OPEN and getattr(visit.facts, OPEN[condition][0]) is None
        ]
        open_reasons += [Reason(WOULD_BE, {"because": objection})] if objection else []
        told_steps.append(dataclasses.replace(step, why=(*step.why, *open_reasons)) if open_reasons else step)
    return told_steps


def is_dropped(step: planning.PlannedStep) -> bool:
    """Whether a step would not be sent, though it has its moment."""
    return step.why[-1].key == WOULD_BE


def explain(record: Mapping[str, object], by: cadence_definition.Cadence | None = None) -> dict[str, Any]:
    """The answer of `warmthread explain plan`: {"steps": [{"step", "at", "local", "why"}]} or {"error": "..."}.

    `record` holds "visit_at" (local to "zone", or with an offset), "zone", "booked_at" (with Z or an offset) and
    perhaps "patient_zone", "language", "place", "kind", "first_visit" and "cadence" (as in the file); "confirmed" and
    "answered" (the questions) are true where they are by then, "marked" is "no_show" or "arrived" once that is known.
    A cadence that names its caps is told what sending would decide, and so is one that is given as `by`, in the place
    of the record's. Whatever the record holds, nothing is raised.
    """
    try:
        visit, cadence, marked = _visit(record), cadence_definition.default(), _marked(record)
        if by is not None:
            cadence = by
        elif record.get("cadence") is not None:
            cadence = cadence_definition.from_mapping(record["cadence"])
    except (cadence_definition.BadCadence, ValueError) as problem:
        return {"error": f"cadence: {problem}" if isinstance(problem, cadence_definition.BadCadence) else str(problem)}
    return {
        "steps": [
            {
                "step": step.step,
                "at": step.at and f"{step.at:%Y-%m-%dT%H:%M:%SZ}",
                "local": step.local,
                "why": [reasons.words(reason) for reason in step.why],
            }
            for step in timeline(visit, cadence, capped=by is not None or _names_caps(record), marked=marked)
        ]
    }


def _visit(record: object) -> planning.Visit:
    if not isinstance(record, Mapping):
        raise ValueError(f"expected an object with {', '.join(FIELDS)}")
    unknown = [str(key)[:40] for key in record if key not in FIELDS]
    if unknown:
        raise ValueError(f"unknown field {', '.join(unknown[:5])}; expected {', '.join(FIELDS)}")
    place = zones.of_place(_text(record, "zone"))
    start, booked = _instant(record, "visit_at"), _instant(record, "booked_at")
    if booked.tzinfo is None:
        raise ValueError("booked_at: expected Z or an offset at the end")
    return planning.Visit(
        starts_at=start.astimezone(UTC) if start.tzinfo else zones.local_to_utc(start, place),
        zone=place,
        booked_at=booked.astimezone(UTC),
        patient_zone=zones.of_place(own) if (own := _perhaps(record, "patient_zone")) is not None else None,
        facts=conditions.Facts(
            language=_perhaps(record, "language"),
            place=_perhaps(record, "place"),
            kind=_perhaps(record, "kind"),
            first_visit=_yes_or_no(record, "first_visit"),
            intake_done=_yes_or_no(record, "answered"),
        ),
        confirmed=bool(_yes_or_no(record, "confirmed")),
    )


def _marked(record: Mapping[str, object]) -> str | None:
    marked = _perhaps(record, "marked")
    if marked is not None and marked not in conditions.OUTCOMES:
        raise ValueError(f"marked: expected {' or '.join(conditions.OUTCOMES)}")
    return marked


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
