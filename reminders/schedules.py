"""Which questionnaires are due for a patient, and why: facts in, verdicts out. Knows no clock and no database."""

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from importlib import resources
from typing import Annotated, Any, Literal

import pydantic
from pydantic import BeforeValidator, Field

from intake_links import scoring
from messaging.versions.problems import Problem

# What a step's `intake` says where it leaves the choice to the schedule.
BY_SCHEDULE = "schedule"
Who = Literal["everyone", "in_treatment", "not_in_treatment", "active_phase", "relapse_prevention"]
# Who is in such a phase of an episode of care is asked without a visit too.
PHASES = ("active_phase", "relapse_prevention")
Why = Literal["due", "recent", "open_link", "language", "nobody_asks"]
# How a clinic with a registry usually asks by phase: often at first, then less, and rarely once they are well.
USUAL: tuple[Mapping[str, Any], ...] = tuple(
    {"name": name, "instruments": ["phq9"], "who": who, "every": every, "first": first, "then": then}
    for name, who, every, first, then in (
        ("acute", "active_phase", "2 weeks", "8 weeks", "4 weeks"),
        ("staying_well", "relapse_prevention", "1 month", "6 months", "3 months"),
    )
)
DAYS = {"day": 1, "week": 7, "month": 30, "year": 365}
LEAST, LONGEST = 7, 5 * 365
EXPECTED = {
    "missing": "this must be given",
    "string_type": "expected a text",
    "tuple_type": "expected a list",
    "model_type": "expected a table of fields",
    "too_short": "name at least one",
    "too_long": "this is too long",
    "literal_error": 'expected "everyone", "in_treatment", "not_in_treatment", "active_phase" or "relapse_prevention"',
    "string_pattern_mismatch": "expected up to 32 letters, digits, _ or -",
}


def _every(value: object) -> object:
    match = re.fullmatch(r"([1-9]\d{0,3}) (day|week|month|year)s?", value.strip()) if isinstance(value, str) else None
    if match is None or not LEAST <= int(match[1]) * DAYS[match[2]] <= LONGEST:
        raise ValueError('expected a stretch from a week to five years, such as "4 weeks" or "12 months"')
    return f"{match[1]} {match[2]}{'' if match[1] == '1' else 's'}"


def _days(stretch: str) -> int:
    count, unit = stretch.split()
    return int(count) * DAYS[unit.removesuffix("s")]


def _known(value: object) -> object:
    if isinstance(value, str) and value not in scoring.instruments():
        raise ValueError(f"there is no instrument {value[:20]}; there are {', '.join(sorted(scoring.instruments()))}")
    return value


