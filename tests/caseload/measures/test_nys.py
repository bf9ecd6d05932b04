"""New York State's measures: each call where the State's words leave one, at its edge."""

from typing import Any

import pytest

from tests.caseload.measures.caseloads import measured, patient

# A baseline in its window.
ELEVATED = ("2024-11-12", 18)


def test_a_whole_caseload() -> None:
    caseload = [
        patient("improved", contacts=["2025-03-10"], scores=[ELEVATED, ("2025-03-10", 8)], reviews=["2025-02-12"]),
        patient("new", "2025-03-12", contacts=["2025-03-12", "2025-03-26"], scores=[("2025-03-12", 14)]),
        patient("ten weeks", "2025-01-06", contacts=["2025-03-17"], scores=[("2025-01-13", 15), ("2025-03-17", 7)]),
        patient("lost", "2024-10-01", discharged="2025-03-10", scale="gad7", contacts=["2024-12-10"],
                scores=[("2024-10-08", 16), ("2024-12-10", 12)], reviews=["2024-11-20"]),
        patient("insured", "2025-02-03", payer="other", contacts=["2025-03-07"],
                scores=[("2025-02-10", 13), ("2025-03-07", 11)]),
        patient("trauma", "2024-12-02", scale="pcl5", contacts=["2025-03-20"],
                scores=[("2024-12-09", 48), ("2025-03-20", 40)], reviews=["2025-03-05"]),
        patient("remitted", "2024-09-16", contacts=["2025-03-24"],
                scores=[("2024-09-16", 12), ("2025-02-24", 4), ("2025-03-24", 3)]),
        patient("mild", "2024-12-16", contacts=["2025-03-06"], scores=[("2024-12-18", 8), ("2025-03-06", 4)]),
        patient("graduated", "2024-12-09", discharged="2025-03-21", contacts=["2025-03-14"],
                scores=[("2024-12-09", 13), ("2025-03-14", 4)]),
        patient("gone", "2024-09-02", discharged="2025-02-27"),
    ]  # fmt: skip
    assert measured(*caseload) == {
        "1": {"n": 9},
        "2": {"n": 8},
        "3": {"n": 1},
        "4": {"n": 2, "weeks": 18.7},
        "5": {"n": 7, "of": 8},
        "6": {"n": 4, "of": 6},
        "7": {"n": 2, "of": 8},
        "8": {"n": 1, "of": 2},
    }


def test_nobody_is_none_of_none() -> None:
    empty = {str(number): {"n": 0, "of": 0} for number in range(5, 9)}
    assert measured() == {"1": {"n": 0}, "2": {"n": 0}, "3": {"n": 0}, "4": {"n": 0, "weeks": None}} | empty


def test_one_day_in_the_month_is_enrolled() -> None:
    stays = [
        patient("left on the first", discharged="2025-03-01"),
        patient("left before", discharged="2025-02-28"),
        patient("came on the last", "2025-03-31"),
        patient("came after", "2025-04-01"),
        patient("leaves later", discharged="2025-04-02"),
    ]
    assert [measured(stay)["1"]["n"] for stay in stays] == [1, 0, 1, 0, 1]
    assert [measured(stay)["4"]["n"] for stay in stays] == [1, 0, 0, 0, 0]


def test_the_first_measure_counts_everybody_and_the_others_medicaid() -> None:
    scores = [("2025-03-01", 14), ("2025-03-14", 4)]
    insured = patient("1", "2025-03-01", discharged="2025-03-20", payer="other", contacts=["2025-03-02"], scores=scores)
    long = patient("2", payer="other", scores=[ELEVATED], reviews=["2025-03-02"])
    measures = measured(insured, long)
    assert measures.pop("1") == {"n": 2}
    assert [each["n"] for each in measures.values()] == [0] * 7


@pytest.mark.parametrize(
    ("coverage", "counts"),
    [
        ([{"payer": "medicaid", "from": "2025-03-01"}], True),
        ([{"payer": "medicaid", "from": "2025-03-02"}], False),
        ([{"payer": "medicaid", "from": "2024-03-02", "to": "2025-03-01"}], True),
        ([{"payer": "medicaid", "from": "2024-03-02", "to": "2025-02-28"}], False),
        ([{"payer": "other", "from": "2024-03-02"}, {"payer": "medicaid", "from": "2025-01-01"}], True),
        ([], False),
    ],
)
def test_medicaid_is_who_has_it_on_the_first(coverage: list[dict[str, str]], counts: bool) -> None:
    assert measured(patient("p", coverage=coverage))["2"]["n"] == counts


def test_weeks_are_divided_and_rounded_once() -> None:
    pair = patient("a", "2024-12-20", discharged="2025-03-14"), patient("b", "2024-12-13", discharged="2025-03-14")
    assert measured(*pair)["4"] == {"n": 2, "weeks": 12.5}
    # 343 days in four stays are 12.25 weeks on the mean; rounded as people do, and not to the even digit.
    dates = ("2024-12-19", "2024-12-18", "2024-12-18", "2024-12-18")
    stays = [patient(str(number), day, discharged="2025-03-14") for number, day in enumerate(dates)]
    assert measured(*stays)["4"] == {"n": 4, "weeks": 12.3}


