"""What a clinic decides of its warm handoffs: who is asked first, and how long each step may take. Pure."""

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Annotated, Any, Literal, get_args

import pydantic
from pydantic import AfterValidator, Field

from messaging.versions.problems import Problem

Criterion = Literal["skill", "panel", "language", "place", "load"]
Reason = Literal["screen", "mood", "safety", "substance", "grief", "sleep", "social", "other"]
ORDER: tuple[Criterion, ...] = get_args(Criterion)
REASONS: tuple[Reason, ...] = get_args(Reason)
MOST_PEOPLE = 100
# {room} is another one for each handoff, {colleague} what each colleague's own room is called.
VIDEO = re.compile(r"https://[A-Za-z0-9.-]+(:\d+)?/\S*")
EXPECTED = {
    "missing": "this must be given",
    "int_parsing": "expected a whole number",
    "int_type": "expected a whole number",
    "literal_error": "this is not offered",
    "extra_forbidden": "unknown",
    "bool_parsing": "expected yes or no",
}


def _template(value: str) -> str:
    if value and not VIDEO.fullmatch(value):
        raise ValueError("expected an address that begins with https://")
    if value and "{room}" not in value and "{colleague}" not in value:
        raise ValueError("must hold {room} or {colleague}: else everybody would meet in one room")
    if set(re.findall(r"\{(\w*)\}", value)) - {"room", "colleague"}:
        raise ValueError("only {room} and {colleague} are filled in")
    return value


class _Strict(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(
        extra="forbid", frozen=True, hide_input_in_errors=True, str_strip_whitespace=True
    )


class Person(_Strict):
    """What sets a colleague apart: which reasons go to them first, at which places they are, what their room is called.

    They are known by their address.
    """

    email: Annotated[str, Field(min_length=3, max_length=254)]
    reasons: tuple[Reason, ...] = ()
    places: Annotated[tuple[Annotated[str, Field(min_length=1, max_length=120)], ...], Field(max_length=20)] = ()
    room: Annotated[str, Field(max_length=60, pattern=r"^[A-Za-z0-9_-]*$")] = ""


class Terms(_Strict):
    """A clinic's handoffs. Times are minutes, `contact` days; what they mean stands with the fields' words.

    The defaults are policy: no law sets a number of minutes.
    """

    order: Annotated[tuple[Criterion, ...], Field(max_length=len(ORDER))] = ORDER
    at_once: Annotated[int, Field(ge=1, le=5)] = 1
    answer: Annotated[int, Field(ge=1, le=15)] = 3
    urgent: Annotated[int, Field(ge=1, le=5)] = 1
    arrive: Annotated[int, Field(ge=2, le=60)] = 10
    leaving: Annotated[int, Field(ge=2, le=60)] = 10
    stay: Annotated[int, Field(ge=15, le=480)] = 60
    outcome: Annotated[int, Field(ge=15, le=480)] = 60
    contact: Annotated[int, Field(ge=1, le=30)] = 7
    names: bool = False
    video: Annotated[str, Field(max_length=300), AfterValidator(_template)] = ""
    call_after: Annotated[int, Field(ge=2, le=30)] = 5
    people: Annotated[tuple[Person, ...], Field(max_length=MOST_PEOPLE)] = ()

    @pydantic.field_validator("order")
    @classmethod
    def _each_once(cls, order: tuple[Criterion, ...]) -> tuple[Criterion, ...]:
        if len(set(order)) != len(order):
            raise ValueError("one thing stands here twice")
        return order

    @classmethod
    def bounds(cls, name: str) -> tuple[int, int]:
        """Return the least and the most that a number may be."""
        field = cls.model_json_schema()["properties"][name]
        return field["minimum"], field["maximum"]

    def patience(self, *, urgent: bool) -> timedelta:
        """Return how long an offer waits for an answer."""
        return timedelta(minutes=min(self.answer, self.urgent) if urgent else self.answer)

    @property
    def contact_time(self) -> timedelta:
        """How long after a referral somebody may take to be in touch."""
        return timedelta(days=self.contact)

    def person(self, email: str) -> Person:
        """Return what sets this colleague apart; nothing, where the clinic has said nothing."""
        return next((person for person in self.people if person.email == email), Person(email=email))


class BadTerms(ValueError):
    """Terms that cannot hold; `problems` says all that was found, each at its field."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("; ".join(map(str, problems)))
        self.problems = list(problems)


def from_mapping(mapping: Mapping[str, Any]) -> Terms:
    """Return the terms of a mapping with the fields of the file. Raises BadTerms with every problem."""
    try:
        return Terms.model_validate(mapping)
    except pydantic.ValidationError as wrong:
        raise BadTerms([_problem(error) for error in wrong.errors(include_input=False)]) from None


def _problem(error: Any) -> Problem:
    field = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error["loc"]).lstrip(".")
    said = EXPECTED.get(error["type"]) or str(error["msg"]).removeprefix("Value error, ")
    return Problem(field[:60], said[:1].lower() + said[1:])
