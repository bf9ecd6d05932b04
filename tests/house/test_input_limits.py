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

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/input.md").read_text("utf-8")
# What must fit together, by its subject: a test that fails where it need not any more.
TOGETHER = {
    "A text to a patient": (
        "tests/messaging/test_contactability.py",
        "test_whoever_may_be_texted_has_agreed_and_whoever_may_not_has_a_reason",
    ),
    "A visit": (
        "tests/interchange/test_owning.py",
        "test_two_that_say_one_start_at_one_time_are_one",
    ),
    "An answer": (
        "tests/intake_links/test_binding.py",
        "test_item_nine_in_the_first_tab_is_the_first_patients_though_the_second_opened_theirs",
    ),
    "A change of who is told of what": (
        "tests/messaging/inbox/staff/test_roster.py",
        "test_half_an_hour_less_that_leaves_nobody_is_refused_to_the_minute",
    ),
    "A second person": (
        "tests/messaging/test_two_person_rule.py",
        "test_whoever_agrees_is_settled_able_and_neither_asker_nor_concerned",
    ),
    "A minute of Collaborative Care": (
        "tests/caseload/test_timing.py",
        "test_it_never_counts_more_than_went_by_nor_a_moment_twice",
    ),
    "A key of a program": (
        "tests/messaging/programs/test_keys.py",
        "test_a_key_ends_with_the_colleague_in_whose_name_it_acts",
    ),
    "A file that replaces all visits": (
        "tests/reminders/imports/test_completeness.py",
        "test_more_than_the_clinic_s_share_is_held_and_nothing_at_all_is_done",
    ),
    "A logout token": (
        "tests/web/account/test_sso_logout.py",
        "test_a_token_that_says_one_thing_wrong_signs_nobody_out",
    ),
}
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
    table = PAGE.partition("## How often\n")[2].partition("\n## ")[0]
    for said in (
        f"from one source or one known device | {limits.AT_SOURCE.free} tries in half an hour |",
        f"from one source over all accounts | {limits.ACCOUNT.free}; {limits.SOURCE.free} |",
        f"from anywhere | {limits.STEP_AT_SOURCE.free} in half an hour; {limits.STEP.free} in twelve hours |",
        f"refused logout tokens | {limits.PASSKEY.free}; {limits.PROVIDER.free} in half an hour from one source |",
        f"wrong birth dates from one source | {birth_date_check.WRONG_DATES.free} |",
        f"from one source; at the door | {tablet_pages.TRIES.free}; {tablet_codes.AT_DOOR.free} |",
        f"without one that is good | {door.OF_KEY.free}; {door.OF_STRANGER.free} a minute |",
        f"sessions of one colleague | {sessions.AT_ONCE} at once, 15 idle minutes, 12 hours |",
    ):
        assert said in table, said


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
    assert {subject[1] for subject in subjects if subject} == TOGETHER.keys()
    for path, name in TOGETHER.values():
        assert f"def {name}(" in (ROOT / path).read_text("utf-8"), name


def test_a_body_is_understood_by_one_reader() -> None:
    """What checks the fields of a body reads what the one reader has understood, written anew."""
    given = [
        (path.parent.name, found)
        for room in ("api", "webhooks")
        for path in sorted((ROOT / room).rglob("*.py"))
        for found in re.findall(r"model_validate_json\(((?:[^()]|\([^()]*\))*)\)", path.read_text("utf-8"))
    ]
    assert given == [("api", "text"), ("webhooks", "json.dumps(document)")]
    for name in ("api/door.py", "webhooks/submissions.py"):
        assert "strict_json.loaded(" in (ROOT / name).read_text("utf-8")