@pytest.mark.parametrize(
    ("by", "kind", "counts"),
    [
        ("in_person", "treatment", True),
        ("phone", "treatment", True),
        ("video", "treatment", True),
        ("phone", "other", False),
        *((by, "treatment", False) for by in ("text", "portal", "email", "reminder", "no_show", "unanswered_call")),
        ("consultant_review", "treatment", False),
    ],
)
def test_which_contacts_are_one(by: str, kind: str, counts: bool) -> None:
    contact = {"at": "2025-03-10", "kind": kind, "by": by}
    measures = measured(patient("p", contacts=[contact], scores=[]) | {"contacts": [contact], "scores": score()})
    assert measures["5"] == {"n": int(counts), "of": 1}


def score(at: str = "2025-03-31", scale: str = "phq9", total: int = 12) -> list[dict[str, Any]]:
    return [{"at": at, "scale": scale, "total": total}]


@pytest.mark.parametrize(
    ("contact", "scored", "counts"),
    [
        ("2025-03-01", "2025-03-31", True),
        ("2025-02-28", "2025-03-31", False),
        ("2025-04-01", "2025-03-31", False),
        ("2025-03-31", "2025-02-28", False),
        ("2025-03-31", "2025-04-01", False),
    ],
)
def test_a_contact_and_a_score_both_in_the_month(contact: str, scored: str, counts: bool) -> None:
    measures = measured(patient("p", contacts=[contact], scores=[(scored, 12)]))
    assert measures["5"]["n"] == counts


def test_contact_and_score_count_while_enrolled_only() -> None:
    before = patient("a", "2025-03-15", contacts=["2025-03-14"], scores=[("2025-03-20", 12)])
    after = patient("b", discharged="2025-03-15", contacts=["2025-03-10"], scores=[("2025-03-16", 12)])
    assert measured(before, after)["5"] == {"n": 0, "of": 2}


def test_a_score_on_another_scale_is_not_the_month_s() -> None:
    other = patient("p", contacts=["2025-03-10"]) | {"scores": score(scale="gad7")}
    teen = patient("q", contacts=["2025-03-10"]) | {"scores": score(scale="phq9m")}
    assert [measured(each)["5"]["n"] for each in (other, teen)] == [0, 1]


@pytest.mark.parametrize(("enrolled", "asked"), [("2025-01-20", 1), ("2025-01-21", 0)])
def test_seventy_days_have_passed_by_the_end_of_the_month(enrolled: str, asked: int) -> None:
    assert measured(patient("p", enrolled, scores=[("2025-01-25", 12)]))["6"]["of"] == asked


@pytest.mark.parametrize(("discharged", "asked"), [("2025-03-12", 1), ("2025-03-11", 0)])
def test_seventy_days_have_passed_by_the_discharge(discharged: str, asked: int) -> None:
    stay = patient("p", "2025-01-01", discharged=discharged, scores=[("2025-01-05", 12)])
    assert measured(stay)["6"]["of"] == asked


@pytest.mark.parametrize(
    ("scores", "asked"),
    [
        ([("2025-01-01", 10)], 1),
        ([("2025-01-15", 10)], 1),
        ([("2025-01-16", 10)], 0),
        ([("2024-12-31", 20)], 0),
        ([("2025-01-05", 9), ("2025-01-10", 15)], 0),
        ([], 0),
    ],
)
def test_the_baseline_is_the_first_score_of_fourteen_days_and_never_the_screening(
    scores: list[tuple[str, int]], asked: int
) -> None:
    assert measured(patient("p", "2025-01-01", scores=scores))["6"]["of"] == asked


@pytest.mark.parametrize(
    ("scale", "baseline", "current", "improved"),
    [
        ("phq9", 20, 10, True),
        ("phq9", 21, 11, False),
        ("phq9", 14, 9, True),
        ("phq9", 12, 10, False),
        ("phq9", 12, 0, True),
        ("gad7", 20, 10, True),
        ("gad7", 19, 10, False),
        ("gad7", 10, 9, True),
        ("pcl5", 48, 36, True),
        ("pcl5", 48, 37, False),
        ("pcl5", 33, 21, True),
    ],
)
def test_what_is_improvement(scale: str, baseline: int, current: int, improved: bool) -> None:
    scores = [("2024-11-05", baseline), ("2025-03-01", current)]
    assert measured(patient("p", scale=scale, scores=scores))["6"] == {"n": int(improved), "of": 1}


def test_a_score_of_zero_is_remission() -> None:
    assert measured(patient("p", scores=[ELEVATED, ("2025-03-01", 0)]))["7"] == {"n": 1, "of": 1}


def test_a_score_carries_forward_for_improvement_and_not_for_remission() -> None:
    measures = measured(patient("p", scores=[ELEVATED, ("2025-01-10", 3)]))
    assert (measures["6"], measures["7"]) == ({"n": 1, "of": 1}, {"n": 0, "of": 1})
    worse = measured(patient("p", scores=[ELEVATED, ("2025-01-10", 3), ("2025-03-10", 14)]))
    assert (worse["6"]["n"], worse["7"]["n"]) == (0, 0)
    assert measured(patient("p", scores=[ELEVATED, ("2025-04-01", 3)]))["6"] == {"n": 0, "of": 1}


