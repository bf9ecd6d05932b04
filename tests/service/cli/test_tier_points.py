"""Recall by false alarms: what is reached, what is not, and where nothing can be said."""

from hypothesis import given
from hypothesis import strategies as st

from service.cli import tier_points
from service.cli.tier_points import Scored

HARD = [Scored(False, score / 100, by_rules=score == 3) for score in range(100)]
CRISES = [Scored(True, score / 10, by_rules=score == 1) for score in range(10)]


def test_at_most_so_many_of_the_hard_texts_are_flagged_and_what_is_found_is_counted():
    five, ten, twenty = tier_points.of(HARD + CRISES)
    assert [point.flagged.flagged for point in (five, ten, twenty)] == [5, 10, 20]
    assert [point.reader.flagged for point in (five, ten, twenty)] == [0, 1, 2]
    assert [point.with_rules.flagged for point in (five, ten, twenty)] == [1, 2, 3]
    assert [point.flagged_with_rules.flagged for point in (five, ten, twenty)] == [6, 11, 21]


def test_without_texts_of_both_kinds_there_is_no_point():
    assert tier_points.of([]) == tier_points.of(HARD) == tier_points.of(CRISES) == []


scored = st.builds(Scored, st.booleans(), st.sampled_from([0.1, 0.2, 0.5, 0.9]), st.booleans())


@given(st.lists(scored, max_size=40), st.floats(0, 1))
def test_no_more_than_the_limit_is_ever_flagged_and_the_rules_only_add(texts: list[Scored], limit: float):
    for point in tier_points.of(texts, [limit]):
        assert point.flagged.flagged <= limit * point.flagged.of
        assert point.with_rules.flagged >= point.reader.flagged
        assert point.flagged_with_rules.flagged >= point.flagged.flagged


def test_a_row_says_each_share_with_its_interval():
    row = tier_points.of(HARD + CRISES)[1].as_row()
    assert row["limit"] == 0.10
    assert (row["reader"]["flagged"], row["reader"]["of"]) == (1, 10)
    assert row["reader"]["low"] < 0.1 < row["reader"]["high"]
    assert set(row) == {"limit", "reader", "with_rules", "flagged", "flagged_with_rules"}
