"""What a line of JSON may hold: instants with their zone, days, months, zones; and how a mistake is told. Pure."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Annotated, Any, TypeVar
from zoneinfo import ZoneInfo

import pydantic
from pydantic import Field, PlainValidator

from caseload import months
from reminders.rules import problems, zones

INSTANT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d)")
DAY = re.compile(r"\d{4}-\d\d-\d\d")
AN_INSTANT = 'expected a time with its zone, such as "2026-03-10T14:00:00Z"'
A_DAY = 'expected a day such as "2026-03-10"'
# By which of two kinds a value is read; no part of its field's name.
TAGS = ("a_name", "an_object")
EXPECTED = {
    "missing": "this field is required",
    "bool_type": "expected true or false",
    "string_type": "expected a text",
    "string_too_short": "expected a text",
    "int_type": "expected a whole number",
    "greater_than_equal": "this is too small a number",
    "list_type": "expected a list",
    "tuple_type": "expected a pair: from, to",
    "too_short": "expected a pair: from, to",
    "too_long": "expected a pair: from, to",
    "model_type": "expected an object",
    "union_tag_invalid": "expected a name or an object",
}


When = TypeVar("When", bound=date)
Model = TypeVar("Model", bound="Strict")


class Strict(pydantic.BaseModel):
    """An object of the line: no field it does not know, nothing converted on the sly."""

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)


class Line(Strict):
    """An object in which null is as good as nothing."""

    @pydantic.model_validator(mode="before")
    @classmethod
    def _without_null(cls, value: object) -> object:
        if not isinstance(value, Mapping):
            return value
        return {name: given for name, given in value.items() if given is not None}


class BadLine(ValueError):
    """A line that cannot be answered; the message names the field."""


def _instant(value: object) -> datetime:
    if not isinstance(value, str) or not INSTANT.fullmatch(value):
        raise ValueError(AN_INSTANT)
    return _in_reach(datetime.fromisoformat(value)).astimezone(UTC)


def _day(value: object) -> date:
    if not isinstance(value, str) or not DAY.fullmatch(value):
        raise ValueError(A_DAY)
    return _in_reach(date.fromisoformat(value))


def _day_or_instant(value: object) -> date:
    if isinstance(value, str) and DAY.fullmatch(value):
        return _day(value)
    try:
        return _instant(value)
    except ValueError:
        raise ValueError(f"{A_DAY}, or a time with its zone") from None


def _in_reach(at: When) -> When:
    if at.year not in range(1900, months.YEARS.stop):
        raise ValueError(f"expected a year from 1900 to {months.YEARS[-1]}")
    return at


def _text(read: Callable[[str], Any]) -> Callable[[object], Any]:
    def validate(value: object) -> Any:
        if not isinstance(value, str):
            raise ValueError("expected a text")
        return read(value)

    return validate


Instant = Annotated[datetime, PlainValidator(_instant)]
Day = Annotated[date, PlainValidator(_day)]
# A day, or an instant (UTC) that has its day in the clinic's zone: see `local_day`.
DayOrInstant = Annotated[date, PlainValidator(_day_or_instant)]
Month = Annotated[months.Month, PlainValidator(_text(months.parse))]
Zone = Annotated[ZoneInfo, PlainValidator(_text(zones.zone))]
Name = Annotated[str, Field(min_length=1)]


def local_day(at: date, zone: ZoneInfo) -> date:
    """Return the day of a day or of an instant: 2025-03-19T00:30Z is the 18th in New York."""
    return at.astimezone(zone).date() if isinstance(at, datetime) else at


def read(model: type[Model], record: Mapping[str, object]) -> Model:
    """Return the record as the model has it. Raises BadLine, which names the first field that is wrong."""
    try:
        return model.model_validate(record)
    except pydantic.ValidationError as wrong:
        raise BadLine(_told(wrong.errors(include_input=False, include_url=False)[0])) from None


def _told(error: Any) -> str:
    kind = error["type"]
    expected = EXPECTED.get(kind) or str(error["msg"]).removeprefix("Value error, ")
    if kind == "extra_forbidden":
        expected = "unknown field"
    elif kind == "literal_error":
        expected = f"expected {error['ctx']['expected']}".replace("'", '"')
    field = problems.field_of(tuple(part for part in error["loc"] if part not in TAGS))
    return f"{field}: {expected}" if field else expected
