"""What ordinary texts are about: every sentence of the corpus, and what a topic may never do."""

from collections import defaultdict
from pathlib import Path

import pytest

from messaging.reading import read_reply, topics
from service.cli import reading

REPLIES = Path(__file__).parents[1] / "replies"
ABOUT = [sentence for sentence in reading.load(REPLIES) if sentence.part == "topics"]
BIG = ("in_building_problem", "side_effects", "pain", "medication", "call_me", "billing", "scheduling")


@pytest.mark.parametrize("language", ["en", "es"])
def test_each_big_topic_has_forty_examples_and_there_are_thirty_hard_negatives(language: str) -> None:
    ours = [sentence for sentence in ABOUT if sentence.language == language]
    for topic in BIG:
        assert sum(topic in sentence.expected["topics"] for sentence in ours) >= 40, topic
    assert sum(not sentence.expected["topics"] for sentence in ours) >= 30


@pytest.mark.parametrize("language", ["en", "es"])
def test_every_topic_is_found_and_almost_none_is_made_up(language: str) -> None:
    right, missed, wrong = defaultdict(int), defaultdict(list), defaultdict(list)
    for sentence in (sentence for sentence in ABOUT if sentence.language == language):
        got, expected = set(read_reply.read(sentence.text, language).topics), set(sentence.expected["topics"])
        for topic in got | expected:
            right[topic] += topic in got & expected
            missed[topic] += [sentence.text] * (topic in expected - got)
            wrong[topic] += [sentence.text] * (topic in got - expected)
    assert {topic: texts for topic, texts in missed.items() if texts} == {}
    for topic in topics.TOPICS:
        assert right[topic] / (right[topic] + len(wrong[topic])) >= 0.95, (topic, wrong[topic])


def test_the_rules_that_name_a_topic_stand_in_why() -> None:
    read = read_reply.read("the pills make me so dizzy i stopped taking them")
    assert read.topics == ("side_effects", "medication")
    assert {"topic.en.side_effects", "topic.en.medication"} <= set(read.why)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("Y but i need a refill", "confirm"),
        ("yes, how much is the copay?", "confirm"),
        ("I am here but the door is locked", "arrived"),
        ("need to reschedule, im pregnant and sick", "change"),
    ],
)
def test_a_text_about_something_still_does_its_act_and_a_human_reads_it(text: str, answer: str) -> None:
    read = read_reply.read(text)
    assert (read.answer, read.content, read.thanks) == (answer, True, False)
    assert read.topics


@pytest.mark.parametrize(
    "text", ["I took all my pills", "my chest hurts and i cant breathe", "me quiero morir, llámeme"]
)
def test_a_topic_hides_no_crisis(text: str) -> None:
    assert read_reply.read(text).crisis


def test_a_stop_about_a_bill_stops_all_the_same() -> None:
    assert read_reply.read("stop texting me about my bill").consent == "stop"
    assert read_reply.read("Y. STOP").topics == ()


def test_the_most_urgent_topic_comes_first() -> None:
    assert read_reply.read("cant find the entrance, also i need a refill").topics == (
        "in_building_problem",
        "medication",
    )
    assert read_reply.read("R").topics == ("scheduling",)
