"""The ten core questions about social needs, by their published codes and rules."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caseload.social import scoring, wordings

SAFETY = ("95618-5", "95617-7", "95616-9", "95615-1")
OFTEN = {1: "LA6270-8", 2: "often-2", 3: "often-3", 4: "often-4", 5: "LA6482-9"}
UNASKED = {"safety": "open", "food": "open", "transport": "open", "utilities": "open", "housing": "open"}


def often(*points: int) -> dict[str, tuple[str]]:
    return {code: (OFTEN[each],) for code, each in zip(SAFETY, points, strict=False)}


@pytest.mark.parametrize(
    ("points", "total", "verdict"),
    [
        ((1, 1, 1, 1), 4, "negative"),
        ((4, 3, 2, 2), 11, "positive"),
        ((4, 2, 2, 2), 10, "negative"),
        ((3, 3, 3), None, "open"),
        # What has been reached stays reached, but is no total.
        ((5, 5, 5), None, "positive"),
    ],
)
def test_safety_is_positive_from_eleven_and_has_no_total_while_an_answer_is_missing(points, total, verdict):
    found = scoring.result(often(*points))
    assert (found.total, found.domains["safety"]) == (total, verdict)


@pytest.mark.parametrize(
    "answers",
    [
        {"96778-6": ("LA9-3", "LA28580-1")},  # none, and mold
        {"93030-5": ("LA33-6", "LA32-8")},
        {"93030-5": ("LA32002-0",)},
        {"96777-0": ("LA33-6",)},
        {"96778-6": ("LA28580-1", "LA28580-1")},
    ],
)
def test_answers_that_cannot_be_are_refused(answers):
    with pytest.raises(scoring.BadAnswer):
        scoring.result(answers)


@pytest.mark.parametrize(
    ("answers", "positive"),
    [
        ({"71802-3": ("LA31993-1",), "96778-6": ("LA9-3",)}, []),
        ({"71802-3": ("LA31994-9",), "96778-6": ("LA31996-4", "LA32001-2")}, ["housing"]),
        ({"88122-7": ("LA28398-8",), "88123-5": ("LA6729-3",)}, ["food"]),
        ({"93030-5": ("LA33-6",), "96779-4": ("LA32002-0",)}, ["transport", "utilities"]),
    ],
)
def test_a_domain_is_one_need_however_many_answers_say_so(answers, positive):
    assert scoring.result(answers).positive == positive


def test_half_answered_is_open_and_not_no():
    assert scoring.result({"71802-3": ("LA31993-1",)}).domains["housing"] == "open"
    assert scoring.result({}).domains == UNASKED


@st.composite
def possible(draw):
    chosen = {}
    for item in scoring.core().items:
        keys = [answer.key for answer in item.answers if not answer.alone]
        given_ = draw(st.lists(st.sampled_from(keys), unique=True, max_size=len(keys) if item.many else 1))
        if given_:
            chosen[item.loinc] = tuple(given_)
    return chosen


@given(possible(), st.sampled_from([item.loinc for item in scoring.core().items]))
def test_one_answer_less_never_makes_a_need_and_never_a_no(answers, dropped):
    before = scoring.result(answers)
    after = scoring.result({code: keys for code, keys in answers.items() if code != dropped})
    assert set(after.positive) <= set(before.positive)
    said_no = {domain for domain, verdict in after.domains.items() if verdict == "negative"}
    assert said_no <= {domain for domain, verdict in before.domains.items() if verdict == "negative"}


def test_nothing_of_the_wording_is_shipped_and_every_key_is_asked_for_once():
    keys = scoring.core().wanted()
    assert len(keys) == len(set(keys)) == 32
    said = wordings.read("\n".join(["# mine", "", *(f"{key} = {key} = in words" for key in keys)]))
    assert said["LA9-3"] == "LA9-3 = in words"


@pytest.mark.parametrize(
    ("typed", "why", "line"),
    [
        ("71802-3", "social_line", "1"),
        ("# x\n99999-9 = x", "social_line", "2"),
        ("71802-3 = x\n71802-3 = y", "social_twice", "2"),
        ("71802-3 = ", "social_words", "1"),
        ("71802-3 = " + "x" * 601, "social_words", "1"),
        ("71802-3 = x", "social_missing", "LA31993-1"),
    ],
)
def test_a_wording_that_is_wrong_names_its_line(typed, why, line):
    with pytest.raises(wordings.BadLine) as bad:
        wordings.read(typed)
    assert (bad.value.why, bad.value.line) == (why, line)
