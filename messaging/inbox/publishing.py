"""The clinic's ladder as it is written down: read from a file or a form, checked, published, and written out again."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, get_args

import pydantic
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from messaging.inbox import hours, ladder, routing
from messaging.inbox.ladder import Person, Problem
from messaging.phone import NotTextable, e164


def _week(value: object) -> object:
    return hours.read(value) if isinstance(value, str) else value


def _phone(value: object) -> object:
    try:
        return e164(value) if isinstance(value, str) else value
    except NotTextable as wrong:
        raise ValueError(str(wrong)) from None


def _small(value: object) -> object:
    return value.strip().lower() if isinstance(value, str) else value


Week = Annotated[dict[str, list[str]], BeforeValidator(_week)]
Address = Annotated[str, BeforeValidator(_small), Field(pattern=r"^[^@\s]+@[^@\s]+$", max_length=254)]
Day = Annotated[str, Field(pattern=r"^(\d{4}-)?(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$")]
Ask = Literal["backup", "on_call", "colleagues", "fallback", "lead", "everyone"]
assert get_args(Ask) == ladder.ASKED
# As many rungs, fallbacks and people to call as the page has rows for, so that saving it there loses none.
MOST = 5
EXPECTED = {
    "missing": "this must be given",
    "int_type": "a whole number of minutes",
    "int_parsing": "a whole number of minutes",
    "string_type": "a text in quotes",
}


class BadLadder(ValueError):
    """A ladder that cannot be used; `problems` holds all that was found, with their fields."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("; ".join(map(str, problems)))
        self.problems = problems


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Rung(_Strict):
    """Whom to ask, and how many minutes to wait then."""

    ask: Ask
    wait: Annotated[int, Field(ge=1, le=1440)] = 10


class Call(_Strict):
    """Somebody without an account, whom a human calls."""

    name: Annotated[str, Field(min_length=1, max_length=80)]
    phone: Annotated[str, BeforeValidator(_phone)]
    when: Annotated[str, Field(max_length=80)] = ""


class Kind(_Strict):
    """Until when one kind must be answered, on which clock, and whom its ladder asks while the clinic is open or not."""

    answer: Annotated[int, Field(ge=1, le=20160)]
    clock: Literal["always", "business"] = "always"
    before_leaving: bool = False
    open: Annotated[tuple[Rung, ...], Field(max_length=MOST)] = ()
    closed: Annotated[tuple[Rung, ...], Field(max_length=MOST)] = ()


class Ladder(_Strict):
    """A clinic's ladder, with the fields of its file. `on_call` is kept with each colleague, the rest with the clinic."""

    hours: Week = {}
    holidays: Annotated[tuple[Day, ...], Field(max_length=60)] = ()
    fallback: Annotated[tuple[Address, ...], Field(max_length=MOST)] = ()
    repeat: Annotated[int, Field(ge=1, le=1440)] = 10
    backup: dict[Address, Address] = {}
    on_call: dict[Address, Week] = {}
    call: Annotated[tuple[Call, ...], Field(max_length=MOST)] = ()
    safety: Kind = Kind(answer=15)
    screen: Kind = Kind(answer=60)
    handoff: Kind = Kind(answer=5)
    reply: Kind = Kind(answer=240)
    delivery: Kind = Kind(answer=480)

    def kind(self, name: str) -> Kind:
        """Return what holds for one kind of item."""
        found: Kind = getattr(self, name)
        return found


def parse(text: str) -> Ladder:
    """Return the ladder of a TOML file's text. Raises BadLadder with every problem and, where it is found, its line."""
    try:
        mapping = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as broken:
        raise BadLadder([Problem("file", f"this is not TOML: {broken}")]) from None
    return read(mapping, text)


def read(mapping: Mapping[str, Any], text: str = "") -> Ladder:
    """Return the ladder of a mapping with the fields of the file. Raises BadLadder."""
    try:
        found = Ladder.model_validate(mapping)
    except pydantic.ValidationError as wrong:
        raise BadLadder([_problem(each, text) for each in wrong.errors(include_input=False)]) from None
    still = [kind for kind in routing.ALWAYS_RUNNING if found.kind(kind).clock != "always"]
    if still:
        why = "this clock never stands still: a person may be in danger, or is waiting in the building"
        raise BadLadder([_located(f"{kind}.clock", why, (kind, "clock"), text) for kind in still])
    return found


def _problem(each: Any, text: str) -> Problem:
    location = tuple(each["loc"])
    said = EXPECTED.get(each["type"]) or str(each["msg"]).removeprefix("Value error, ")
    if each["type"] == "extra_forbidden":
        model = Kind if location[0] in routing.KINDS else Call if location[0] == "call" else Ladder
        said = f"unknown; there are {', '.join(model.model_fields)}"
    field = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location).lstrip(".")
    return _located(field[:60], said, location, text)


def _located(field: str, message: str, location: tuple[Any, ...], text: str) -> Problem:
    line = _line(location, text)
    return Problem(field, f"line {line}: {message}" if line else message)


