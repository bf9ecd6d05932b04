"""For whom a step of a cadence is meant: conditions that all must hold, each decided as soon as its fact is known."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from messaging.reasons import Reason

NOT_CONFIRMED, INTAKE_OPEN, FIRST_VISIT = "not_confirmed", "intake_open", "first_visit"
# How a visit went; a step after the visit names one of them.
OUTCOMES = ("no_show", "arrived")
PLAIN = (NOT_CONFIRMED, INTAKE_OPEN, FIRST_VISIT, *OUTCOMES)
# These carry a name: "language:es", "place:North clinic", "kind:group".
NAMED = ("language", "place", "kind")
LANGUAGE = re.compile(r"[a-z]{2,3}")
LONGEST_NAME = 120
EXPECTED = f"expected one of {', '.join(PLAIN)}, {', '.join(f'{name}:NAME' for name in NAMED)}"


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a visit and its patient; None where it is not known yet,
    and the condition is asked again later."""

    language: str | None = None
    place: str | None = None
    kind: str | None = None
    first_visit: bool | None = None
    confirmed: bool | None = None
    intake_done: bool | None = None


def parse(text: str) -> str:
    """Return the condition as it is kept ("language:ES" as "language:es");
    raises ValueError saying what is expected."""
    name, colon, value = (part.strip() for part in text.partition(":"))
    name = name.lower()
    if not colon and name in PLAIN:
        return name
    if name not in NAMED or not value or len(value) > LONGEST_NAME:
        raise ValueError(EXPECTED)
    if name == "language":
        value = value.lower()
        if not LANGUAGE.fullmatch(value):
            raise ValueError('expected a language such as "language:es"')
    return f"{name}:{value}"


def contradiction(when: Sequence[str], *, afterwards: bool) -> str | None:
    """Return why no visit could ever meet all of these conditions, None if one could."""
    if len(set(when)) < len(when):
        return "a condition stands here twice"
    for name in NAMED:
        if len([condition for condition in when if condition.startswith(f"{name}:")]) > 1:
            return f"no visit has two of {name}: write a step for each"
    outcomes = [condition for condition in when if condition in OUTCOMES]
    if not afterwards and outcomes:
        return f'{outcomes[0]} is known only after the visit: it belongs to a step with "after"'
    if afterwards and len(outcomes) != 1:
        return 'a step after the visit says how the visit went: when = ["no_show"] or when = ["arrived"]'
    if afterwards and NOT_CONFIRMED in when:
        return "after the visit nobody is asked to confirm it: leave not_confirmed out"
    return None


def outcome(when: Sequence[str]) -> str | None:
    """Return how the visit must have gone, None for a step before the visit."""
    return next((condition for condition in when if condition in OUTCOMES), None) if when else None


def objection(when: Sequence[str], facts: Facts) -> Reason | None:
    """Return the first condition that is known not to hold, None if none is."""
    for condition in when:
        name, _, value = condition.partition(":")
        reason = _named(name, value, facts) if value else _plain(name, facts)
        if reason:
            return reason
    return None


def _plain(name: str, facts: Facts) -> Reason | None:
    if name == FIRST_VISIT and facts.first_visit is False:
        return Reason("seen_before")
    if name == NOT_CONFIRMED and facts.confirmed:
        return Reason("confirmed")
    if name == INTAKE_OPEN and facts.intake_done:
        return Reason("answered")
    return None


def _named(name: str, value: str, facts: Facts) -> Reason | None:
    actual: str | None = getattr(facts, name)
    if name == "language":
        holds = same_language(actual or "en", value)
    else:
        holds = same_name(actual, value)
    if holds:
        return None
    if name == "kind":
        return Reason("other_kind")  # reasons are kept in clear beside the visit, and a kind may say why somebody comes
    return Reason(f"other_{name}", {"wanted": value, "theirs": actual or ""})


def same_language(language: str, wanted: str) -> bool:
    """Whether "es-MX" is meant by "es"."""
    return language.lower().replace("_", "-").split("-")[0] == wanted


def same_name(name: str | None, wanted: str) -> bool:
    """Whether two names of a place or of a kind of visit are the same but for capitals and spaces."""
    return name is not None and plain(name) == plain(wanted)


def plain(name: str) -> str:
    """Return a name as it is compared: small letters, single spaces."""
    return " ".join(name.casefold().split())
