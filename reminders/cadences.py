"""Reads a clinic's cadence from its TOML file, and explains the plan it makes for one visit.

Stands on `reminders.rules` and never the other way round: the models here have the shape that
`reminders.rules.planning` asks of a Step and a Cadence.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import pydantic
from pydantic import Field, PlainSerializer, PlainValidator, WithJsonSchema, model_validator

from reminders.rules import hours, offsets, planning, problems, zones
from reminders.rules.problems import BadCadence, Problem

__all__ = [
    "BadCadence",
    "Cadence",
    "Problem",
    "QuietHours",
    "Step",
    "default",
    "explain",
    "from_mapping",
    "parse",
    "within",
]

DEFAULT_FILE = Path(__file__).parent / "texts" / "default_cadence.toml"
CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")
INSTANT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d)?")
# Zone data is guesswork far from today, and a year like 0001 has no day before it.
YEARS = range(1970, 2101)
EXPECTED = {
    "missing": "this field is required",
    "too_short": "expected at least one [[steps]]",
    "too_long": "this list is too long",
    "tuple_type": "expected a list",
    "model_type": "expected a table of fields",
    "string_type": "expected a text",
    "bool_type": "expected true or false",
    "literal_error": 'expected "drop" or "send"',
    "string_pattern_mismatch": "expected small letters, digits or _",
}
AFTER = "a step after the visit is not supported yet"


def _read_offset(value: object) -> offsets.Offset:
    if not isinstance(value, str):
        raise ValueError(offsets.EXPECTED)
    text = value.strip().lower()
    if text.endswith(" after"):
        raise ValueError(AFTER)
    return offsets.parse(text.removesuffix(" before"))


def _read_length(value: object) -> timedelta:
    length = offsets.parse(value).elapsed if isinstance(value, str) else timedelta(0)
    if not length:
        raise ValueError(offsets.EXPECTED)
    return length


def _read_clock(value: object) -> time:
    if isinstance(value, time) and value == value.replace(second=0, microsecond=0):
        return value
    match = CLOCK.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError('expected a time of day such as "08:00"')
    return time(int(match[1]), int(match[2]))


_TEXT = WithJsonSchema({"type": "string"})
Before = Annotated[offsets.Offset, PlainValidator(_read_offset), PlainSerializer(str), _TEXT]
Length = Annotated[timedelta, PlainValidator(_read_length), PlainSerializer(offsets.in_words), _TEXT]
Clock = Annotated[time, PlainValidator(_read_clock), PlainSerializer(lambda at: f"{at:%H:%M}"), _TEXT]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$")]
Key = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]


class _Strict(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)


class Step(_Strict):
    """One reminder: when, which words, which questionnaires; the file's own comments describe each field."""

    name: Name
    before: Before
    at: Clock | None = None
    text: Key
    text_without_intake: Key | None = None
    intake: Annotated[tuple[Key, ...], Field(strict=False, max_length=5)] = ()
    if_past: Literal["drop", "send"] = "drop"
    unless_confirmed: bool = True
    deliver_by: Length | None = None

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.at is not None and self.before.days is None:
            raise ValueError('"at" needs whole days, such as before = "1 day"')
        if self.before.count == 0 and (self.at is None or self.before.unit == "minute"):
            raise ValueError('a step needs a length before the visit, or before = "0 days" with "at"')
        if self.text_without_intake and not self.intake:
            raise ValueError('"text_without_intake" belongs to a step with "intake"')
        if len(set(self.intake)) < len(self.intake):
            raise ValueError('"intake" names an instrument twice')
        return self


class QuietHours(_Strict):
    """No reminder from `start` in the evening until `end` in the morning, on the patient's clock; see OpenHours for the law."""

    start: Clock = time(20)
    end: Clock = time(8)

    @model_validator(mode="after")
    def _span_the_night(self) -> Self:
        # Whoever mistakes them for opening hours would text people at night; refuse that instead.
        if self.start <= self.end:
            raise ValueError(
                'quiet hours begin in the evening and end in the morning: start = "20:00", end = "08:00"'
            )
        return self


class Cadence(_Strict):
    """A clinic's reminders around a visit."""

    name: Name = "unnamed"
    steps: Annotated[tuple[Step, ...], Field(strict=False, min_length=1, max_length=10)]
    quiet_hours: QuietHours = QuietHours()
    min_notice: Length = timedelta(minutes=60)
    min_gap: Length = timedelta(hours=3)
    catch_up: Length = timedelta(minutes=60)

    @model_validator(mode="after")
    def _steps_differ(self) -> Self:
        if len({step.name for step in self.steps}) < len(self.steps):
            raise ValueError("two steps have the same name")
        if len({(step.before.elapsed, step.before.days, step.at) for step in self.steps}) < len(self.steps):
            raise ValueError("two steps are due at the same moment")
        return self

    @property
    def open_hours(self) -> hours.OpenHours:
        """The hours in which a reminder may leave."""
        return hours.OpenHours(self.quiet_hours.end, self.quiet_hours.start)

    def step(self, name: str) -> Step | None:
        """The step of this name, None if the cadence has none (any more)."""
        return next((step for step in self.steps if step.name == name), None)


