"""What may be billed on a day, and what never together."""

from datetime import date
from itertools import combinations

import pytest

from caseload.codes import combining, reasons
from caseload.codes.combining import Billed

DAY = date(2026, 3, 10)
APART = {
    "99492 99493", "99492 G2214", "99493 G2214", "99484 99492", "99484 99493", "99484 99494", "99484 G2214",
    "99484 G0323", "99492 G0568", "99494 G0568", "99493 G0569", "99494 G0569", "99484 G0570",
}  # fmt: skip


def test_every_pair_of_codes_that_stands_never_together() -> None:
    codes = ("99484", "99492", "99493", "99494", "G0323", "G0568", "G0569", "G0570", "G2214")
    refused = {
        f"{first} {second}"
        for first, second in combinations(codes, 2)
        for reason in combining.conflicts([Billed(first, "1"), Billed(second, "1")])
        if reason.key == "not_together"
    }
    assert refused == APART


def test_the_add_on_and_the_mirrors_never_stand_alone() -> None:
    told = [
        [reasons.words(reason) for reason in combining.conflicts([Billed(code, "1")])]
        for code in ("99494", "G0569", "99493")
    ]
    assert told == [
        ["99494 is billed with 99492 or 99493 only"],
        ["G0569 needs G0556, G0557 or G0558 of the same practitioner in the same month"],
        [],
    ]
    assert combining.conflicts([Billed("99493", "1"), Billed("99494", "1")]) == []


def test_a_code_of_two_practitioners_is_pointed_out() -> None:
    [reason] = combining.conflicts([Billed("99493", "1"), Billed("99493", "2")])
    assert reasons.words(reason).startswith("99493 is billed by two practitioners")


@pytest.mark.parametrize(
    ("code", "setting", "on", "key"),
    [
        ("99490", "physician", DAY, "unknown_code"),
        ("G0512", "physician", date(2025, 1, 1), "not_in_setting"),
        ("G0569", "physician", date(2025, 12, 31), "not_yet"),
        ("99493", "fqhc", date(2024, 12, 31), "not_yet"),
        ("G0511", "fqhc", DAY, "no_longer"),
    ],
)
def test_why_a_code_may_not_be_billed(code: str, setting: combining.Setting, on: date, key: str) -> None:
    reason = combining.refusal(code, on, setting)
    assert reason is not None
    assert reason.key == key
    assert code in reasons.words(reason)


def test_every_reason_of_the_engine_has_its_sentence() -> None:
    keys = {"no_table", "unit_above_limit", "units_above_limit", "not_timed", "not_alone", "changed_after_export"}
    keys |= {"unknown_code", "not_yet", "no_longer", "not_in_setting", "not_together", "base_elsewhere"}
    assert set(reasons.sentences().sentences) == keys | {"two_practitioners"}