def test_a_baseline_alone_is_no_improvement() -> None:
    assert measured(patient("p", scores=[ELEVATED]))["6"] == {"n": 0, "of": 1}


@pytest.mark.parametrize(("last", "remission"), [(4, 1), (5, 0)])
def test_remission_is_the_last_score_of_the_month_below_five(last: int, remission: int) -> None:
    scores = [ELEVATED, ("2025-03-05", 8), ("2025-03-20", last)]
    assert measured(patient("p", scores=scores))["7"]["n"] == remission


def test_remission_needs_an_elevated_baseline_and_no_seventy_days() -> None:
    mild = patient("mild", scores=[("2024-11-05", 9), ("2025-03-20", 4)])
    quick = patient("quick", "2025-03-01", scores=[("2025-03-01", 12), ("2025-03-20", 4)])
    assert measured(mild, quick)["7"] == {"n": 1, "of": 2}


@pytest.mark.parametrize(
    ("day", "reviewed"), [("2025-01-31", 1), ("2025-01-30", 0), ("2025-03-31", 1), ("2025-04-01", 0)]
)
def test_a_review_of_the_last_sixty_days_both_ends_included(day: str, reviewed: int) -> None:
    assert measured(patient("p", scores=[ELEVATED], reviews=[day]))["8"] == {"n": reviewed, "of": 1}


def test_a_review_without_a_recommendation_is_none_and_several_are_one() -> None:
    plain = patient("plain", scores=[ELEVATED]) | {"reviews": [{"at": "2025-03-05", "recommendation": False}]}
    twice = patient("twice", scores=[ELEVATED], reviews=["2025-03-05", "2025-03-12"])
    improved = patient("improved", scores=[ELEVATED, ("2025-03-01", 5)], reviews=["2025-03-05"])
    assert measured(plain, twice, improved)["8"] == {"n": 1, "of": 2}


def test_an_instant_has_its_day_where_the_clinic_is() -> None:
    night = "2025-04-01T02:30:00Z"
    eve = patient("p", contacts=[night], scores=[ELEVATED, (night, 4)], reviews=["2025-01-31T04:30:00Z"])
    measures = measured(eve)
    assert [measures[number]["n"] for number in "567"] == [1, 1, 1]
    assert measured(patient("p", "2025-04-01T03:59:59Z"))["3"]["n"] == 1
    assert measured(patient("p", "2025-04-01T04:00:00Z"))["3"]["n"] == 0
    unmoved = patient("p", scores=[ELEVATED], reviews=["2025-01-31T04:30:00Z"])
    assert measured(unmoved)["8"]["n"] == 0
    assert measured(unmoved, zone="UTC")["8"]["n"] == 1


def test_who_comes_back_has_a_second_episode_with_a_baseline_of_its_own() -> None:
    episodes = [
        {"enrolled": "2024-06-03", "discharged": "2024-11-01", "scale": "phq9"},
        {"enrolled": "2025-03-03", "scale": "phq9"},
    ]
    scores = [("2024-06-03", 20), ("2024-10-20", 4), ("2025-03-03", 16), ("2025-03-24", 11)]
    back = patient("p", episodes=episodes, scores=scores)
    measures = measured(back)
    assert [measures[number]["n"] for number in "123"] == [1, 1, 1]
    assert (measures["6"], measures["7"]) == ({"n": 0, "of": 0}, {"n": 0, "of": 1})


def test_an_end_and_a_beginning_in_one_month_are_both_counted_and_one_patient_once() -> None:
    episodes = [
        {"enrolled": "2025-03-20", "scale": "phq9"},
        {"enrolled": "2024-12-20", "discharged": "2025-03-14", "scale": "phq9"},
    ]
    measures = measured(patient("p", episodes=episodes))
    assert [measures[number]["n"] for number in "1234"] == [1, 1, 1, 1]
    assert measures["4"]["weeks"] == 12.0


def test_who_comes_back_within_the_month_is_measured_by_what_they_came_back_for() -> None:
    episodes = [
        {"enrolled": "2024-11-04", "discharged": "2025-03-14", "scale": "phq9"},
        {"enrolled": "2025-03-20", "scale": "gad7"},
    ]
    scores = [{"at": at, "scale": "phq9", "total": total} for at, total in (ELEVATED, ("2025-03-10", 4))]
    measures = measured(patient("p", episodes=episodes) | {"scores": scores})
    assert (measures["6"], measures["7"]) == ({"n": 0, "of": 0}, {"n": 0, "of": 1})


def test_of_several_scores_on_a_day_none_flatters_in_whatever_order() -> None:
    baselines = [("2024-11-12", 12), ("2024-11-12", 22)]
    now = [("2025-03-10", 4), ("2025-03-10", 11)]
    for scores in ([*baselines, *now], [*reversed(baselines), *reversed(now)]):
        measures = measured(patient("p", scores=scores))
        assert (measures["6"]["n"], measures["7"]["n"]) == (0, 0)
