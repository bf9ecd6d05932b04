"""Why something was decided, kept as data: a key with its facts, made a sentence where a person reads it."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias, Union

# A clock time, a length as a cadence writes it, a count, a state; or the reason that this one is about.
Fact: TypeAlias = Union[str, int, "Reason"]
CLOCK = re.compile(r"\d\d:\d\d")


@dataclass(frozen=True, slots=True)
class Reason:
    """What was decided and by which facts. `key` names the sentence in the room's texts, whose gaps `facts` fill.

    It is compared and counted by its key, never by its sentence.
    """

    key: str
    facts: Mapping[str, Fact] = field(default_factory=dict)

    @property
    def keys(self) -> set[str]:
        """Its key, and those of the reasons within it."""
        inner = (fact.keys for fact in self.facts.values() if isinstance(fact, Reason))
        return {self.key}.union(*inner)

    def stored(self) -> dict[str, Any]:
        """Return it as a row keeps it: {"key", "facts"}, and a reason within it in the same way."""
        facts = {name: fact.stored() if isinstance(fact, Reason) else fact for name, fact in self.facts.items()}
        return {"key": self.key, "facts": facts}


def read(stored: Mapping[str, Any]) -> Reason:
    """Return the reason that a row keeps."""
    facts = {name: read(fact) if isinstance(fact, Mapping) else fact for name, fact in stored["facts"].items()}
    return Reason(stored["key"], facts)


@dataclass(frozen=True)
class Sentences:
    """A room's sentences by key; what stands before some of them ("dropped"), by key; names of values by fact."""

    sentences: Mapping[str, str]
    labels: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @classmethod
    def of(cls, texts: Mapping[str, Any]) -> "Sentences":
        """Read [plain], [labelled.<label>] and [names.<fact>] of a file of texts."""
        labelled: Mapping[str, Mapping[str, str]] = texts["labelled"]
        labels = {key: label for label, table in labelled.items() for key in table}
        sentences = {key: words for table in labelled.values() for key, words in table.items()}
        return cls(texts["plain"] | sentences, labels, texts["names"])

    def words(self, reason: Reason, *, labelled: bool = True, clock: Callable[[str], str] = str) -> str:
        """Return the sentence; without its labels where it is for people alone.

        `clock` writes a time of day ("08:00") as they are used to.
        """
        facts = {name: self._fact(name, fact, labelled, clock) for name, fact in reason.facts.items()}
        # A row written by a newer version may hold a reason that this one has no words for.
        sentence = self.sentences.get(reason.key, reason.key.replace("_", " ")).format_map(facts)
        label = self.labels.get(reason.key) if labelled else None
        return f"{label}: {sentence}" if label else sentence

    def _fact(self, name: str, fact: Fact, labelled: bool, clock: Callable[[str], str]) -> str:
        if isinstance(fact, Reason):
            return self.words(fact, labelled=labelled, clock=clock)
        if isinstance(fact, str) and CLOCK.fullmatch(fact):
            return clock(fact)
        return self.names.get(name, {}).get(str(fact), str(fact))
