"""Scoring against oracles written from the published rules, over every answer set there is."""

import itertools
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intake_links import scoring

# One name per total, from the published bands.
PHQ9_BANDS = ["minimal"] * 5 + ["mild"] * 5 + ["moderate"] * 5 + ["moderately_severe"] * 5 + ["severe"] * 8
GAD7_BANDS = ["minimal"] * 5 + ["mild"] * 5 + ["moderate"] * 5 + ["severe"] * 7
SHORT_BANDS = ["negative"] * 3 + ["positive"] * 4
AUDIT_BANDS = {
    "female": ["negative"] * 3 + ["positive"] * 5 + ["high"] * 5,
    "male": ["negative"] * 4 + ["positive"] * 4 + ["high"] * 5,
}
ITEMS = {"phq9": 9, "phq2": 2, "gad7": 7, "gad2": 2, "audit_c": 3}
CUTS = {"phq9": 10, "phq2": 3, "gad7": 10, "gad2": 3, "audit_c": 3}


def points(answers):
    """Counts how often each answer was chosen instead of adding the answers up."""
    return sum(worth * answers.count(worth) for worth in (1, 2, 3, 4))


def vectors(values, width):
    return st.lists(st.none() | st.integers(0, values - 1), min_size=width, max_size=width)


@pytest.mark.parametrize("first", range(4))
@pytest.mark.parametrize("second", range(4))
def test_every_phq9_scores_as_published(first, second):
    seen = 0
    for rest in itertools.product(range(4), repeat=7):
        answers = (first, second, *rest)
        total = points(answers)
        alerts = ("self_harm",) if rest[6] else ()
        expected = scoring.Score(total, None, PHQ9_BANDS[total], total > 9, 0, alerts)
        assert scoring.score("phq9", answers) == expected, answers
        seen += 1
    assert seen == 4**9 // 16


@pytest.mark.parametrize(
    ("instrument_id", "bands"), [("gad7", GAD7_BANDS), ("phq2", SHORT_BANDS), ("gad2", SHORT_BANDS)]
)
def test_every_gad7_and_every_short_form_scores_as_published(instrument_id, bands):
    for answers in itertools.product(range(4), repeat=ITEMS[instrument_id]):
        total = points(answers)
        expected = scoring.Score(total, None, bands[total], total >= CUTS[instrument_id], 0, ())
        assert scoring.score(instrument_id, answers) == expected, answers


@pytest.mark.parametrize("sex", ["female", "male", None])
def test_every_audit_c_scores_by_the_cut_for_the_sex(sex):
    for answers in itertools.product(range(5), repeat=3):
        total = points(answers)
        band = AUDIT_BANDS[sex or "female"][total]
        expected = scoring.Score(total, None, band, band != "negative", 0, ())
        assert scoring.score("audit_c", answers, sex) == expected, answers


@pytest.mark.parametrize(("sex", "positive"), [("female", True), ("male", False), (None, True)])
def test_three_points_on_the_audit_c_are_positive_but_for_men(sex, positive):
    assert scoring.score("audit_c", [1, 1, 1], sex).positive is positive
    assert scoring.score("audit_c", [2, 1, 1], sex).positive is True


def test_sex_changes_nothing_but_the_audit_c():
    for instrument_id in ("phq9", "phq2", "gad7", "gad2"):
        answers = [1] * ITEMS[instrument_id]
        assert len({scoring.score(instrument_id, answers, sex) for sex in ("male", "female", None)}) == 1


@pytest.mark.parametrize("sex", ["female", "male", None])
def test_every_audit_c_with_gaps_knows_who_never_drinks(sex):
    cut = 4 if sex == "male" else 3
    for answers in itertools.product([None, 0, 1, 2, 3, 4], repeat=3):
        missing = 0 if answers[0] == 0 else answers.count(None)
        score = scoring.score("audit_c", answers, sex)
        assert score.missing == missing
        assert score.total == (None if missing else points(answers))
        assert (score.band is None) == (missing > 0)
        assert score.positive is (True if points(answers) >= cut else None if missing else False)
        assert (score.prorated, score.alerts) == (None, ())


def test_who_never_drinks_scores_zero_without_the_other_questions():
    assert scoring.score("audit_c", [0, None, None]) == scoring.Score(0, None, "negative", False, 0, ())


@pytest.mark.parametrize("instrument_id", ["phq9", "phq2", "gad7", "gad2"])
@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_a_form_with_a_gap_has_no_total_and_no_band(instrument_id, data):
    answers = data.draw(vectors(4, ITEMS[instrument_id]))
    gaps = answers.count(None)
    score = scoring.score(instrument_id, answers)
    assert score.missing == gaps
    if gaps:
        assert (score.total, score.band) == (None, None)
        assert score.positive is (True if points(answers) >= CUTS[instrument_id] else None)
    else:
        assert (score.total, score.prorated) == (points(answers), None)


