"""A payer's tables: one for each month, no gap, no overlap, and no year that nobody has read."""

import re
from datetime import date
from importlib import resources
from typing import Any

import pytest

from caseload.codes import tables
from caseload.months import Month

MEDICARE = resources.files("caseload.codes").joinpath("payers/medicare.toml").read_text(encoding="utf-8")
TABLE = MEDICARE[MEDICARE.index("\n[[table]]") :]


def two_years(**second: str) -> str:
    """Medicare's file with a second table, in which lines have other values."""
    table = TABLE
    for field, value in second.items():
        table = re.sub(rf"^{field} = .*$", f"{field} = {value}", table, flags=re.MULTILINE)
    return MEDICARE + table


def test_each_payer_that_ships_can_be_read() -> None:
    assert list(tables.payers()) == ["medicare"]


def test_a_month_has_the_table_of_its_year_and_another_year_has_none() -> None:
    medicare = tables.payers()["medicare"]
    assert [bool(tables.table_of(Month(*month), medicare)) for month in ((2025, 12), (2026, 1), (2026, 12))] == [
        False, True, True
    ]  # fmt: skip
    assert tables.table_of(Month(2027, 1), medicare) is None


def test_a_new_year_is_a_new_table_and_the_old_one_stays() -> None:
    text = two_years(version='"medicare-2027.1"', valid_from="2027-01-01", valid_to="2027-12-31")
    _, both = tables.read(text)
    versions = [getattr(tables.table_of(Month(year, 5), both), "version", None) for year in (2026, 2027, 2028)]
    assert versions == ["medicare-2026.1", "medicare-2027.1", None]


@pytest.mark.parametrize(
    ("second", "message"),
    [
        ({"valid_from": "2027-02-01", "valid_to": "2027-12-31"}, "a gap between 2026-12-31 and 2027-02-01"),
        ({"valid_from": "2026-12-01", "valid_to": "2027-12-31"}, "an overlap between 2026-12-31 and 2026-12-01"),
        ({"valid_from": "2027-01-02", "valid_to": "2027-12-31"}, "whole months"),
        ({"valid_from": "2027-01-01", "valid_to": "2027-12-30"}, "whole months"),
        ({"valid_from": "2027-02-01", "valid_to": "2027-01-31"}, "whole months"),
        ({"midpoint": '"yes"'}, "table[1].midpoint: expected true or false"),
        ({"g2214_min": "0"}, "table[1].g2214_min"),
        ({"bhi": "{ code = 99484, minutes = 20 }"}, "table[1].bhi.code: expected a text"),
    ],
)
def test_a_file_that_cannot_hold_says_where(second: dict[str, str], message: str) -> None:
    with pytest.raises(tables.BadTable, match=re.escape(message)):
        tables.read(two_years(**second))


def test_a_payer_s_style_is_laid_over_medicare_s_numbers() -> None:
    [medicare] = tables.payers()["medicare"]
    own: Any = tables.Style.model_validate({"g2214_min": None}).over(medicare)
    assert (own.g2214_min, own.addon_cap, own.midpoint, own.first) == (None, None, True, medicare.first)
    assert own.version != medicare.version
    assert medicare.g2214_min == 16


def test_without_a_gap_rule_each_episode_begins_with_a_first_month() -> None:
    [medicare] = tables.payers()["medicare"]
    assert tables.first_month_again(date(2026, 2, 28), date(2026, 3, 1), medicare)
