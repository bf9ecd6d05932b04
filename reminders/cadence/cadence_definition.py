"""Reads a clinic's cadence from its TOML file, and says what is wrong in it.

Stands on `reminders.rules` and never the other way round: the models here have the shape that
`reminders.rules.planning` asks of a Step and a Cadence.
"""

from collections.abc import Mapping, Sequence
from datetime import time, timedelta
from functools import cache, cached_property
from pathlib import Path
from typing import Annotated, Any, Self

import pydantic
from pydantic import Field, model_validator

from messaging.versions import toml_positions
from reminders.cadence import state_hours
from reminders.cadence.steps import Clock, Length, Name, Step, Strict, Window, misfit
from reminders.rules import conditions, hours, planning, problems
from reminders.rules.problems import BadCadence, Problem

__all__ = [
    "BadCadence",
    "Cadence",
    "Problem",
    "QuietHours",
    "Step",
    "Window",
    "default",
    "from_mapping",
    "parse",
    "schema",
    "within",
]

DEFAULT_FILE = Path(__file__).parents[1] / "texts" / "default_cadence.toml"
EXPECTED = {
    "missing": "this field is required",
    "too_short": "expected at least one [[steps]]",
    "too_long": "this list is too long",
    "tuple_type": "expected a list",
    "dict_type": "expected [[kinds.NAME]] tables",
    "model_type": "expected a table of fields",
    "string_type": "expected a text",
    "int_type": "expected a whole number",
    "bool_type": "expected true or false",
    "string_pattern_mismatch": "expected small letters, digits or _",
}


class QuietHours(Strict):
    """No reminder from `start` in the evening until `end` in the morning, on the patient's clock (see OpenHours)."""

    start: Clock = hours.USUAL[1]
    end: Clock = hours.USUAL[0]

    @model_validator(mode="after")
    def _span_the_night(self) -> Self:
        # Whoever mistakes them for opening hours would text people at night; refuse that instead.
        if self.start <= self.end:
            raise ValueError('quiet hours begin in the evening and end in the morning: start = "20:00", end = "08:00"')
        return self


Steps = Annotated[tuple[Step, ...], Field(strict=False, min_length=1, max_length=10)]
Cap = Annotated[int, Field(ge=1, le=20)]
Kind = Annotated[str, Field(min_length=1, max_length=40)]


class Cadence(Strict):
    """A clinic's reminders around a visit; docs/cadences.md describes each field."""

    name: Name = "unnamed"
    steps: Steps
    kinds: Annotated[dict[Kind, Steps], Field(max_length=40)] = {}
    quiet_hours: QuietHours = QuietHours()
    quiet_states: Annotated[tuple[str, ...], Field(strict=False, max_length=10)] = ()
    min_notice: Length = timedelta(minutes=60)
    min_gap: Length = timedelta(hours=3)
    catch_up: Length = timedelta(minutes=60)
    cap_per_day: Cap = 2
    cap_per_week: Cap = 5
    combine_day: bool = True

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        self._keeps_hours()
        if self.cap_per_week < self.cap_per_day:
            raise misfit("a week allows at least what a day does", "cap_per_week")
        if len({conditions.plain(kind) for kind in self.kinds}) < len(self.kinds):
            raise misfit("two kinds have the same name but for capitals", "kinds")
        for place, steps in (
            (("steps",), self.steps),
            *((("kinds", kind), of) for kind, of in self.kinds.items()),
        ):
            self._steps_differ(place, steps)
        return self

    def _keeps_hours(self) -> None:
        hours_by_state = state_hours.by_state()
        for index, state in enumerate(self.quiet_states):
            if state not in hours_by_state:
                raise misfit(f"expected one of {', '.join(hours_by_state)}", "quiet_states", index)
        try:
            _ = self.open_hours
        except ValueError:
            raise misfit("together with the quiet hours these states leave no time to text", "quiet_states") from None

    def _steps_differ(self, place: tuple[str, ...], steps: Sequence[Step]) -> None:
        names, moments = set(), set()
        for index, step in enumerate(steps):
            if step.name in names:
                raise misfit("two steps have the same name", *place, index, "name")
            if step.moment in moments:
                raise misfit("two steps are due at the same moment", *place, index)
            names.add(step.name)
            moments.add(step.moment)
            opens, closes = self.quiet_hours.end, self.quiet_hours.start
            if step.window and not opens <= step.window.start < step.window.end <= closes:
                raise misfit(
                    f"this window reaches into the quiet hours: "
                    f"expected hours between {opens:%H:%M} and {closes:%H:%M}",
                    *place, index, "window",
                )  # fmt: skip
            try:
                planning.hours_of(self, step)
            except ValueError:
                raise misfit("quiet_states leave none of this window", *place, index, "window") from None

    @cached_property
    def open_hours(self) -> hours.OpenHours:
        """The hours in which a reminder may leave: the clinic's own, and those of every state it keeps to."""
        open_hours = hours.OpenHours(self.quiet_hours.end, self.quiet_hours.start)
        for state in self.quiet_states:
            open_hours = open_hours.within(state_hours.by_state()[state])
        return open_hours

    def steps_for(self, kind: str | None) -> Sequence[Step]:
        """The steps of a visit of this kind: those written for the kind, else the ordinary ones."""
        return self._by_kind.get(conditions.plain(kind), self.steps) if kind and self.kinds else self.steps

    @cached_property
    def _by_kind(self) -> dict[str, tuple[Step, ...]]:
        return {conditions.plain(kind): steps for kind, steps in self.kinds.items()}

    def step(self, name: str, kind: str | None = None) -> Step | None:
        """The step of this name for a visit of this kind, None if the cadence has none (any more)."""
        return next((step for step in self.steps_for(kind) if step.name == name), None)

    def all_steps(self) -> list[tuple[str, Step]]:
        """Every step with the field it stands in, such as ("kinds.group[0]", step)."""
        tables = {"steps": self.steps} | {f"kinds.{kind}": steps for kind, steps in self.kinds.items()}
        return [(f"{table}[{at}]", step) for table, steps in tables.items() for at, step in enumerate(steps)]


