"""The map to OWASP ASVS 5.0: each line once, with a status, a reason where it is owed, and tests that there are."""

import ast
import re
import tomllib
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
STATUSES = ("met", "partly", "open", "declined", "not applicable")
# How many lines of levels 1 and 2 each chapter of the standard has.
CHAPTERS = {
    1: 27,
    2: 11,
    3: 19,
    4: 10,
    5: 9,
    6: 35,
    7: 18,
    8: 7,
    9: 7,
    10: 29,
    11: 14,
    12: 9,
    13: 13,
    14: 9,
    15: 13,
    16: 16,
}


def lines() -> list[dict[str, Any]]:
    """Every line of the map."""
    read: list[dict[str, Any]] = tomllib.loads((ROOT / "docs/asvs.toml").read_text(encoding="utf-8"))["line"]
    return read


@cache
def collected(path: str) -> frozenset[str]:
    """The names of the tests in a file."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    found = (node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return frozenset(name for name in found if name.startswith("test_"))


def missing(test: str) -> bool:
    """Whether there is no such test: "path::name", or a path that holds at least one."""
    path, _, name = test.partition("::")
    if not (ROOT / path).is_file():
        return True
    return name not in collected(path) if name else not collected(path)


def test_every_line_is_there_once_and_no_chapter_lacks_one() -> None:
    ids = [line["id"] for line in lines()]
    assert [each for each, count in Counter(ids).items() if count > 1] == []
    asked = Counter(int(line["id"].split(".")[0]) for line in lines() if line["level"] < 3 and "." in line["id"])
    assert asked == CHAPTERS


def test_every_line_has_a_status_and_a_reason_or_tests() -> None:
    for line in lines():
        assert line["status"] in STATUSES, line["id"]
        assert line["about"], line["id"]
        assert line.get("why") or (line["status"] == "met" and line.get("tests")), line["id"]


def test_every_test_that_is_named_is_there() -> None:
    named = [test for line in lines() for test in line.get("tests", ())]
    assert len(named) > 150
    assert sorted({test for test in named if missing(test)}) == []


def test_a_test_that_is_gone_is_noticed() -> None:
    assert missing("tests/house/test_asvs.py::test_that_nobody_wrote")
    assert missing("tests/house/test_that_nobody_wrote.py")
    assert not missing("tests/house/test_asvs.py::test_a_test_that_is_gone_is_noticed")


def test_the_page_says_how_many_lines_stand_where() -> None:
    page = (ROOT / "docs/asvs.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (1 and 2|3) \| (\d+) \| (\d+) \| (\d+) \| (\d+) \| (\d+) \|$", page, re.MULTILINE)
    for levels, *said in rows:
        counted = Counter(line["status"] for line in lines() if (line["level"] == 3) == (levels == "3"))
        assert [int(number) for number in said] == [counted[status] for status in STATUSES]
    assert [levels for levels, *_ in rows] == ["1 and 2", "3"]
    unmet = [line["id"] for line in lines() if line["status"] in ("open", "declined")]
    assert [each for each in unmet if f"**{each}**" not in page] == []
