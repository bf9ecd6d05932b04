"""The PC-PTSD-5: a first question that opens the others, and a cut by sex."""

import itertools

import pytest

from intake_links import scoring


@pytest.mark.parametrize(("sex", "cut"), [("female", 3), ("male", 4), (None, 3)])
def test_every_form_scores_its_five_and_never_the_event_itself(sex, cut):
    for answers in itertools.product(range(2), repeat=5):
        total = sum(answers)
        expected = scoring.Score(total, None, "positive" if total >= cut else "negative", total >= cut, 0, ())
        assert scoring.score("pc_ptsd_5", (1, *answers), sex) == expected, answers


def test_without_such_an_event_nothing_else_is_asked_and_the_total_is_nought():
    score = scoring.score("pc_ptsd_5", [0, None, None, None, None, None])
    assert (score.total, score.positive, score.missing) == (0, False, 0)
    form = scoring.instrument("pc_ptsd_5")
    assert list(scoring.applicable(form, [0] + [None] * 5)) == [0]
    assert list(scoring.applicable(form, [1] + [None] * 5)) == [0, 1, 2, 3, 4, 5]


def test_with_an_answer_missing_there_is_no_total():
    score = scoring.score("pc_ptsd_5", [1, 1, None, 1, 1, 0])
    assert (score.total, score.positive, score.missing) == (None, True, 1)


def test_its_words_are_its_publisher_s_and_it_carries_no_code_that_nobody_verified():
    form = scoring.instrument("pc_ptsd_5")
    assert "public domain" in form.licence["en"]
    assert {item.loinc for item in form.items} == {None}
    assert set(form.languages) == {"en"}