def schema() -> dict[str, Any]:
    """The JSON Schema of a cadence, made from the model that reads it."""
    made = Cadence.model_json_schema(mode="validation")
    named = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Warmthread cadence"}
    return made | named


def parse(text: str) -> Cadence:
    """The cadence of a TOML file's text; raises BadCadence with every problem and, where it is found, its line."""
    try:
        mapping = toml_positions.read(text)
    except toml_positions.NotToml as broken:
        raise BadCadence([broken.problem]) from None
    return _read(mapping, text)


def from_mapping(mapping: object) -> Cadence:
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
    quiet = cadence.quiet_hours
    try:
        left = cadence.open_hours.within(hours.OpenHours(opens, closes))
        inside = keeping(cadence, QuietHours(start=min(closes, quiet.start), end=max(opens, quiet.end)))
    except ValueError:
        return None
    inside.__dict__["open_hours"] = left
    return inside


def keeping(cadence: Cadence, quiet: QuietHours) -> Cadence:
    """The cadence with these quiet hours in the place of its own."""
    copy = cadence.model_copy(update={"quiet_hours": quiet})
    copy.__dict__.pop("open_hours", None)  # what the copy remembers are the hours before
    return copy


def _read(mapping: object, text: str) -> Cadence:
    try:
        return Cadence.model_validate(dict(mapping) if isinstance(mapping, Mapping) else mapping)
    except pydantic.ValidationError as wrong:
        mistakes = [_problem(each["loc"], each, text) for each in wrong.errors(include_input=False, include_url=False)]
        # Pydantic leaves a faulty step out and then also counts too few steps; the writer made one mistake, not two.
        inside = tuple(problem.field.rpartition("[")[0] for problem in mistakes if "[" in problem.field)
        raise BadCadence([each for each in mistakes if each.field not in inside]) from None


def _problem(location: problems.Location, error: Mapping[str, Any], text: str) -> Problem:
    kind, context = error["type"], error.get("ctx", {})
    expected = EXPECTED.get(kind) or error["msg"].removeprefix("Value error, ")
    if kind == "misfit":
        expected, location = context["said"], (*location, *context["place"])
    elif kind == "extra_forbidden":
        model = _table_at(location)
        expected = f"unknown field; expected one of {', '.join(model.model_fields)}"
    elif kind == "string_pattern_mismatch" and location[-1] == "name":
        expected = "expected up to 30 letters, digits, _ or -"
    elif kind == "literal_error":
        expected = f"expected {context['expected']}".replace("'", '"')
    return Problem(problems.field_of(location), expected, problems.line_of(location, text))


def _table_at(location: problems.Location) -> type[pydantic.BaseModel]:
    """The model of the table that the last part of a location is a field of."""
    if len(location) > 1 and location[-2] in ("quiet_hours", "window"):
        return QuietHours if location[-2] == "quiet_hours" else Window
    return Step if len(location) > 2 and isinstance(location[-2], int) else Cadence
