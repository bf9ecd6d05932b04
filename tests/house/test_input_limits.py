"""What docs/input.md says of limits is what the code holds."""

import importlib
import re
from datetime import timedelta
from pathlib import Path

from api import door
from intake_links import birth_date_check, tablet_codes, tablet_pages
from messaging.media import file_types
from web import sessions
from web.account import sign_in_limits

PAGE = (Path(__file__).parents[2] / "docs/input.md").read_text("utf-8")
ROW = re.compile(r"^\| (?P<what>[^|]+) \| [^|]* \| (?P<said>[\d,]+)(?: \w+)? \| `(?P<where>[\w.]+)` \|$", re.M)


def held(where: str) -> int:
    """The limit that stands at this place in the code, in the unit in which the page says it."""
    module, _, name = where.rpartition(".")
    limit = getattr(importlib.import_module(module), name)
    if isinstance(limit, timedelta):
        return limit.days or limit.seconds // 3600
    return int(limit)


def test_each_limit_of_the_page_is_that_of_the_code() -> None:
    rows = list(ROW.finditer(PAGE))
    assert len(rows) == len(re.findall(r"`[\w.]+\.[A-Z_]+` \|$", PAGE, re.M)) >= 50
    wrong = [row["what"] for row in rows if int(row["said"].replace(",", "")) != held(row["where"])]
    assert wrong == []


def test_how_often_is_that_of_the_code() -> None:
    limits = sign_in_limits
    assert {limits.AT_SOURCE.free, limits.AT_DEVICE.free, limits.STEP_AT_SOURCE.free, limits.STEP_AT_DEVICE.free} == {5}
    assert (limits.ACCOUNT.free, limits.SOURCE.free, limits.STEP.free) == (50, 30, 20)
    assert (limits.PASSKEY.free, limits.PROVIDER.free) == (30, 60)
    assert (birth_date_check.WRONG_DATES.free, tablet_pages.TRIES.free, tablet_codes.AT_DOOR.free) == (20, 5, 30)
    assert (door.OF_KEY.free, door.OF_STRANGER.free) == (600, 30)
    assert (sessions.AT_ONCE, sessions.IDLE / timedelta(minutes=1)) == (3, 15)
    assert timedelta(hours=12) == sessions.LONGEST


def test_each_picture_of_the_page_is_one_that_is_shown_and_no_other() -> None:
    shown = {kind.ending for kind in file_types.KINDS.values() if kind.picture}
    assert shown == {"jpg", "png", "gif", "webp"}
    named = {kind.ending.upper() for kind in file_types.KINDS.values()} - {"BIN", "VCF", "JPG", "OGG", "WEBP", "WEBM"}
    assert {name for name in named if name not in PAGE} == set()


def test_what_must_fit_together_is_written_down() -> None:
    rules = PAGE.partition("## What must fit together\n")[2].partition("\n## ")[0]
    lines = [line for line in rules.splitlines() if line.startswith("- ")]
    subjects = [re.match(r"- \*\*([^*]+)\*\* .{40,}", line) for line in lines]
    assert len(lines) >= 9
    assert [line for line, subject in zip(lines, subjects, strict=True) if subject is None] == []
