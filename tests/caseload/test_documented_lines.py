"""The lines that docs/caseload.md shows are answered as it says."""

import json
import re
from pathlib import Path

import pytest

from tests.explained import explained

PAGE = (Path(__file__).parents[2] / "docs/caseload.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("what", ["codes", "measures"])
def test_a_line_of_the_page_is_answered_as_the_page_says(what: str) -> None:
    section = PAGE[PAGE.index(f"`warmthread explain {what}`") :]
    shown = re.search(r"```\n(.*?)```", section, re.DOTALL)
    assert shown
    decoder = json.JSONDecoder()
    line, end = decoder.raw_decode(shown[1])
    answer, _ = decoder.raw_decode(shown[1][end:].lstrip())
    assert explained(what, line) == [answer]
