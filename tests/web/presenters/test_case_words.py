"""The words of a case: what is said once is not said twice."""

import pytest

from web.presenters import case_words


@pytest.mark.parametrize(
    ("quote", "summary", "heading"),
    [
        ("I can't go on", "This text may speak of a crisis: I can't go on", "This text may speak of a crisis"),
        ("I can't\ngo on", "This text may speak of a crisis: I can't\ngo on", "This text may speak of a crisis"),
        ("I can't go on", "A colleague has asked for help", "A colleague has asked for help"),
        ("I can't go on", "I can't go on", ""),
    ],
)
def test_a_heading_does_not_say_what_stands_below_it_in_full(quote: str, summary: str, heading: str) -> None:
    assert case_words.before(quote, summary) == heading
