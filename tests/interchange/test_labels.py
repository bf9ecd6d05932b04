"""That records fall under 42 CFR Part 2, as EHRs say it: read wherever it stands, kept, and never taken back by
silence."""

from typing import Any

import pytest

from interchange import explaining
from interchange.hl7 import er7, reading
from interchange.profiles import read

HEAD = "MSH|^~\\&|BOOKS|ELM|W|E|20260301120000||ADT^A08|C1|P|2.9"
PID = "PID|1||4711^^^ELM^MR||RIVER^ANA||19800102|F"
ACT = "http://terminology.hl7.org/CodeSystem/v3-ActCode"


def acts(text: str, **profile: Any) -> list[str]:
    (message,) = er7.read(text.encode()).messages
    return [str(act["act"]) for act in reading.read(message, read(profile)).acts]


@pytest.mark.parametrize(
    "text",
    [
        f"{HEAD}|||||||||||||||42CFRPart2\r{PID}\r".replace("2.9|||||||||||||||", "2.9" + "|" * 14),
        f"{HEAD}\r{PID}\rARV|1|A|SUD^substance use disorder^L\r",
        f"{HEAD}\r{PID}\rARV|1|A|ALL||||42cfrpart2^^ACT\r",
        f"{HEAD}\r{PID}\rARV|1|A|X^^L^ETHUD^^ACT~DEM\r",
    ],
)
def test_a_message_says_it_in_its_header_or_among_its_restrictions(text: str) -> None:
    assert acts(text) == ["patient.update", "part_two.label"]


@pytest.mark.parametrize("text", [f"{HEAD}\r{PID}\r", f"{HEAD}\r{PID}\rARV|1|A|HIV\r", f"{HEAD}\r{PID}\rNTE|1||SUD\r"])
def test_what_says_nothing_of_it_is_not_labelled(text: str) -> None:
    assert acts(text) == ["patient.update"]


def test_a_feed_may_say_it_in_a_field_of_its_own() -> None:
    text = f"{HEAD}\r{PID}\rPV1|1|O||||||||||||||P2\r"
    assert acts(text) == ["patient.update"]
    assert acts(text, part_two=["P2"], part_two_fields=["PV1-16"]) == ["patient.update", "part_two.label"]


def patient(**more: Any) -> dict[str, Any]:
    return {"resourceType": "Patient", "id": "7", "name": [{"family": "River", "given": ["Ana"]}]} | more


def told(resource: dict[str, Any]) -> dict[str, Any]:
    return explaining.fhir({"resource": resource})


def labelled(code: str = "42CFRPart2") -> dict[str, Any]:
    return {"security": [{"system": "http://x.example", "code": "N"}, {"system": ACT, "code": code}]}


def test_a_resource_says_it_in_its_meta_and_it_stands_beside_the_acts() -> None:
    answer = told(patient(meta=labelled()))
    assert [act["act"] for act in answer["acts"]] == ["patient.update"]
    assert [act["patient"]["identifier"] for act in answer["sensitivity"]] == ["7"]
    assert "sensitivity" not in told(patient(meta=labelled("N")))


def test_a_part_of_a_resource_may_say_it() -> None:
    url = "http://hl7.org/fhir/uv/security-label-ds4p/StructureDefinition/extension-inline-sec-label"
    inside = {"extension": [{"url": url, "valueCoding": {"system": ACT, "code": "SUD"}}], "system": "phone"}
    assert told(patient(telecom=[inside]))["sensitivity"]


def test_a_bundle_s_label_is_that_of_all_who_stand_in_it() -> None:
    entries = [{"resource": patient(id=number)} for number in ("7", "8")]
    answer = told({"resourceType": "Bundle", "type": "collection", "meta": labelled(), "entry": entries})
    assert [act["patient"]["identifier"] for act in answer["sensitivity"]] == ["7", "8"]


def test_it_goes_as_deep_as_no_resource_does() -> None:
    deep: Any = {"url": "x"}
    for _ in range(300):
        deep = [deep]
    assert "sensitivity" not in told(patient(extension=deep))