@pytest.mark.parametrize("mask", list(itertools.product([False, True], repeat=9))[1::8])
def test_only_one_or_two_gaps_are_prorated_and_never_into_the_total(mask):
    answers = [None if gone else (index + 1) % 4 for index, gone in enumerate(mask)]
    answered = [answer for answer in answers if answer is not None]
    score = scoring.score("phq9", answers)
    mean_of_the_others = pytest.approx(9 * sum(answered) / len(answered)) if sum(mask) <= 2 else None
    assert (score.prorated, score.total) == (mean_of_the_others, None)


def test_a_prorated_value_has_no_band_and_makes_nobody_positive():
    score = scoring.score("phq9", [None, 1, 1, 1, 1, 1, 1, 3, 0])
    assert score == scoring.Score(None, 9 * 9 / 8, None, None, 1, ())
    assert scoring.score("phq9", [None] * 9) == scoring.Score(None, None, None, None, 9, ())


@pytest.mark.parametrize("instrument_id", ["phq2", "gad7", "gad2"])
def test_no_other_instrument_is_prorated(instrument_id):
    answers = [None] + [1] * (ITEMS[instrument_id] - 1)
    assert scoring.score(instrument_id, answers).prorated is None


def test_a_cut_already_reached_is_positive_whatever_is_missing():
    assert scoring.score("phq9", [3, 3, 3, 1] + [None] * 5).positive is True
    assert scoring.score("phq9", [3, 3, 3, 0] + [None] * 5).positive is None
    assert scoring.score("audit_c", [3, None, None], "female").positive is True
    assert scoring.score("audit_c", [3, None, None], "male").positive is None


@settings(max_examples=200, deadline=None)
@given(answers=vectors(4, 9), at=st.integers(0, 8), more=st.integers(0, 3))
def test_one_answer_more_never_takes_an_alert_or_a_positive_away(answers, at, more):
    before = scoring.score("phq9", answers)
    if answers[at] is None:
        after = scoring.score("phq9", [*answers[:at], more, *answers[at + 1 :]])
        assert set(before.alerts) <= set(after.alerts)
        assert after.positive or not before.positive


@pytest.mark.parametrize("instrument_id", list(ITEMS))
def test_every_alert_rings_on_a_form_with_no_other_answer(instrument_id):
    definition = scoring.instrument(instrument_id)
    for rule in definition.alerts:
        for value in definition.items[rule.item - 1].values:
            answers = [None] * len(definition.items)
            answers[rule.item - 1] = value
            assert (rule.name in scoring.score(instrument_id, answers).alerts) is (value >= rule.at_least)


@settings(max_examples=200, deadline=None)
@given(others=vectors(4, 8), ninth=st.none() | st.integers(0, 3))
def test_item_nine_alone_decides_the_alert(others, ninth):
    assert scoring.score("phq9", [*others, ninth]).alerts == (("self_harm",) if ninth else ())


FOREIGN = [False, True, 1.0, 0.0, "2", "", -1, 5, 10**9, 10**5000, float("nan"), [1], {"a": 1}, b"1"]


@pytest.mark.parametrize("instrument_id", list(ITEMS))
@pytest.mark.parametrize("foreign", FOREIGN, ids=lambda value: type(value).__name__)
def test_what_only_looks_like_an_answer_is_refused_by_place_and_name(instrument_id, foreign):
    for index, item in enumerate(scoring.instrument(instrument_id).items):
        answers = [0] * ITEMS[instrument_id]
        answers[index] = foreign
        with pytest.raises(scoring.BadAnswer) as refused:
            scoring.score(instrument_id, answers)
        assert (refused.value.index, refused.value.item_id) == (index, item.id)
        assert str(refused.value).startswith(f"answers[{index}]: ")
        assert str(refused.value).endswith(f"({item.id})")
        assert len(str(refused.value)) < 120


def test_four_is_an_answer_of_the_audit_c_alone():
    with pytest.raises(scoring.BadAnswer, match=r"^answers\[8\]: 4 is not one of 0, 1, 2, 3 \(phq9\.9\)$"):
        scoring.score("phq9", [0] * 8 + [4])
    assert scoring.score("audit_c", [4, 4, 4]).total == 12
    with pytest.raises(scoring.BadAnswer, match=r"^answers\[1\]: 5 is not one of 0, 1, 2, 3, 4"):
        scoring.score("audit_c", [4, 5, 4])


