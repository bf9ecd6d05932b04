"""Which visit, when, and what happened to it: each rule where feeds differ, by its name."""

from typing import Any

import pytest

from interchange import explaining
from tests.interchange.messages import PID, act, explained, header, problems, visit


@pytest.mark.parametrize(
    ("event", "happened"),
    [
        ("S12", "visit.book"),
        ("S13", "visit.move"),
        ("S14", "visit.change"),
        ("S15", "visit.cancel"),
        ("S16", "visit.cancel"),
        ("S17", "visit.cancel"),
        ("S26", "visit.no_show"),
        ("S18", "ignore"),
        ("S23", "ignore"),
    ],
)
def test_each_event_has_its_act(event: str, happened: str) -> None:
    assert act(visit(event))["act"] == happened


def test_a_whole_visit_is_told() -> None:
    message = visit("S12", "RGS|1", "AIL|1||ROOM 2^^^ELM", "AIP|1||9^HART^DANA^^^DR")
    assert explained(message) == {
        "ack": "AA",
        "control_id": "C1",
        "acts": [
            {
                "act": "visit.book",
                "key": "BOOKS|ELM|V7^BOOKS",
                "start": "2026-03-10T15:00:00Z",
                "local": "2026-03-10T09:00",
                "minutes": 30,
                "patient": {"identifier": "4711", "authority": "ELM", "type": "MR"},
                "place": "ROOM 2",
                "clinician": "DANA HART",
                "kind": "Follow-up",
                "identifiers": [{"identifier": "4711", "authority": "ELM", "type": "MR"}],
                "person": {
                    "last_name": "RIVER",
                    "first_name": "ANA",
                    "birth_date": "1980-01-02",
                    "sex": "female",
                    "language": "es",
                    "phones": [{"number": "+13035550101", "kind": "mobile", "texts": None}],
                },
            }
        ],
        "problems": [],
    }


# The key.


def test_the_key_is_the_filler_s_id_else_the_placer_s_with_authority_and_sender() -> None:
    assert act(visit("S12", key="V7^BOOKS", placer="P1"))["key"] == "BOOKS|ELM|V7^BOOKS"
    assert act(visit("S12", key="", placer="P1"))["key"] == "BOOKS|ELM|P1"
    assert act(visit("S12", key='""', placer="P1"))["key"] == "BOOKS|ELM|P1"
    other = visit("S12").replace("MSH|^~\\&|BOOKS|ELM|", "MSH|^~\\&|BOOKS|OAK|")
    assert act(other)["key"] == "BOOKS|OAK|V7^BOOKS"


def test_a_feed_may_say_which_field_is_the_key() -> None:
    message = visit("S12").replace("SCH||V7^BOOKS|", "SCH||V7^BOOKS|N5")
    assert act(message, {"key": ["SCH-3"]})["key"] == "BOOKS|ELM|N5"


def test_a_visit_without_a_key_is_for_its_sender_to_mend() -> None:
    message = visit("S12", key="")
    assert (explained(message)["ack"], problems(message)) == ("AE", ["key_missing"])


def test_the_patient_s_own_number_is_no_key_of_a_visit() -> None:
    message = visit("S12", key="4711")
    assert (act(message)["key"], problems(message)) == (None, ["key_is_the_patient"])
    rescued = visit("S12", key="4711", placer="P1")
    assert (act(rescued)["key"], problems(rescued)) == ("BOOKS|ELM|P1", [])


# The event and the status.


@pytest.mark.parametrize(
    ("event", "status", "happened"),
    [
        ("S26", "Booked", "visit.no_show"),
        ("S26", "Cancelled", "visit.no_show"),
        ("S26", "Confirmed", "visit.no_show"),
        ("S15", "BOOKED", "visit.cancel"),
        ("S12", "NOSHOW", "visit.book"),
        ("S13", "CANCELLED", "visit.move"),
    ],
)
def test_the_event_beats_the_status_and_the_contradiction_is_told(event: str, status: str, happened: str) -> None:
    message = visit(event, status=status)
    assert (act(message)["act"], problems(message)) == (happened, ["status_contradicts"])


@pytest.mark.parametrize(
    ("event", "status"),
    [
        ("S26", "NOSHOW"),
        ("S26", "No-Show"),
        ("S15", "Canceled"),
        ("S12", "Scheduled"),
        ("S12", "CONFIRMED"),
        ("S13", ""),
    ],
)
def test_a_status_that_fits_is_no_problem(event: str, status: str) -> None:
    assert problems(visit(event, status=status)) == []