class _Strict(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


Stretch = Annotated[str, BeforeValidator(_every)]


class Ask(_Strict):
    """One entry: these instruments, of these patients, this often; of a phase, so often for the `first` stretch of it,
    and `then` so often."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$")]
    instruments: Annotated[tuple[Annotated[str, BeforeValidator(_known)], ...], Field(min_length=1, max_length=5)]
    who: Who = "everyone"
    every: Stretch
    first: Stretch | None = None
    then: Stretch | None = None

    def days(self, since: int | None = None) -> int:
        """The stretch in days, `since` so many days of the phase."""
        later = self.first is not None and self.then is not None and (since or 0) >= _days(self.first)
        return _days(self.then if later and self.then else self.every)

    def fits(self, facts: "Facts") -> bool:
        """Whether this entry speaks of a patient of whom these are the facts."""
        if self.who in PHASES:
            return self.who == facts.phase
        return self.who == "everyone" or (self.who == "in_treatment") == facts.in_treatment


class Schedule(_Strict):
    """A clinic's schedule, with the fields of its file; an empty one asks nothing."""

    asks: Annotated[tuple[Ask, ...], Field(max_length=10)] = ()


class BadSchedule(ValueError):
    """A schedule that cannot be used; `problems` holds all that was found, with their fields."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("; ".join(map(str, problems)))
        self.problems = list(problems)


@dataclass(frozen=True)
class Taken:
    """An instrument that a patient has answered, by link, in the clinic or elsewhere, and on which local day."""

    instrument: str
    day: date


@dataclass(frozen=True)
class Facts:
    """What decides: the local day, the patient's language, whether they are in treatment, a link still open, what was
    taken; the phase of their episode of care (one of PHASES, None without one) and since when."""

    today: date
    language: str = "en"
    in_treatment: bool = False
    open_link: bool = False
    taken: tuple[Taken, ...] = ()
    phase: str | None = None
    phase_on: date | None = None

    @property
    def in_phase(self) -> int | None:
        """For how many days they have been in their phase."""
        return (self.today - self.phase_on).days if self.phase_on else None


@dataclass(frozen=True)
class Verdict:
    """What becomes of one instrument: `why` it is asked ("due") or not;
    `ask` the entry that decided, `until` when again."""

    instrument: str
    why: Why
    ask: str | None = None
    until: date | None = None

    @property
    def due(self) -> bool:
        """Whether it is to be asked."""
        return self.why == "due"


def from_mapping(mapping: Mapping[str, Any]) -> Schedule:
    """Return the schedule of a mapping with the fields of the file. Raises BadSchedule with every problem."""
    try:
        schedule = Schedule.model_validate(mapping)
    except pydantic.ValidationError as wrong:
        mistakes = [_problem(each) for each in wrong.errors(include_input=False)]
        # Pydantic leaves a faulty instrument out and then also counts too few; the writer made one mistake, not two.
        inner = {problem.field.rpartition("[")[0] for problem in mistakes}
        raise BadSchedule([problem for problem in mistakes if problem.field not in inner]) from None
    problems = [
        *_named_twice(schedule.asks),
        *_named_beside_their_longer_form(schedule.asks),
        *_half_a_change(schedule.asks),
    ]
    if problems:
        raise BadSchedule(problems)
    return schedule


def _problem(each: Any) -> Problem:
    location = each["loc"]
    field = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location).lstrip(".")
    message = EXPECTED.get(each["type"]) or str(each["msg"]).removeprefix("Value error, ")
    if each["type"] == "extra_forbidden":
        model = Ask if location[0] == "asks" else Schedule
        message = f"unknown; there are {', '.join(model.model_fields)}"
    return Problem(field[:60], message)


def _named_twice(asks: Sequence[Ask]) -> list[Problem]:
    names = [ask.name for ask in asks]
    return [
        Problem(f"asks[{place}].name", "two entries have this name")
        for place, name in enumerate(names)
        if name in names[:place]
    ]


def _half_a_change(asks: Sequence[Ask]) -> list[Problem]:
    """How often changes within a phase: for how long the one, and how often then."""
    problems = []
    for place, ask in enumerate(asks):
        if (ask.first is None) != (ask.then is None):
            missing = "then" if ask.then is None else "first"
            problems.append(Problem(f"asks[{place}].{missing}", "first and then are given together"))
        elif ask.first is not None and ask.who not in PHASES:
            problems.append(Problem(f"asks[{place}].first", f"only where who is {' or '.join(PHASES)}"))
    return problems


def _named_beside_their_longer_form(asks: Sequence[Ask]) -> list[Problem]:
    """Nobody is asked one question twice on one form."""
    problems = []
    for place, ask in enumerate(asks):
        for name in ask.instruments:
            longer = scoring.instrument(name).grows_into
            if ask.instruments.count(name) > 1:
                problems.append(Problem(f"asks[{place}].instruments", f"{name} stands here twice"))
                break
            if longer in ask.instruments:
                problems.append(Problem(f"asks[{place}].instruments", f"{name} is the beginning of {longer}: name one"))
    return problems


@cache
def default() -> Schedule:
    """The schedule a new clinic starts with."""
    text = (resources.files("reminders") / "texts" / "default_schedule.toml").read_text("utf-8")
    return from_mapping(tomllib.loads(text))


def due(schedule: Schedule, facts: Facts) -> list[Verdict]:
    """Return a verdict for every instrument that the schedule asks of this patient, in its order.

    The first entry that fits decides about an instrument and its family, so that a PHQ-9 of every four weeks is
    not followed by an annual PHQ-2.
    """
    verdicts: list[Verdict] = []
    for ask in schedule.asks:
        if not ask.fits(facts):
            continue
        decided = {_family(verdict.instrument) for verdict in verdicts}
        verdicts += [_verdict(ask, name, facts) for name in ask.instruments if _family(name) not in decided]
    return verdicts


def filtered(schedule: Schedule, intake: Iterable[str], facts: Facts) -> list[Verdict]:
    """Return a verdict for every instrument that a step names: what the schedule governs is asked when it is due."""
    ruling = {_family(verdict.instrument): verdict for verdict in due(schedule, facts)}
    verdicts: list[Verdict] = []
    for name in intake:
        rule = ruling.get(_family(name))
        if rule is not None:
            verdicts.append(Verdict(name, rule.why, rule.ask, rule.until))
        else:
            verdicts.append(Verdict(name, "open_link" if facts.open_link else "due"))
    return verdicts


def _verdict(ask: Ask, name: str, facts: Facts) -> Verdict:
    if facts.open_link:
        return Verdict(name, "open_link", ask.name)
    if scoring.language_of(scoring.instrument(name), facts.language) != _base(facts.language):
        return Verdict(name, "language", ask.name)
    last = max((screen.day for screen in facts.taken if _counts_for(screen.instrument, name)), default=None)
    again = last + timedelta(days=ask.days(facts.in_phase)) if last else None
    if again is not None and facts.today < again:
        return Verdict(name, "recent", ask.name, again)
    return Verdict(name, "due", ask.name)


def _counts_for(taken: str, wanted: str) -> bool:
    """A PHQ-9 answers what a PHQ-2 asks; a PHQ-2 that ended early does not answer a PHQ-9."""
    return taken == wanted or scoring.instrument(wanted).grows_into == taken


def _family(name: str) -> str:
    return scoring.instrument(name).grows_into or name


def _base(language: str) -> str:
    return re.split(r"[-_]", language)[0].lower()
