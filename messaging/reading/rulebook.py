"""Loads the rules by which replies are read, from texts/reading/*.toml, compiled once."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any, Literal

from messaging.reading import folding, phrases

GONE = phrases.GONE
# Ends the label under which the idiom-prone phrases of a crisis rule stand: the second reader is asked about them.
SOFT = ".soft"
LANGUAGES = ("en", "es")
Consent = Literal["stop", "start", "help"]
Scope = Literal["all", "reminders", "screening", "visit"]
Answer = Literal["confirm", "change", "arrived", "late", "wrong_person"]


@dataclass
class Rules:
    """All rules of all languages. A label is "section.language.name"; dictionaries go from folded words to labels."""

    spelling: folding.Spelling
    spaced: re.Pattern[str]
    yes: re.Pattern[str]
    no: re.Pattern[str]
    book: phrases.Phrasebook = field(default_factory=phrases.Phrasebook)
    exceptions: dict[str, phrases.Phrasebook] = field(default_factory=dict)
    courtesies: phrases.Phrasebook = field(default_factory=phrases.Phrasebook)
    never_opens: phrases.Phrasebook = field(default_factory=phrases.Phrasebook)
    idioms: phrases.Phrasebook = field(default_factory=phrases.Phrasebook)
    scopes: phrases.Phrasebook = field(default_factory=phrases.Phrasebook)
    idle: set[str] = field(default_factory=set)
    acknowledged: set[str] = field(default_factory=set)
    consents: dict[str, Consent] = field(default_factory=dict)
    answers: dict[str, Answer] = field(default_factory=dict)
    strict: dict[str, str] = field(default_factory=dict)
    keywords: dict[str, str] = field(default_factory=dict)
    revocations: dict[str, str] = field(default_factory=dict)
    answers_alone: dict[str, str] = field(default_factory=dict)
    stops: dict[str, str] = field(default_factory=dict)  # what alone says stop, and nothing else

    def found(self, words: str) -> tuple[str, ...]:
        """Return the labels of the rules that ``words`` meet, their exceptions taken out of the words first."""
        return tuple(label for label in sorted(self.book.labels(words)) if self._stands(label, words))

    def _stands(self, label: str, words: str) -> bool:
        if label not in self.exceptions:
            return True
        without = self.exceptions[label].without(words)
        return without == words or label in self.book.labels(without, label)


@cache
def rules() -> Rules:
    """Return the rules; reading the files happens at the first call only."""
    files = {language: read_file(language) for language in LANGUAGES}
    made = Rules(
        spelling=folding.Spelling(_all(files, "near"), _all(files, "not_near")),
        spaced=phrases.spaced_out(_all(files, "spaced")),
        yes=_opening(files, "confirm"),
        no=_opening(files, "change"),
    )
    _add_consents(made, read_file("carrier"), "", {})
    for language, file in files.items():
        words = file["words"]
        for rule in file["crisis"]:
            label = f"crisis.{language}.{rule['name']}"
            _add(made, label, rule, words)
            _add(made, label + SOFT, {**rule, "phrases": rule.get("soft", ())}, words)
            made.idioms.add("idiom", rule.get("except", ()), words)
        _add_consents(made, file, f"{language}.", words)
        _add_answers(made, file, language, words)
        _add_courtesies(made, file, words)
        made.book.add(f"unsure.{language}", file["unsure"]["phrases"], words)
        _add_topics(made, read_file(f"topics.{language}"), language)
        for scope, named in file["scope"].items():
            made.scopes.add(scope, named, words)
    _add_stops(made, files)
    return made


def language_of(labels: Iterable[str]) -> str | None:
    """Return the language in which what weighs in a text is said, None where none or several of its rules say so."""
    said_in = {label.split(".")[1] for label in labels if label.startswith(("crisis.", "topic."))}
    return said_in.pop() if len(said_in) == 1 else None


def _add(made: Rules, label: str, rule: dict[str, Any], words: dict[str, list[str]]) -> None:
    made.book.add(label, rule.get("phrases", ()), words)
    if "except" in rule:
        made.exceptions.setdefault(label, phrases.Phrasebook()).add(label, rule["except"], words)


def _add_consents(made: Rules, file: dict[str, Any], language: str, words: dict[str, list[str]]) -> None:
    for rule in file["consent"]:
        is_keyword = rule["name"].startswith("keyword.")
        label = f"consent.{rule['name']}" if is_keyword else f"consent.{language}{rule['name']}"
        made.consents[label] = rule["means"]
        _add(made, label, rule, words)
        if rule["means"] == "start":
            made.strict.update((word.casefold(), label) for word in rule["alone"])
            continue
        alone = made.keywords if is_keyword else made.revocations
        for written in (*rule["alone"], *rule.get("also", ())):
            alone.setdefault(folding.fold(written), label)


def _add_stops(made: Rules, files: dict[str, dict[str, Any]]) -> None:
    """What alone says stop and nothing else, so that it says it beside an answer too ("Y. STOP")."""
    rules = [rule for file in files.values() for rule in file["consent"]]
    unclear = {folding.fold(word) for rule in rules for word in rule.get("never_beside", ())}
    for word, label in (made.revocations | made.keywords).items():
        if made.consents[label] == "stop" and word not in unclear and word not in made.answers_alone:
            made.stops[word] = label


def _add_answers(made: Rules, file: dict[str, Any], language: str, words: dict[str, list[str]]) -> None:
    for rule in file["answer"]:
        label = f"answer.{language}.{rule['means']}"
        made.answers[label] = rule["means"]
        _add(made, label, rule, words)
        made.never_opens.add(label, rule.get("never_opens", ()), words)
        for written in rule["alone"]:
            made.answers_alone.setdefault(folding.fold(written), label)


def _add_topics(made: Rules, file: dict[str, Any], language: str) -> None:
    for rule in file["topic"]:
        _add(made, f"topic.{language}.{rule['name']}", rule, file["words"])


def _add_courtesies(made: Rules, file: dict[str, Any], words: dict[str, list[str]]) -> None:
    courtesy = file["courtesy"]
    made.courtesies.add("thanks", courtesy["thanks"], words)
    made.courtesies.add("polite", courtesy["polite"], words)
    made.idle.update(folding.fold(written) for written in courtesy["idle"])
    made.acknowledged.update(folding.fold(written) for written in courtesy["acknowledged"])


def _opening(files: dict[str, dict[str, Any]], means: str) -> re.Pattern[str]:
    """The words that open a yes ("confirm") or a no ("change"), longest first."""
    opens = [
        folding.fold(written)
        for file in files.values()
        for rule in file["answer"]
        if rule["means"] == means
        for written in rule.get("opens", ())
    ]
    return re.compile(f"(?:{'|'.join(sorted(opens, key=len, reverse=True))})(?= |$)")


def _all(files: dict[str, dict[str, Any]], key: str) -> list[str]:
    return [word for file in files.values() for word in file[key]]


def read_file(name: str) -> dict[str, Any]:
    """Return a file of texts/reading as it is written."""
    source = resources.files("messaging").joinpath("texts", "reading", f"{name}.toml")
    return tomllib.loads(source.read_text(encoding="utf-8"))
