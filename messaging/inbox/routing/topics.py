"""What a text is about, as routing sees it: which topic leads, by when it is owed, whether the desk may have it. Pure.

An item's `reason` holds these as "topic:medication", "in_building" where the patient is here now, and "said_in:es"
where the words are Spanish and the record is not. They say what came, not who has it, and stay when somebody else is
chosen.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from messaging.reading.topics import TOPICS, Topic

# Said of an item of somebody who was at risk lately, see messaging.inbox.recent_risk: it is owed as soon as a screen.
WATCHED = "lately_at_risk"
# Said of a text that may be a crisis though nothing in it says so for sure: by likeness and not by a word, by a phrase
# that is often an idiom, or because nobody but the rules has read it. It is read within minutes, as a positive screen
# at the latest, and by who can assess.
LIKENESS, PHRASE, UNREAD, MISSED = "worry_likeness", "worry_phrase", "worry_unread", "worry_missed"
WORRIES = (LIKENESS, PHRASE, UNREAD, MISSED)
# Said of what was a worry until a colleague read it and called it neither that nor a crisis.
CALLED_NEITHER = "worry_neither"
# Said where it would have been the front desk's, and none of them was there.
DESK_OFF = "desk_off"
IN_BUILDING = "in_building"
HERE: Topic = "in_building_problem"
CARE_TEAM, FRONT_DESK = "care_manager", "front_desk"
# To whose inbox an item can be given as a whole; the front desk reads nothing but these topics.
ROLES = (CARE_TEAM, FRONT_DESK)
OF_THE_DESK: tuple[Topic, ...] = ("billing", "scheduling")
_ABOUT, _SAID_IN = "topic:", "said_in:"
_KEPT = (*WORRIES, CALLED_NEITHER, WATCHED, IN_BUILDING, DESK_OFF)


@dataclass(frozen=True)
class Terms:
    """What a clinic decides about a topic: minutes until it must be answered, and which role has it (ROLES)."""

    answer: int
    to: str = CARE_TEAM


# Policy, not law. Less than an ordinary reply's time counts, more does not: a topic makes nothing less urgent.
DEFAULTS: Mapping[Topic, Terms] = MappingProxyType(
    {
        HERE: Terms(5),
        **{topic: Terms(60) for topic in TOPICS if topic not in (HERE, *OF_THE_DESK)},
        **{topic: Terms(240, FRONT_DESK) for topic in OF_THE_DESK},
    }
)


def terms_of(stored: Mapping[str, Any]) -> Mapping[Topic, Terms]:
    """Read what a clinic has decided about its topics; what it leaves out keeps its default."""
    return {topic: Terms(**stored[topic]) if topic in stored else terms for topic, terms in DEFAULTS.items()}


def reasons(topics: Iterable[str], *, here: bool = False) -> tuple[str, ...]:
    """Return how an item's `reason` says what its text is about, and that the patient is in the building."""
    return (*((IN_BUILDING,) if here else ()), *(f"{_ABOUT}{topic}" for topic in topics))


def said_in(language: str) -> str:
    """Return how a `reason` says that the words are in another language than the patient's record and these pages."""
    return f"{_SAID_IN}{language}"


def language(reason: Iterable[str]) -> str | None:
    """Return the language that a `reason` says the words are in; the last one said holds."""
    said = [each.removeprefix(_SAID_IN) for each in reason if each.startswith(_SAID_IN)]
    return said[-1] if said else None


def of(reason: Iterable[str]) -> tuple[Topic, ...]:
    """Return the topics that stand in a `reason`, the most urgent first."""
    named = {each.removeprefix(_ABOUT) for each in reason if each.startswith(_ABOUT)}
    return tuple(topic for topic in TOPICS if topic in named)


def leading(reason: Iterable[str]) -> str | None:
    """Return the topic that decides, None for a text about nothing that is known."""
    return next(iter(of(reason)), None)


def kept(reason: Iterable[str]) -> tuple[str, ...]:
    """Return of a `reason` what says what came, without who has it and why."""
    return tuple(each for each in reason if each in _KEPT or each.startswith((_ABOUT, _SAID_IN)))


def joined(reason: Sequence[str], more: Iterable[str]) -> list[str]:
    """Return a `reason` with what more words are about, each once, what came before who has it."""
    added = [each for each in more if each not in reason]
    return [*kept(reason), *added, *(each for each in reason if each not in kept(reason))]


def minutes(reason: Sequence[str], terms: Mapping[Topic, Terms]) -> int | None:
    """Return within how many minutes a text with this `reason` must be answered, None where no topic says so."""
    about = (*of(reason), *((HERE,) if IN_BUILDING in reason else ()))
    return min((terms[topic].answer for topic in about), default=None)


def of_worry(reasons: Collection[str]) -> str:
    """Return what made somebody worry, by the reasons of a tier (messaging.reading.tiers): the second reader, a phrase
    of the rules, or that nobody else could read it."""
    if {"reader_low", "reader_widened", "reader_high"} & set(reasons):
        return LIKENESS
    return PHRASE if "soft_unconfirmed" in reasons else UNREAD


def is_worry(reason: Iterable[str]) -> bool:
    """Whether a `reason` says that the text may be a crisis."""
    return any(each in WORRIES for each in reason)


def for_the_desk(reason: Sequence[str], terms: Mapping[Topic, Terms]) -> bool:
    """Whether this is the front desk's work: every topic is, and nothing beside it is a care manager's."""
    about = of(reason)
    return bool(about) and may_go_to_the_desk(reason) and all(terms[topic].to == FRONT_DESK for topic in about)


def may_go_to_the_desk(reason: Sequence[str]) -> bool:
    """Whether a colleague may hand it to the front desk: nothing clinical was read in it, and nobody was at risk."""
    clinical = set(of(reason)) - set(OF_THE_DESK)
    return not clinical and not {*WORRIES, WATCHED, IN_BUILDING} & set(reason)
