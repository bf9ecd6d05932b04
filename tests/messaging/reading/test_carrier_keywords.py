"""What the carrier acts on is listed once, and everything that must know of it reads that list."""

import pytest

from messaging.reading import carrier_keywords, read_reply
from messaging.wording import text_templates
from simulator import keywords

WORDS = [(word, means) for means, words in carrier_keywords.listed().items() for word in words]


@pytest.mark.parametrize(("word", "means"), WORDS)
def test_a_word_the_carrier_acts_on_means_the_same_to_us_and_to_the_simulated_carrier(word: str, means: str) -> None:
    assert keywords.read(word) == means.upper()
    assert read_reply.read(word).consent == means
    assert carrier_keywords.acts_on(f" {word.capitalize()}\n")


def test_the_list_is_whole() -> None:
    assert sorted(word for word, _ in WORDS) == sorted(
        [
            "STOP",
            "STOPALL",
            "UNSUBSCRIBE",
            "CANCEL",
            "END",
            "QUIT",
            "REVOKE",
            "OPTOUT",
            "START",
            "YES",
            "UNSTOP",
            "HELP",
            "INFO",
        ]
    )


@pytest.mark.parametrize("text", ["stop it", "STOP.", "opt out", "stop all", "opt-out", "y", "cancelar", "alto", ""])
def test_whatever_is_not_exactly_a_word_of_the_carrier_is_ours_to_answer(text: str) -> None:
    assert not carrier_keywords.acts_on(text)


@pytest.mark.parametrize("text", ["stop all", "Opt out", "OPT-OUT"])
def test_a_stop_the_carrier_does_not_know_is_a_stop_all_the_same(text: str) -> None:
    assert read_reply.read(text).consent == "stop"


@pytest.mark.parametrize("word", [word for word, means in WORDS if word != means.upper()] + ["CANCELAR"])
def test_no_text_of_ours_may_ask_for_a_word_that_the_carrier_acts_on(word: str) -> None:
    assert "carrier_word" in [problem.rule for problem in text_templates.lint(f"Reply {word} to confirm")]
    blocks = word not in ("INFO",)
    assert ("carrier_capitals" in [problem.rule for problem in text_templates.lint(f"Press Y or {word}")]) == blocks


@pytest.mark.parametrize("word", ["STOP", "START", "HELP"])
def test_a_text_of_ours_may_name_the_three_words_patients_are_told_of(word: str) -> None:
    assert text_templates.lint(f"Write {word} when you like") == []
