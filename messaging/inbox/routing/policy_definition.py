"""What a clinic decides about who gets what, as it is written: read from a mapping, checked, and said again. Pure."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Annotated, Any

import pydantic
from pydantic import BaseModel, Field

from messaging.inbox.routing import assign, policy_checks
from messaging.inbox.routing.escalation_policy import Person
from messaging.inbox.routing.policy_parts import (
    MOST,
    MOST_ROUTES,
    Address,
    Call,
    Day,
    EscalationStep,
    Kind,
    Route,
    Strict,
    Topic,
    Topics,
    Week,
)
from messaging.versions.problems import Problem

__all__ = [
    "MOST",
    "MOST_ROUTES",
    "BadPolicy",
    "EscalationPolicy",
    "EscalationStep",
    "Kind",
    "Route",
    "check",
    "present",
    "read",
]
Locate = Callable[[tuple[Any, ...]], int | None]
EXPECTED = {
    "missing": "this must be given",
    "int_type": "a whole number of minutes",
    "int_parsing": "a whole number of minutes",
    "string_type": "a text in quotes",
}


class BadPolicy(ValueError):
    """A policy that cannot be used; `problems` holds all that was found, with their fields."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("; ".join(map(str, problems)))
        self.problems = problems


class EscalationPolicy(Strict):
    """A clinic's policy, with the fields of its file. `on_call` is kept with colleagues, the rest with the clinic."""

    hours: Week = {}
    holidays: Annotated[tuple[Day, ...], Field(max_length=60)] = ()
    fallback: Annotated[tuple[Address, ...], Field(max_length=MOST)] = ()
    repeat: Annotated[int, Field(ge=1, le=1440)] = 10
    quiet_after: Annotated[int, Field(ge=0, le=120)] = 10
    on_it: Annotated[int, Field(ge=5, le=30)] = 20
    backup: dict[Address, Address] = {}
    on_call: dict[Address, Week] = {}
    call: Annotated[tuple[Call, ...], Field(max_length=MOST)] = ()
    route: Annotated[tuple[Route, ...], Field(max_length=MOST_ROUTES)] = ()
    safety: Kind = Kind(answer=15)
    screen: Kind = Kind(answer=60)
    handoff: Kind = Kind(answer=5)
    reply: Kind = Kind(answer=240)
    delivery: Kind = Kind(answer=480)
    topic: Annotated[Topics, Field(validate_default=True)] = {}

    def kind(self, name: str) -> Kind:
        """Return what holds for one kind of item."""
        kind: Kind = getattr(self, name)
        return kind


def read(mapping: Mapping[str, Any], locate: Locate = lambda _location: None) -> EscalationPolicy:
    """Return the policy of a mapping with the fields of the file. Raises BadPolicy.

    `locate` knows in which line of a file a field stands.
    """
    try:
        policy = EscalationPolicy.model_validate(mapping)
    except pydantic.ValidationError as wrong:
        raise BadPolicy([_problem(each, locate) for each in wrong.errors(include_input=False)]) from None
    why = "this clock never stands still: a person may be in danger, or is waiting in the building"
    problems = [
        Problem(f"{kind}.clock", why, locate((kind, "clock")))
        for kind in assign.ALWAYS_RUNNING
        if policy.kind(kind).clock != "always"
    ]
    names = [route.name.casefold() for route in policy.route]
    problems += [
        Problem(f"route[{place}].name", "another rule has this name", locate(("route", place, "name")))
        for place, name in enumerate(names)
        if name in names[:place]
    ]
    if problems:
        raise BadPolicy(problems)
    return policy


def _problem(error: Any, locate: Locate) -> Problem:
    location = tuple(error["loc"])
    message = EXPECTED.get(error["type"]) or str(error["msg"]).removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        message = f"unknown; there are {', '.join(_model_of(location).model_fields)}"
    field = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location).lstrip(".")
    return Problem(field[:60], message, locate(location))


def _model_of(location: tuple[Any, ...]) -> type[BaseModel]:
    if location[0] in assign.KINDS:
        return EscalationStep if len(location) > 3 else Kind
    listed: dict[Any, type[BaseModel]] = {"call": Call, "route": Route, "topic": Topic}
    return listed.get(location[0], EscalationPolicy) if len(location) > 1 else EscalationPolicy