def parse(text: str) -> Cadence:
    """The cadence of a TOML file's text; raises BadCadence with every problem and, where it is found, its line."""
    try:
        mapping = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as broken:
        raise BadCadence([Problem("", f"this is not TOML: {broken}")]) from None
    return _read(mapping, text)


def from_mapping(mapping: Mapping[str, object]) -> Cadence:
    """The cadence of a mapping with the fields of the file; raises BadCadence. Reads back `model_dump(mode="json")`."""
    return _read(mapping, "")


@cache
def default() -> Cadence:
    """The cadence a new clinic starts with."""
    return parse(DEFAULT_FILE.read_text(encoding="utf-8"))


def within(cadence: Cadence, own: Sequence[str] | None) -> Cadence | None:
    """The cadence with no reminder outside the patient's `own` hours (such as ["09:00", "18:00"]); never wider.

    None where the clinic's hours and theirs have no minute in common: then no reminder may leave at all.
    """
    if not own:
        return cadence
    opens, closes = (time.fromisoformat(edge) for edge in own)
    opens, closes = max(opens, cadence.quiet_hours.end), min(closes, cadence.quiet_hours.start)
    if opens >= closes:
        return None
    return cadence.model_copy(update={"quiet_hours": QuietHours(start=closes, end=opens)})


def _read(mapping: object, text: str) -> Cadence:
    try:
        return Cadence.model_validate(dict(mapping) if isinstance(mapping, Mapping) else mapping)
    except pydantic.ValidationError as wrong:
        found = [
            _problem(each["loc"], each["type"], each["msg"], text)
            for each in wrong.errors(include_input=False)
        ]
        # Pydantic leaves a faulty step out and then also counts too few steps; the writer made one mistake, not two.
        in_a_step = any(problem.field.startswith("steps[") for problem in found)
        raise BadCadence([each for each in found if not (in_a_step and each.field == "steps")]) from None


def _problem(location: problems.Location, kind: str, message: str, text: str) -> Problem:
    expected = EXPECTED.get(kind) or message.removeprefix("Value error, ")
    if kind == "extra_forbidden":
        in_step = len(location) == 3 and location[0] == "steps"
        model = Step if in_step else QuietHours if len(location) == 2 else Cadence
        unknown = f"unknown field; expected one of {', '.join(model.model_fields)}"
        expected = AFTER if in_step and location[-1] == "after" else unknown
    elif kind == "string_pattern_mismatch" and location[-1] == "name":
        expected = "expected up to 32 letters, digits, _ or -"
    return Problem(problems.field_of(location), expected, problems.line_of(location, text))


def explain(record: Mapping[str, object]) -> dict[str, Any]:
    """The answer of `warmthread explain plan`: {"steps": [{"step", "at", "local", "why"}]} or {"error": "..."}.

    `record` holds "visit_at" (local to "zone", or with an offset), "zone", "booked_at" (with Z or an offset) and
    perhaps "patient_zone" and "cadence" (as in the file). Whatever it holds, nothing is raised.
    """
    try:
        visit, cadence = _visit(record), default()
        if record.get("cadence") is not None:
            cadence = _read(record["cadence"], "")
    except (BadCadence, ValueError) as problem:
        return {"error": f"cadence: {problem}" if isinstance(problem, BadCadence) else str(problem)}
    return {
        "steps": [
            {
                "step": step.step,
                "at": step.at and f"{step.at:%Y-%m-%dT%H:%M:%SZ}",
                "local": step.local,
                "why": list(step.why),
            }
            for step in planning.plan(visit, cadence)
        ]
    }


def _visit(record: object) -> planning.Visit:
    fields = ("visit_at", "zone", "booked_at", "patient_zone", "cadence")
    if not isinstance(record, Mapping):
        raise ValueError(f"expected an object with {', '.join(fields)}")
    unknown = [str(key)[:40] for key in record if key not in fields]
    if unknown:
        raise ValueError(f"unknown field {', '.join(unknown[:5])}; expected {', '.join(fields)}")
    place = zones.zone(_text(record, "zone"))
    start, booked = _instant(record, "visit_at"), _instant(record, "booked_at")
    if booked.tzinfo is None:
        raise ValueError("booked_at: expected Z or an offset at the end")
    return planning.Visit(
        starts_at=start.astimezone(UTC) if start.tzinfo else zones.local_to_utc(start, place),
        zone=place,
        booked_at=booked.astimezone(UTC),
        patient_zone=zones.zone(_text(record, "patient_zone"))
        if record.get("patient_zone") is not None
        else None,
    )


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
