"""A second reader that is slow, throws or is not there is not believed, and says so."""

import time

import pytest

from config import logging
from messaging.reading import likeness, read_reply, tiers
from messaging.reading.likeness import Likeness
from messaging.second_reading import hearing, standing

ACTS = standing.Standing(standing.Terms(), acts=True)


def slow(text: str, language: str | None) -> Likeness | None:
    """The real reader on a machine that is too slow for it."""
    read = likeness.read(text, language)
    end = time.perf_counter() + tiers.SLOW + 0.05
    while time.perf_counter() < end:
        pass
    return read


def throws(_text: str, _language: str | None) -> Likeness | None:
    raise RuntimeError("a word that must not be logged")


def silent(_text: str, _language: str | None) -> Likeness | None:
    return None


@pytest.mark.parametrize(("reader", "off"), [(slow, "slow"), (throws, "threw"), (silent, "missing")])
@pytest.mark.parametrize(
    ("words", "tier"),
    [("is the side door open", "worry"), ("Y", None), ("I give up", "crisis"), ("I want to die", "crisis")],
)
def test_the_rules_alone_go_on_and_free_text_is_a_worry(
    reader: hearing.Reader, off: str, words: str, tier: str | None
) -> None:
    read = read_reply.read(words)
    heard = hearing.hear(words, reader=reader)
    assert (heard.likeness, heard.off) == (None, off)
    assert hearing.judge(read, heard, ACTS, free=read.content).verdict.tier == tier


def test_what_it_throws_is_logged_by_its_kind_alone(capsys: pytest.CaptureFixture[str]) -> None:
    logging.configure("info")
    hearing.hear("hello", reader=throws)
    said = capsys.readouterr().err
    assert "second reading failed" in said
    assert "a word that must not be logged" not in said


def test_as_shipped_it_is_fast_and_fit() -> None:
    assert likeness.check() is None
    assert hearing.hear("bottle is empty now just waiting").off is None
