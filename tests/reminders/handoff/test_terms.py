"""What a clinic may decide of its handoffs, and what it is told of what it may not."""

from typing import Any

import pytest

from reminders.handoff import terms


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("answer", 0, "greater than or equal to 1"),
        ("answer", "soon", "whole number"),
        ("at_once", 6, "less than or equal to 5"),
        ("order", ["load", "load"], "twice"),
        ("order", ["shoe size"], "not offered"),
        ("video", "http://video.example.org/{room}", "https://"),
        ("video", "https://video.example.org/clinic", "one room"),
        ("video", "https://video.example.org/{patient}", "{room} or {colleague}"),
        ("video", "https://video.example.org/{room}?{name}", "are filled in"),
        ("nonsense", 1, "unknown"),
    ],
)
def test_each_mistake_stands_at_its_field(field: str, value: Any, said: str) -> None:
    with pytest.raises(terms.BadTerms) as wrong:
        terms.from_mapping({field: value})
    [problem] = wrong.value.problems
    assert problem.field.startswith(field)
    assert said in problem.message


def test_an_urgent_offer_never_waits_longer_than_another() -> None:
    assert terms.Terms(answer=1, urgent=5).patience(urgent=True) == terms.Terms(answer=1).patience(urgent=False)