@pytest.mark.parametrize("instrument_id", list(ITEMS))
@pytest.mark.parametrize("off", [-1, 1])
def test_the_wrong_number_of_answers_is_refused(instrument_id, off):
    with pytest.raises(scoring.BadAnswer, match=f"{ITEMS[instrument_id]} items") as refused:
        scoring.score(instrument_id, [0] * (ITEMS[instrument_id] + off))
    assert (refused.value.index, refused.value.item_id) == (None, None)


@pytest.mark.parametrize("answers", [b"\x01\x02", bytearray(2), "12", {0: 1, 1: 2}, None, 3])
def test_answers_that_are_no_list_are_refused(answers):
    with pytest.raises(scoring.BadAnswer, match="not a list"):
        scoring.score("phq2", answers)


@pytest.mark.parametrize("sex", ["Female", "f", "other", "", 0, False, []])
def test_another_word_for_the_sex_is_refused(sex):
    with pytest.raises(ValueError, match=r"^sex: "):
        scoring.score("audit_c", [1, 1, 1], sex)


def test_questions_come_in_the_order_of_the_form():
    phq9 = scoring.instrument("phq9")
    questions = [scoring.next_question(phq9, [0] * answered) for answered in range(10)]
    assert questions == [*range(9), None]
    assert scoring.next_question(phq9, [0, None, 2]) == 1


def test_who_never_drinks_is_asked_one_question():
    audit_c = scoring.instrument("audit_c")
    assert scoring.next_question(audit_c, []) == 0
    assert scoring.next_question(audit_c, [0]) is None
    assert scoring.next_question(audit_c, [1]) == 1
    assert scoring.applicable(audit_c, [0]) == [0]
    assert scoring.applicable(audit_c, [None]) == scoring.applicable(audit_c, []) == [0, 1, 2]


@pytest.mark.parametrize("instrument_id", list(ITEMS))
@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_following_the_questions_leads_to_a_total(instrument_id, data):
    definition = scoring.instrument(instrument_id)
    answers = data.draw(vectors(4, ITEMS[instrument_id]))
    while (index := scoring.next_question(definition, answers)) is not None:
        assert answers[index] is None
        assert scoring.score(instrument_id, answers).total is None
        answers[index] = data.draw(st.sampled_from(definition.items[index].values))
    assert scoring.score(instrument_id, answers).total == points(answers)


def test_explain_gives_the_documented_line():
    line = {"instrument": "phq9", "answers": [0, 0, 0, 0, 0, 0, 0, 0, 1]}
    scored = {"total": 1, "band": "minimal", "positive": False, "missing": 0, "alerts": ["self_harm"]}
    assert scoring.explain(line) == scored
    three_points = {"instrument": "audit_c", "answers": [1, 1, 1], "sex": "male"}
    assert scoring.explain(three_points)["positive"] is False


def test_explain_tells_a_partial_form_from_a_zero():
    line = {"instrument": "phq9", "answers": [None] * 8 + [2]}
    partial = {"total": None, "band": None, "positive": None, "missing": 8, "alerts": ["self_harm"]}
    assert json.loads(json.dumps(scoring.explain(line))) == partial


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ({}, "instrument"),
        ({"instrument": "phq9"}, "answers: not a list"),
        ({"instrument": "phq8", "answers": [0] * 8}, "no such instrument"),
        ({"instrument": ["phq9"], "answers": [0] * 9}, "instrument"),
        ({"instrument": "phq9", "answers": "000000000"}, "answers: not a list"),
        ({"instrument": "phq9", "answers": [0] * 8 + [False]}, "answers[8]: False"),
        ({"instrument": "phq9", "answers": [0] * 10}, "10 given"),
        ({"instrument": "phq9", "answers": [0] * 9, "sex": None}, "sex: None"),
        ({"instrument": "phq9", "answers": [0] * 9, "sex": "m"}, "sex: 'm'"),
        ({"instrument": "phq9", "answers": [0] * 9, "age": 30}, "'age' is not one of"),
        ([], "not an object"),
        (None, "not an object"),
        ("phq9", "not an object"),
    ],
)
def test_explain_answers_what_is_wrong_with_a_reason(line, why):
    answer = scoring.explain(line)
    assert list(answer) == ["error"]
    assert why in answer["error"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=9) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=12,
)
NAMES, VECTORS = st.sampled_from(sorted(ITEMS)) | JSON, st.lists(st.integers(-1, 5) | JSON, max_size=9)
SEXES = st.sampled_from(["female", "male"]) | JSON
LINES = JSON | st.fixed_dictionaries({"instrument": NAMES, "answers": VECTORS}, optional={"sex": SEXES, "other": JSON})


@settings(max_examples=200, deadline=None)
@given(line=LINES)
def test_explain_never_raises_and_always_answers_one_of_two_shapes(line):
    answer = scoring.explain(line)
    assert list(answer) in (["error"], ["total", "band", "positive", "missing", "alerts"])
    json.dumps(answer)
