"""Scores by ORU: the code and the range are both asked."""

from typing import Any

import pytest

from tests.interchange.messages import PID, explained, header, problems


def oru(*results: str, pid: str = PID) -> str:
    return "\r".join([header("R01"), pid, "OBR|1|||11502-2^Assessment^LN|||20260601101500", *results])


def obx(code: str, value: str, *, kind: str = "NM", state: str = "F") -> str:
    return f"OBX|1|{kind}|{code}^a score^LN||{value}||||||{state}"


def scores(*results: str) -> list[dict[str, Any]]:
    acts: list[dict[str, Any]] = explained(oru(*results))["acts"]
    return acts


def test_a_total_is_told_with_its_patient_code_and_time() -> None:
    (score,) = scores(obx("44261-6", "14"))
    assert score.pop("person")["birth_date"] == "1980-01-02"
    assert [score] == [
        {
            "act": "score",
            "instrument": "phq9",
            "total": 14,
            "patient": {"identifier": "4711", "authority": "ELM", "type": "MR"},
            "loinc": "44261-6",
            "state": "final",
            "at": "2026-06-01T16:15:00Z",
        }
    ]


@pytest.mark.parametrize(("told", "where"), [("45992", "OBX-14(1)"), ("", "OBR-7")])
def test_a_number_as_the_day_of_a_score_is_told_and_left_out(told: str, where: str) -> None:
    answer = explained(oru(f"{obx('44261-6', '14')}|||{told}").replace("20260601101500", "45992"))
    assert (answer["ack"], answer["acts"][0]["total"], answer["acts"][0]["at"]) == ("AA", 14, None)
    assert [(problem["problem"], problem["where"]) for problem in answer["problems"]] == [("time_unreadable", where)]


@pytest.mark.parametrize(
    ("kind", "value", "total"),
    [("NM", "0", 0), ("ST", "14", 14), ("NM", "14.0", 14), ("SN", "^14", 14), ("SN", "=^14", 14), ("NM", "27", 27)],
)
def test_a_number_is_read_from_each_value_type(kind: str, value: str, total: int) -> None:
    assert scores(obx("44261-6", value, kind=kind))[0]["total"] == total


@pytest.mark.parametrize(
    ("kind", "value", "problem"),
    [
        ("SN", ">^14", "score_unreadable"),
        ("SN", "^1^-^4", "score_unreadable"),
        ("ST", "moderate", "score_unreadable"),
        ("NM", "14.5", "score_unreadable"),
        ("NM", "-1", "score_unreadable"),
        ("NM", "28", "score_out_of_range"),
        ("NM", "", "score_unreadable"),
    ],
)
def test_a_value_that_no_total_has_is_refused(kind: str, value: str, problem: str) -> None:
    message = oru(obx("44261-6", value, kind=kind))
    assert (explained(message)["ack"], problems(message)) == ("AE", [problem])


def test_a_total_under_the_code_of_an_item_is_refused_and_the_rest_lands() -> None:
    message = oru(obx("44261-6", "14"), obx("69725-0", "11"))
    answer = explained(message)
    assert answer["ack"] == "AE"
    assert [told["loinc"] for told in answer["acts"]] == ["44261-6"]
    assert problems(message) == ["score_out_of_range"]


def test_a_total_under_the_code_of_a_panel_is_refused() -> None:
    assert problems(oru(obx("69737-5", "11"))) == ["score_under_panel"]


def test_an_answer_is_told_by_number_or_code() -> None:
    by_number = scores(obx("44260-8", "2"))[0]
    by_code = scores(obx("44260-8", "LA6570-1", kind="CWE"))[0]
    assert (by_number["item"], by_number["value"]) == (by_code["item"], by_code["value"]) == ("phq9.9", 2)


@pytest.mark.parametrize(("state", "told"), [("F", "final"), ("", "final"), ("C", "corrected")])
def test_a_final_or_corrected_result_is_told_as_such(state: str, told: str) -> None:
    assert scores(obx("44261-6", "14", state=state))[0]["state"] == told


@pytest.mark.parametrize("state", ["W", "D"])
def test_a_withdrawn_result_is_told_without_value(state: str) -> None:
    (withdrawn,) = scores(obx("44261-6", "99", state=state))
    assert withdrawn["state"] == "withdrawn"
    assert "total" not in withdrawn


@pytest.mark.parametrize(
    "result", [obx("44261-6", "14", state="P"), obx("44261-6", "", state="X"), obx("1554-5", "182")]
)
def test_what_is_no_result_yet_or_none_of_ours_is_ignored(result: str) -> None:
    assert scores(result) == [{"act": "ignore"}]


def test_a_score_without_a_patient_is_for_the_sender_to_mend() -> None:
    message = oru(obx("44261-6", "14"), pid="PV1|1|O")
    assert (explained(message)["ack"], explained(message)["acts"]) == ("AE", [])
