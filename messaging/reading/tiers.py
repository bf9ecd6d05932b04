"""Which tier a text is in, by what the rules and the second reader say of it: facts in, decision out. Pure.

crisis: help text, safety item, alarm. worry: a person reads it within minutes, and nothing else happens by itself.
Nobody is ever placed lower than the rules place them, but for a soft phrase that the reader does not hear: that is a
worry and never less.
"""

from dataclasses import dataclass
from typing import Literal

from messaging.reading.likeness import Likeness

Tier = Literal["crisis", "worry"]
# Why there is no second reader for a text: none came; its weights are not what they were; it took too long; it threw.
Off = Literal["missing", "misfit", "slow", "threw"]
SLOW = 0.2  # seconds after which an answer of the reader is late, and not believed: whoever is so slow is not well


@dataclass(frozen=True)
class Mark:
    """A crisis rule that the text meets. `sure`: one of its phrases needs nobody to confirm it."""

    label: str
    sure: bool


@dataclass(frozen=True)
class Facts:
    """What is known of one text.

    `likeness` is None where the reader was not heard, `off` why. `free`: words remain that no rule understood.
    `widened` is the score from which the clinic calls free text a worry too; it can only add to the reader's own.
    """

    crises: tuple[Mark, ...] = ()
    likeness: Likeness | None = None
    off: Off | None = None
    free: bool = True
    widened: float | None = None


@dataclass(frozen=True)
class Verdict:
    """The tier, None for neither, and the keys of every reason that was met, those for a crisis first."""

    tier: Tier | None
    reasons: tuple[str, ...] = ()


def decide(facts: Facts) -> Verdict:
    """Return the tier of a text by both readers."""
    crisis, worry = _crisis(facts), _worry(facts)
    tier: Tier | None = "crisis" if crisis else "worry" if worry else None
    return Verdict(tier, (*crisis, *worry))


def rules_alone(facts: Facts) -> Verdict:
    """Return the tier of a text where the second reader is heard by nobody: each phrase of the rules is a crisis."""
    return Verdict("crisis", ("phrase",)) if facts.crises else Verdict(None)


def _crisis(facts: Facts) -> tuple[str, ...]:
    sure, soft = _marked(facts, sure=True), _marked(facts, sure=False)
    heard = _heard(facts)
    met = {
        "sure_phrase": sure,
        "soft_confirmed": soft and heard is not None and heard.band != "none",
        "soft_alone": soft and heard is None,
        "reader_high": heard is not None and heard.band == "crisis",
    }
    return tuple(reason for reason, holds in met.items() if holds)


def _worry(facts: Facts) -> tuple[str, ...]:
    heard = _heard(facts)
    if heard is None:
        return ("reader_off",) if facts.free else ()
    met = {
        "soft_unconfirmed": _marked(facts, sure=False) and heard.band == "none",
        "reader_low": heard.band == "worry",
        "reader_widened": heard.band == "none" and facts.free and _reaches(heard.score, facts.widened),
    }
    return tuple(reason for reason, holds in met.items() if holds)


def _reaches(score: float, widened: float | None) -> bool:
    return widened is not None and score >= widened


def _heard(facts: Facts) -> Likeness | None:
    """What the reader said, None where there is nothing to rely on."""
    return None if facts.off else facts.likeness


def _marked(facts: Facts, *, sure: bool) -> bool:
    return any(mark.sure is sure for mark in facts.crises)
