"""One step of a cadence as a clinic writes it: each field read strictly,
and what does not fit together named at its field."""

import re
from datetime import time, timedelta
from typing import Annotated, Any, Literal, Self

import pydantic
from pydantic import Field, PlainSerializer, PlainValidator, WithJsonSchema, field_validator, model_validator
from pydantic_core import PydanticCustomError

from messaging.weekdays import Weekday
from reminders.rules import conditions, hours, offsets

CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")
SIDE = 'a step after the visit says after = "1 day", not before'
ANCHORS = ("before", "after", "weekday")
LENGTH_PATTERN = r"^\d{1,5} ?(minute|hour|day|week)s?$"
WHEN_PATTERN = rf"^({'|'.join(conditions.PLAIN)}|({'|'.join(conditions.NAMED)}):.+)$"


def misfit(message: str, *place: str | int) -> PydanticCustomError:
    """Return an error about how fields fit together, to be told at `place` below the table that was read."""
    return PydanticCustomError("misfit", "{said}", {"said": message, "place": place})


def _read_before(value: object) -> offsets.Offset:
    if isinstance(value, str) and value.strip().lower().endswith(" after"):
        raise ValueError(SIDE)
    return _read_offset(value, " before")


def _read_after(value: object) -> offsets.Offset:
    return _read_offset(value, " after")


def _read_offset(value: object, side: str) -> offsets.Offset:
    if isinstance(value, offsets.Offset):
        return value
    if not isinstance(value, str):
        raise ValueError(offsets.EXPECTED)
    return offsets.parse(value.strip().lower().removesuffix(side))


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


def _read_condition(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(conditions.EXPECTED)
    return conditions.parse(value)


def _written(pattern: str, *examples: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": pattern, "examples": list(examples)})


_LENGTH = _written(LENGTH_PATTERN, "72 hours", "3 days", "90 minutes")
Before = Annotated[offsets.Offset, PlainValidator(_read_before), PlainSerializer(str), _LENGTH]
After = Annotated[offsets.Offset, PlainValidator(_read_after), PlainSerializer(str), _LENGTH]
Length = Annotated[timedelta, PlainValidator(_read_length), PlainSerializer(offsets.in_words), _LENGTH]
Clock = Annotated[
    time,
    PlainValidator(_read_clock),
    PlainSerializer(lambda at: f"{at:%H:%M}"),
    _written(f"^{CLOCK.pattern}$", "08:00"),
]
Condition = Annotated[str, PlainValidator(_read_condition), _written(WHEN_PATTERN, "first_visit", "language:es")]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,29}$")]
Key = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]


class Strict(pydantic.BaseModel):
    """A table of the file: no field it does not know, nothing converted on the sly."""

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)


class Window(Strict):
    """Narrower hours for one step, on the patient's clock: from `start` up to, not including, `end`."""

    start: Clock
    end: Clock

    @model_validator(mode="after")
    def _opens_first(self) -> Self:
        if self.start >= self.end:
            raise misfit('a window opens before it closes: start = "09:00", end = "18:00"', "end")
        return self


class Step(Strict):
    """One reminder: when, for whom, which words, which questionnaires; docs/cadences.md describes each field."""

    name: Name
    after: After | None = None
    weekday: Weekday | None = None
    before: Annotated[Before | None, Field(validate_default=True)] = None
    at: Clock | None = None
    when: Annotated[tuple[Condition, ...], Field(strict=False, max_length=8)] = ()
    window: Window | None = None
    text: Key
    text_without_intake: Key | None = None
    intake: Annotated[tuple[Key, ...], Field(strict=False, max_length=5)] = ()
    if_past: Literal["drop", "send"] = "drop"
    unless_confirmed: bool = True
    deliver_by: Length | None = None

    @field_validator("before")
    @classmethod
    def _is_needed(cls, value: object, info: pydantic.ValidationInfo) -> object:
        # Told beside the other fields that are missing, and not only once they are there.
        others = [info.data.get(name, "wrong") for name in ("after", "weekday")]
        if value is None and others == [None, None]:
            raise ValueError('this field is required, or "after", or "weekday"')
        return value

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        self._is_anchored()
        place = conditions.contradiction(self.when, afterwards=self.after is not None)
        if place:
            raise misfit(place, "when")
        if not self.unless_confirmed and conditions.NOT_CONFIRMED in self.when:
            raise misfit("not_confirmed in when says the opposite of unless_confirmed = false", "when")
        if self.text_without_intake and not self.intake:
            raise misfit('"text_without_intake" belongs to a step with "intake"', "text_without_intake")
        if len(set(self.intake)) < len(self.intake):
            raise misfit('"intake" names an instrument twice', "intake")
        return self

    def _is_anchored(self) -> None:
        anchors = [name for name in ANCHORS if getattr(self, name) is not None]
        if len(anchors) > 1:
            raise misfit(f"a step has one of {', '.join(ANCHORS)}; this one has {' and '.join(anchors)}", anchors[1])
        if self.weekday and self.at is None:
            raise misfit('"weekday" needs an hour of that day: at = "10:00"', "at")
        offset = self.before or self.after
        if offset is None:
            return
        if self.at is not None and offset.days is None:
            raise misfit(f'"at" needs whole days, such as {anchors[0]} = "1 day"', "at")
        if offset.count == 0 and (self.at is None or offset.unit == "minute"):
            raise misfit(
                f'a step needs a length {anchors[0]} the visit, or {anchors[0]} = "0 days" with "at"', anchors[0]
            )

    @property
    def open_window(self) -> hours.Window | None:
        """The step's own hours as the rules read them."""
        return (self.window.start, self.window.end) if self.window else None

    @property
    def moment(self) -> tuple[Any, ...]:
        """What two steps of one visit may not share: they would be due at the same time for the same people."""
        offset = self.before or self.after
        span = (offset.elapsed, offset.days) if offset else None
        return (span, self.after is None, self.weekday, self.at, frozenset(self.when))