def rules_of(written: EscalationPolicy, stored: Mapping[str, Any], zone: str) -> dict[str, Any]:
    """Return a clinic's `rules` with this policy in them; whatever else the clinic has decided stays."""
    kinds = {kind: written.kind(kind).model_dump(mode="json", exclude={"answer"}) for kind in assign.KINDS}
    return {
        **stored,
        "answer_within": {kind: written.kind(kind).answer for kind in assign.KINDS},
        "rung_minutes": written.repeat,
        "quiet_after": written.quiet_after,
        "on_it_minutes": written.on_it,
        "fallback": list(written.fallback),
        "hours": {"zone": zone, "week": written.hours, "holidays": list(written.holidays)},
        "ladder": {
            "kinds": kinds,
            "backup": written.backup,
            "call": [call.model_dump() for call in written.call],
        },
        "routes": [route.model_dump(mode="json") for route in written.route],
        "topics": {topic: terms.model_dump() for topic, terms in written.topic.items()},
    }


def present(stored: Mapping[str, Any], people: Sequence[Person]) -> EscalationPolicy:
    """Return what holds at a clinic now, as it would be written down."""
    rules = assign.Rules.of(stored)
    return EscalationPolicy(
        hours={day: list(span) for day, span in rules.hours.week.items()},
        holidays=rules.hours.holidays,
        fallback=rules.fallback,
        repeat=rules.rung_minutes,
        quiet_after=rules.quiet_after,
        on_it=rules.on_it_minutes,
        backup=dict(rules.backups),
        on_call={person.email: dict(person.on_call) for person in people if person.on_call},
        call=tuple(Call(name=call.name, phone=call.phone, when=call.when) for call in rules.call_list),
        route=tuple(Route.model_validate(vars(route)) for route in rules.routes),
        topic={topic: Topic.model_validate(vars(terms)) for topic, terms in rules.topics.items()},
        **{kind: _kind(kind, rules) for kind in assign.KINDS},
    )


def _kind(kind: str, rules: assign.Rules) -> Kind:
    steps = {
        is_open: tuple(EscalationStep.model_validate(vars(step)) for step in rules.steps.get((kind, is_open), ()))
        for is_open in (True, False)
    }
    return Kind(
        answer=rules.answer_within[kind],
        clock="business" if kind in rules.in_business else "always",
        before_leaving=kind in rules.before_leaving,
        open=steps[True],
        closed=steps[False],
    )


def check(
    written: EscalationPolicy,
    people: Sequence[Person],
    zone: str,
    bands: Mapping[str, Sequence[str]] | None = None,
    today: date | None = None,
) -> list[Problem]:
    """Return every reason not to publish this policy: see checking.check, nobody unknown on call, and no rule about an
    instrument or a band that there is not (`bands`: of each instrument, where they are known)."""
    emails = {person.email for person in people}
    strangers = [
        Problem("on_call", f"nobody active here has the address {email}")
        for email in written.on_call
        if email not in emails
    ]
    rules = assign.Rules.of(rules_of(written, {}, zone))
    return [
        *strangers,
        *_holidays(written.holidays),
        *(_unknown(written, bands) if bands is not None else ()),
        *policy_checks.check(rules, with_on_call(written, people), today),
    ]


def _holidays(days: Sequence[str]) -> list[Problem]:
    return [
        Problem(f"holidays[{place}]", f"{day} stands there twice: take one out")
        for place, day in enumerate(days)
        if day in days[:place]
    ]


def _unknown(written: EscalationPolicy, bands: Mapping[str, Sequence[str]]) -> list[Problem]:
    problems = []
    for place, route in enumerate(written.route):
        field = f"route[{place}]"
        if route.instrument and route.instrument not in bands:
            message = f"there is no instrument {route.instrument}; there are {', '.join(sorted(bands))}"
            problems.append(Problem(f"{field}.instrument", message))
        elif route.band and route.band not in bands[route.instrument]:
            message = f"{route.instrument} has the bands {', '.join(bands[route.instrument])}"
            problems.append(Problem(f"{field}.band", message))
    return problems


def with_on_call(written: EscalationPolicy, people: Sequence[Person]) -> list[Person]:
    """Return the people as they would be on call by this policy."""
    return [Person(**{**vars(person), "on_call": written.on_call.get(person.email, {})}) for person in people]
