"""The PHQ-9 for teens: its own words and order, its nine that count, and three questions that ring."""

import itertools

import pytest

from intake_links import scoring

BANDS = ["minimal"] * 5 + ["mild"] * 5 + ["moderate"] * 5 + ["moderately_severe"] * 5 + ["severe"] * 8


def test_every_phq9_for_teens_scores_its_nine_and_rings_by_any_of_three():
    for ninth, month, ever in itertools.product(range(4), range(2), range(2)):
        for first in itertools.product(range(4), repeat=3):
            answers = (*first, 1, 0, 3, 2, 1, ninth, 1, 3, month, ever)
            total = sum(worth * answers[:9].count(worth) for worth in (1, 2, 3))
            names = (("self_harm", ninth), ("self_harm_month", month), ("self_harm_ever", ever))
            rang = tuple(name for name, said in names if said)
            expected = scoring.Score(total, None, BANDS[total], total > 9, 0, rang)
            assert scoring.score("phq9m", answers) == expected, answers


def test_the_teens_questions_that_do_not_count_may_stay_open_without_costing_the_total():
    without = scoring.score("phq9m", [1] * 9 + [None] * 4)
    assert (without.total, without.missing, without.alerts) == (9, 0, ("self_harm",))
    assert scoring.score("phq9m", [None] * 12 + [1]).alerts == ("self_harm_ever",)


def test_the_teens_form_keeps_its_own_order_words_and_licence_and_borrows_no_adult_item():
    teens = scoring.instrument("phq9m")
    assert teens.items[0].text["en"] == "Feeling down, depressed, irritable, or hopeless?"
    assert teens.items[1].text["en"] == "Little interest or pleasure in doing things?"
    assert teens.items[8].text["en"].startswith("Thoughts that you would be better off dead")
    assert [item.scored for item in teens.items] == [True] * 9 + [False] * 4
    assert {item.loinc for item in teens.items} == {None}
    assert "GLAD-PC" in teens.licence["en"]
    assert (teens.highest_total, teens.total_loinc) == (27, "89204-2")
    assert [(rule.item, rule.at_least) for rule in teens.alerts] == [(9, 1), (12, 1), (13, 1)]
    assert not {item.id for item in teens.items} & {item.id for item in scoring.instrument("phq9").items}


@pytest.mark.parametrize(("age", "fits"), [(10, False), (11, True), (17, True), (18, False), (None, False)])
def test_the_teens_form_is_for_eleven_to_seventeen(age, fits):
    assert scoring.instrument("phq9m").is_for(age) is fits
    assert scoring.instrument("phq9").is_for(age)