def _line(location: tuple[Any, ...], text: str) -> int | None:
    """The line in which a field, or at least its table, stands; None if the file writes it in another way."""
    lines = text.splitlines()
    inside = 0
    if location[0] in (*routing.KINDS, "backup", "on_call", "call"):
        heads = [n for n, line in enumerate(lines, 1) if re.match(rf"\s*\[\[?\s*{location[0]}\s*\]", line)]
        place = location[1] if len(location) > 1 and isinstance(location[1], int) else 0
        if place >= len(heads):
            return None
        inside, location = heads[place], location[2:] if location[0] == "call" else location[1:]
    for number, line in enumerate(lines[inside:], inside + 1):
        if line.lstrip().startswith("["):
            break
        if location and re.match(rf'\s*"?{re.escape(str(location[0]))}"?\s*=', line):
            return number
    return inside or None


def rules_of(written: Ladder, given: Mapping[str, Any], zone: str) -> dict[str, Any]:
    """Return a clinic's `rules` with this ladder in them; whatever else the clinic has decided stays."""
    kinds = {kind: written.kind(kind).model_dump(mode="json", exclude={"answer"}) for kind in routing.KINDS}
    return {
        **given,
        "answer_within": {kind: written.kind(kind).answer for kind in routing.KINDS},
        "rung_minutes": written.repeat,
        "fallback": list(written.fallback),
        "hours": {"zone": zone, "week": written.hours, "holidays": list(written.holidays)},
        "ladder": {
            "kinds": kinds,
            "backup": written.backup,
            "call": [one.model_dump() for one in written.call],
        },
    }


def present(given: Mapping[str, Any], people: Sequence[Person]) -> Ladder:
    """Return what holds at a clinic now, as it would be written down."""
    rules = routing.Rules.of(given)
    return Ladder(
        hours={day: list(span) for day, span in rules.hours.week.items()},
        holidays=rules.hours.holidays,
        fallback=rules.fallback,
        repeat=rules.rung_minutes,
        backup=dict(rules.backups),
        on_call={one.email: dict(one.on_call) for one in people if one.on_call},
        call=tuple(Call(name=one.name, phone=one.phone, when=one.when) for one in rules.call_list),
        **{kind: _kind(kind, rules) for kind in routing.KINDS},
    )


def _kind(kind: str, rules: routing.Rules) -> Kind:
    rungs = {
        is_open: tuple(Rung.model_validate(vars(one)) for one in rules.rungs.get((kind, is_open), ()))
        for is_open in (True, False)
    }
    return Kind(
        answer=rules.answer_within[kind],
        clock="business" if kind in rules.in_business else "always",
        before_leaving=kind in rules.before_leaving,
        open=rungs[True],
        closed=rungs[False],
    )


def check(written: Ladder, people: Sequence[Person], zone: str) -> list[Problem]:
    """Return every reason not to publish this ladder: see ladder.check, and nobody unknown on call."""
    known = {one.email for one in people}
    strangers = [
        Problem("on_call", f"nobody active here has the address {email}")
        for email in written.on_call
        if email not in known
    ]
    return strangers + ladder.check(
        routing.Rules.of(rules_of(written, {}, zone)), with_on_call(written, people)
    )


def with_on_call(written: Ladder, people: Sequence[Person]) -> list[Person]:
    """Return the people as they would be on call by this ladder."""
    return [Person(**{**vars(one), "on_call": written.on_call.get(one.email, {})}) for one in people]


def toml(written: Ladder) -> str:
    """Return the ladder as the text of a file that `parse` reads."""
    lines = [f"hours = {_quoted(hours.say(written.hours))}"]
    lines += [
        f"{key} = [{', '.join(map(_quoted, getattr(written, key)))}]" for key in ("holidays", "fallback")
    ]
    lines += [f"repeat = {written.repeat}"]
    lines += ["", "[backup]", *(f"{_quoted(key)} = {_quoted(one)}" for key, one in written.backup.items())]
    lines += ["", "[on_call]"]
    lines += [f"{_quoted(key)} = {_quoted(hours.say(week))}" for key, week in written.on_call.items()]
    for one in written.call:
        lines += ["", "[[call]]", *(f"{key} = {_quoted(value)}" for key, value in one.model_dump().items())]
    for name in routing.KINDS:
        kind = written.kind(name)
        lines += ["", f"[{name}]", f"answer = {kind.answer}", f"clock = {_quoted(kind.clock)}"]
        lines += [f"before_leaving = {str(kind.before_leaving).lower()}"]
        for when, rungs in (("open", kind.open), ("closed", kind.closed)):
            said = ", ".join(f"{{ ask = {_quoted(rung.ask)}, wait = {rung.wait} }}" for rung in rungs)
            lines += [f"{when} = [{said}]"]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    return '"' + re.sub(r'[\x00-\x1f"\\]', lambda one: f"\\u{ord(one[0]):04x}", text) + '"'
