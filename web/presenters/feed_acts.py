"""What would be done with a message, in words: its acts, each with what it holds, and what was wrong with it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from web import times, words

# In the order in which they are read; what is nested is told by a line of its own.
PLAIN = ("key", "minutes", "place", "clinician", "kind", "instrument", "loinc", "state", "total", "item", "value", "on")
WEIGHTS = ("rejected", "error", "held", "warning")


@dataclass(frozen=True)
class Act:
    """One act: what would be done, whether it waits for a person, and what it holds."""

    what: str
    waits: bool
    facts: list[tuple[str, str]]


@dataclass(frozen=True)
class Told:
    """What would be done with a message: its answer, its acts, and its problems as (how much it weighs, words)."""

    answer: str
    acts: list[Act]
    problems: list[tuple[str, str]]


def told(explained: Mapping[str, Any], zone: str) -> Told:
    """Return in words what `interchange.explaining` has answered; moments are by the clock of `zone`."""
    beside = [*explained.get("attention", []), *explained.get("emergency", []), *explained.get("inpatient", [])]
    acts = [_act(act, zone) for act in [*explained["acts"], *beside]]
    problems = sorted(explained["problems"], key=lambda problem: WEIGHTS.index(problem["weight"]))
    listed = [(words.say("feed_weights", problem["weight"]), _where(problem)) for problem in problems]
    return Told(words.say("feed_answers", explained["ack"] or "none"), acts, listed)


def _where(problem: Mapping[str, str]) -> str:
    return f"{problem['words']} ({problem['where']})" if problem["where"] else problem["words"]


def _act(act: Mapping[str, Any], zone: str) -> Act:
    named = act["act"].replace(".", "_")
    facts = [(words.say("feed_facts", name), value) for name, value in _facts(act, zone) if value]
    return Act(words.say("feed_acts", named), bool(act.get("held")), facts)


def _facts(act: Mapping[str, Any], zone: str) -> Iterator[tuple[str, str]]:
    if act["act"].startswith("visit."):
        yield "start", _start(act.get("start"), zone)
    elif act["act"].startswith("emergency."):
        yield "start", _start(act.get("at"), zone)
    for edge in ("admitted_at", "discharged_at"):
        if edge in act:
            yield edge, _start(act[edge], zone) if act[edge] else words.say("feed_facts", "open")
    for name in ("patient", "merged"):
        yield name, _identifier(act.get(name))
    yield from _person(act.get("person") or {})
    for name in PLAIN:
        yield name, str(act[name]) if act.get(name) is not None else ""
    if act.get("answers"):
        yield "answers", ", ".join("–" if value is None else str(value) for value in act["answers"])


def _start(start: str | None, zone: str) -> str:
    if not start:
        return words.say("feed_facts", "unknown")
    return times.exact(datetime.strptime(start, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC), zone)


def _identifier(who: Mapping[str, str | None] | None) -> str:
    return " · ".join(filter(None, (who.get("identifier"), who.get("type"), who.get("authority")))) if who else ""


def _person(person: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "name", " ".join(filter(None, (person.get("first_name"), person.get("last_name"))))
    born = person.get("birth_date")
    yield "birth_date", times.date_of(date.fromisoformat(born)) if born else ""
    yield "language", words.say("languages", person["language"]) if person.get("language") else ""
    phones: Sequence[Mapping[str, Any]] = person.get("phones") or []
    for phone in phones:
        texts = phone.get("texts")
        said = "" if texts is None else words.say("feed_facts", "texts_yes" if texts else "texts_no")
        parts = (phone.get("number") or phone.get("written"), phone.get("kind"), said)
        yield "phone", " · ".join(filter(None, parts))
