"""A total that was told from elsewhere: what it says of the questions that are still open."""

import pytest

from intake_links import scoring


@pytest.mark.parametrize(
    ("answers", "told", "contradicts"),
    [([2] * 8 + [None], 18, False), ([2] * 8 + [None], 15, True), ([2] * 8 + [None], 20, True), ([2] * 9, None, False)],
)
def test_a_told_total_must_be_one_that_the_open_questions_could_make(answers, told, contradicts):
    assert scoring.contradicts(scoring.instrument("phq9"), answers, told) == contradicts


@pytest.mark.parametrize(("told", "alerts"), [(27, ("self_harm",)), (25, ("self_harm",)), (24, ()), (0, ())])
def test_a_told_total_alerts_when_the_other_questions_could_not_have_made_it(told, alerts):
    assert scoring.score("phq9", [None] * 9, told_total=told).alerts == alerts
    assert scoring.score("phq9", [3] * 8 + [None], told_total=told).alerts == alerts


@pytest.mark.parametrize(("told", "alerts"), [(12, ("self_harm",)), (11, ())])
def test_what_a_told_total_leaves_for_the_alerting_question_is_less_what_was_answered(told, alerts):
    assert scoring.score("phq9", [1, 1, 1, 1, 1, None, None, None, None], told_total=told + 3).alerts == alerts