@pytest.mark.parametrize("status", ["5", "1", "PARKED"])
def test_a_status_that_nobody_knows_is_told(status: str) -> None:
    assert problems(visit("S26", status=status)) == ["status_unknown"]
    assert problems(visit("S26", status=status), {"statuses": {status.lower(): "no_show"}}) == []


@pytest.mark.parametrize(
    ("status", "happened", "told"),
    [
        ("Complete", "visit.arrived", []),
        ("Started", "visit.arrived", []),
        ("Cancelled", "visit.cancel", ["status_contradicts"]),
        ("Noshow", "visit.no_show", ["status_contradicts"]),
        ("Booked", "visit.change", []),
    ],
)
def test_a_change_may_be_of_the_status_alone(status: str, happened: str, told: list[str]) -> None:
    message = visit("S14", status=status)
    assert (act(message)["act"], problems(message)) == (happened, told)


def test_a_resource_whose_status_says_otherwise_is_told() -> None:
    assert problems(visit("S26", "AIP|1||9^HART|||||||||confirmed")) == ["status_contradicts"]


def test_a_feed_may_use_an_event_in_its_own_way() -> None:
    assert act(visit("S26"), {"events": {"S26": "visit.cancel"}})["act"] == "visit.cancel"
    assert explained(visit("Z02"))["ack"] == "AR"
    assert act(visit("Z02"), {"events": {"Z02": "visit.arrived"}})["act"] == "visit.arrived"


def test_arrival_may_come_as_a_registration() -> None:
    message = f"{header('A04')}\r{PID}\rPV1|1|O|||||||||||||||||900^^^VISITS"
    arrived = act(message, {"events": {"A04": "visit.arrived"}, "key": ["PV1-19"]})
    assert (arrived["act"], arrived["key"]) == ("visit.arrived", "BOOKS|ELM|900^VISITS")


# Whose, and what stands beside.


def test_several_patients_wait_for_a_person() -> None:
    message = visit("S12", PID.replace("4711", "4712"))
    assert (act(message)["patient"], problems(message)) == (None, ["several_patients"])


def test_one_that_died_is_told_beside_the_visit() -> None:
    message = visit("S12", pid=PID + "|" * 15 + "Y")
    assert [told["act"] for told in explained(message)["acts"]] == ["visit.book", "patient.deceased"]


@pytest.mark.parametrize(
    "segment", ["ZU1|N||x", "EVN|S12|20260301", "NK1|1|Doe^Jo", "RGS|1\rOBX|1|DTM|IN_ROOM|In|2026", "DG1|1|||x", "NTE"]
)
def test_what_is_not_ours_is_passed_over(segment: str) -> None:
    assert problems(visit("S12", segment)) == []


def test_a_visit_without_sch_is_for_its_sender_to_mend() -> None:
    message = f"{header('S12')}\r{PID}"
    assert (explained(message)["ack"], problems(message)) == ("AE", ["segment_missing"])


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ({}, "message must be"),
        ({"message": 7}, "message must be"),
        ({"message": "MSH|", "more": 1}, "message must be"),
        ({"message": "MSH|", "profile": []}, "profile: a profile is a table"),
        ({"message": "MSH|", "profile": {"zone": "EST"}}, "profile: zone"),
        ({"message": "MSH|", "profile": {"zome": "America/Denver"}}, "profile: zome"),
        ({"message": "MSH|", "profile": {"key": ["SCH-99"]}}, "profile: key.0"),
        ({"message": "MSH|", "profile": {"events": {"S12": "visit.bok"}}}, "profile: events.S12"),
        ({"message": "MSH|", "profile": {"country": "Atlantis"}}, "profile: country"),
        ({"message": "MSH|", "profile": {"languages": {"7": "two of them"}}}, "profile: languages"),
    ],
)
def test_a_line_that_cannot_be_answered_is_told_why(line: dict[str, Any], why: str) -> None:
    assert explaining.hl7(line)["error"].startswith(why)


def test_a_list_of_one_may_be_written_as_itself() -> None:
    assert act(visit("S12"), {"key": "SCH-2"})["key"] == "BOOKS|ELM|V7^BOOKS"
