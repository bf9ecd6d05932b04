"""What an ordinary text is about: topics by the rules of texts/reading/topics.*.toml. Pure.

A topic makes a text no less urgent than it was, and takes no answer away. The rules of a topic are found with all
others, under labels such as "topic.en.medication".
"""

from collections.abc import Iterable
from typing import Literal, get_args

from messaging.reading.rulebook import Answer

Topic = Literal[
    "in_building_problem", "side_effects", "pregnancy", "pain", "medication", "call_me", "billing", "scheduling"
]
# The most urgent first: the first of a text's topics decides who has it, and by when.
TOPICS: tuple[Topic, ...] = get_args(Topic)
# What an answer to a reminder is about, whatever its words.
OF_ANSWERS: dict[Answer, Topic] = {"late": "in_building_problem", "change": "scheduling"}


def rules_met(labels: Iterable[str]) -> tuple[str, ...]:
    """Return those of the labels of rules that name a topic."""
    return tuple(label for label in labels if label.startswith("topic."))


def beyond_scheduling(labels: Iterable[str]) -> tuple[str, ...]:
    """Return the labels that name a topic other than the visit itself."""
    return tuple(label for label in labels if not label.endswith(".scheduling"))


def named(labels: Iterable[str], answer: Answer | None) -> tuple[Topic, ...]:
    """Return the topics of these labels and of the answer, the most urgent first."""
    met = {label.rpartition(".")[2] for label in labels}
    met |= {OF_ANSWERS[answer]} if answer in OF_ANSWERS else set()
    return tuple(topic for topic in TOPICS if topic in met)
