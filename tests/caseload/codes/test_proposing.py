"""From minutes to codes: payers' styles, what a person must choose, and how far the next code is."""

from typing import Any

import pytest

from caseload.codes import proposing, tables
from caseload.codes.proposing import Next, Units

[MEDICARE] = tables.payers()["medicare"]


def proposed(minutes: int, *, first_month: bool = True, **further: Any) -> proposing.Proposal:
    style = {name: further.pop(name) for name in ("g2214_min", "addon_cap", "midpoint") if name in further}
    return proposing.propose(minutes, MEDICARE.model_copy(update=style), first_month=first_month, **further)


def total_units(proposal: proposing.Proposal) -> list[tuple[str, int]]:
    return [(each.code, each.units) for each in proposal.codes]


def test_without_the_midpoint_each_code_needs_its_whole_time() -> None:
    first = {count: total_units(proposed(count, midpoint=False)) for count in (69, 70, 99, 100, 130)}
    assert first == {
        69: [("G2214", 1)],
        70: [("99492", 1)],
        99: [("99492", 1)],
        100: [("99492", 1), ("99494", 1)],
        130: [("99492", 1), ("99494", 2)],
    }
    later = [total_units(proposed(count, first_month=False, midpoint=False))[-1] for count in (59, 60, 89, 90, 120)]
    assert later == [("G2214", 1), ("99493", 1), ("99493", 1), ("99494", 1), ("99494", 2)]


def test_a_payer_may_know_no_short_month() -> None:
    assert total_units(proposed(35, g2214_min=None)) == []
    assert proposed(0, g2214_min=None).to_next == Next("99492", 36)


def test_the_whole_table_of_a_first_and_a_later_month() -> None:
    for first_month, code, steps in (
        (True, "99492", (36, 86, 116, 146, 176)),
        (False, "99493", (31, 76, 106, 136, 166)),
    ):
        for addons, (least, ends) in enumerate(zip(steps, (*steps[1:], steps[-1] + 30), strict=True)):
            wanted = [(code, 1), *([("99494", addons)] if addons else [])]
            assert all(total_units(proposed(count, first_month=first_month)) == wanted for count in range(least, ends))
        assert all(
            total_units(proposed(count, first_month=first_month)) == [("G2214", 1)] for count in range(16, steps[0])
        )
        assert all(total_units(proposed(count, first_month=first_month)) == [] for count in range(16))


def test_the_next_code_and_its_minutes() -> None:
    nexts = [proposed(count, first_month=False).to_next for count in (0, 15, 16, 30, 31, 75, 76, 105)]
    assert nexts == [
        Next("G2214", 16), Next("G2214", 1), Next("99493", 15), Next("99493", 1),
        Next("99494", 45), Next("99494", 1), Next("99494", 30), Next("99494", 1),
    ]  # fmt: skip


def test_nothing_comes_after_the_payer_s_limit_or_after_general_integration() -> None:
    assert proposed(205, addon_cap=4).to_next is None
    assert proposed(36, addon_cap=0).to_next is None
    assert proposed(19, program="bhi").to_next == Next("99484", 1)
    assert proposed(20, program="bhi").to_next is None


def test_how_many_units_are_above_the_limit() -> None:
    warned = {count: [dict(each.facts) for each in proposed(count, addon_cap=1).warnings] for count in (115, 116, 146)}
    assert warned == {115: [], 116: [{"units": 1}], 146: [{"units": 2}]}
    assert total_units(proposed(86, addon_cap=0)) == [("99492", 1)]


@pytest.mark.parametrize(
    ("minutes", "fields", "choices"),
    [
        (40, {}, [["99492"], ["G0568"]]),
        (40, {"first_month": False}, [["99493"], ["G0569"]]),
        (20, {"first_month": False}, [["G2214"], ["G0569"]]),
        (25, {"program": "bhi"}, [["99484"], ["G0570"]]),
    ],
)
def test_the_timed_codes_or_their_mirror_and_never_both(
    minutes: int, fields: dict[str, Any], choices: list[list[str]]
) -> None:
    proposal = proposed(minutes, apcm_base="G0557", **fields)
    assert proposal.codes == ()
    assert [[each.code for each in choice] for choice in proposal.choices] == choices


def test_too_few_minutes_for_a_timed_code_leave_the_mirror_with_a_word_of_caution() -> None:
    proposal = proposed(10, apcm_base="G0556")
    assert (proposal.codes, proposal.choices) == ((Units("G0568"),), ())
    assert [(each.key, dict(each.facts)) for each in proposal.warnings] == [("not_timed", {"code": "G0568"})]
    nothing = proposed(0, apcm_base="G0556")
    assert (nothing.codes, nothing.choices) == ((), ())


@pytest.mark.parametrize(
    ("biller", "minutes", "codes", "choices"),
    [
        ("physician", 20, ["99484"], []),
        ("psychologist", 19, [], []),
        ("psychologist", 20, ["G0323"], []),
        ("social_worker", 300, ["G0323"], []),
        ("either", 19, [], []),
        ("either", 20, [], [["99484"], ["G0323"]]),
    ],
)
def test_a_month_of_general_integration_has_the_code_of_who_bills_it_and_never_two(
    biller: proposing.Biller, minutes: int, codes: list[str], choices: list[list[str]]
) -> None:
    month = proposed(minutes, program="bhi", biller=biller)
    assert [each.code for each in month.codes] == codes
    assert [[each.code for each in choice] for choice in month.choices] == choices
    assert month.warnings == ()


def test_of_either_who_bills_advanced_primary_care_management_has_a_third_way() -> None:
    month = proposed(25, program="bhi", biller="either", apcm_base="G0557")
    assert [[each.code for each in choice] for choice in month.choices] == [["99484"], ["G0323"], ["G0570"]]
    short = proposed(5, program="bhi", biller="either", apcm_base="G0557")
    assert [each.code for each in short.codes] == ["G0570"]
    assert [warning.key for warning in short.warnings] == ["not_timed"]
