"""What the door for form vendors takes, refuses, and puts in front of a human."""

import base64
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from intake_links import scoring
from intake_links.models import Screen
from webhooks import submissions

PHQ9: dict[str, Any] = {"instrument": "phq9", "answers": [0] * 9, "patient": {"record": "1"}}


def _fhir(panel: str, answers: list[Any], **more: Any) -> dict[str, Any]:
    definition = next(instrument for instrument in scoring.instruments().values() if instrument.panel_loinc == panel)
    items = [
        {"linkId": item.loinc, "answer": [answer]}
        for item, answer in zip(definition.items, answers, strict=True)
        if answer is not None
    ]
    return {
        "resourceType": "QuestionnaireResponse",
        "meta": {"versionId": "1"},
        "identifier": {"system": "urn:vendor", "value": "qr-1"},
        "status": "completed",
        "questionnaire": f"http://loinc.org/q/{panel}",
        "subject": {"identifier": {"value": "1"}},
        "authored": "2026-03-03T10:00:00-07:00",
        "item": items,
        **more,
    }


def _coded(code: str) -> dict[str, Any]:
    return {"valueCoding": {"system": "http://loinc.org", "code": code}}


def test_a_submission_is_kept_and_scored_before_the_answer(world: Any) -> None:
    answer = world.submit({**PHQ9, "language": "es-MX", "authored_at": "2026-03-03T17:00:00Z", "id": "form-7"})
    assert (answer.status_code, answer.json) == (202, {"status": "received"})
    (screen,) = world.rows(Screen)
    assert (screen.source, screen.event, screen.language) == ("forms.vendor", "form-7", "es")
    assert screen.state != "started"
    assert [receipt.state for receipt in world.receipts] == ["processed"]
    assert world.items == []


def test_a_self_harm_answer_has_its_item_before_the_answer(world: Any) -> None:
    assert world.submit({**PHQ9, "answers": [None] * 8 + [1]}).status_code == 202
    assert [item.kind for item in world.items] == ["safety"]


@pytest.mark.parametrize("again", [{"message_id": "msg_1"}, {"message_id": "msg_2"}])
def test_the_same_submission_again_gets_the_same_answer_and_changes_nothing(world: Any, again: dict[str, str]) -> None:
    body = {**PHQ9, "answers": [3] * 9, "id": "form-7"}
    first = world.submit(body)
    second = world.submit(body, **again)
    assert (first.status_code, first.json) == (second.status_code, second.json)
    assert len(world.rows(Screen)) == len(world.items) == 1


def test_twenty_of_the_same_at_once_are_one(world: Any) -> None:
    body = {**PHQ9, "answers": [3] * 9}
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: world.submit(body).status_code, range(20)))
    assert answers == [202] * 20
    assert len(world.receipts) == len(world.rows(Screen)) == len(world.items) == 1


def test_other_answers_under_the_same_id_are_not_lost(world: Any) -> None:
    world.submit(PHQ9)
    world.submit({**PHQ9, "answers": [0] * 8 + [2]})
    assert len(world.receipts) == 2
    assert "safety" in [item.kind for item in world.items]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({**PHQ9, "answers": [False] + [0] * 8}, "/answers/0"),
        ({**PHQ9, "answers": [0] * 8 + [4]}, "/answers/8"),
        ({**PHQ9, "answers": [0] * 3 + ["2"] + [0] * 5}, "/answers/3"),
        ({**PHQ9, "answers": [1.0] + [0] * 8}, "/answers/0"),
        ({**PHQ9, "answers": [-1] + [0] * 8}, "/answers/0"),
        ({**PHQ9, "answers": [0] * 8}, "/answers"),
        ({**PHQ9, "answers": None}, "/answers"),
        ({**PHQ9, "instrument": "phq8"}, "/instrument"),
        ({**PHQ9, "instrument": 9}, "/instrument"),
        ({**PHQ9, "total": 3}, "/total"),
        ({**PHQ9, "patient": {}}, "/patient"),
        ({**PHQ9, "patient": {"record": "1", "phone": "+13035550101"}}, "/patient"),
        ({**PHQ9, "patient": {"phone": "12"}}, "/patient/phone"),
        ({**PHQ9, "patient": {"record": 1}}, "/patient/record"),
        ({**PHQ9, "authored_at": "2026-03-03T17:00:00"}, "/authored_at"),
        ({**PHQ9, "language": "x" * 50}, "/language"),
        ({key: value for key, value in PHQ9.items() if key != "answers"}, "/answers"),
        ([PHQ9], ""),
        ("not json", ""),
        ('{"instrument": "phq9", "instrument": "gad7"}', ""),
        ("[" * 5000, ""),
        ('{"answers": NaN}', ""),
    ],
)
def test_what_is_no_answer_is_refused_with_the_field_named(world: Any, body: Any, pointer: str) -> None:
    answer = world.submit(body)
    assert answer.status_code == 422
    assert answer.mimetype == "application/problem+json"
    assert pointer in [error["pointer"] for error in answer.json["errors"]]
    assert world.receipts == world.rows(Screen) == world.items == []


def test_what_is_not_signed_now_by_this_vendor_is_refused(world: Any) -> None:
    now = datetime.now(UTC)
    assert world.submit(PHQ9, at=now - timedelta(minutes=6)).status_code == 403
    assert world.submit(PHQ9, at=now + timedelta(minutes=6)).status_code == 403
    for header in ("webhook-id", "webhook-timestamp", "webhook-signature"):
        for value in ("", "x", "v1,", "v1," + base64.b64encode(b"0" * 32).decode(), "\xff"):
            assert world.submit(PHQ9, **{header: value}).status_code == 403
    assert world.client.post("/webhooks/forms/vendor", json=PHQ9).status_code == 403
    assert world.client.post("/webhooks/forms/stranger", json=PHQ9).status_code == 403
    assert world.client.post("/webhooks/forms/a%00b", json=PHQ9).status_code == 403
    assert world.receipts == []


def test_one_of_several_signatures_is_enough(world: Any) -> None:
    now = datetime.now(UTC)
    signed = world.submit(PHQ9, at=now).request.headers["webhook-signature"]
    several = {"webhook-signature": f"v1,bm8= v2,x {signed}"}
    assert world.submit(PHQ9, at=now, **several).status_code == 202


def test_a_number_that_one_patient_has_says_who_it_is(world: Any) -> None:
    assert world.submit({**PHQ9, "patient": {"phone": "(303) 555-0101"}}).status_code == 202
    assert len(world.rows(Screen)) == 1


@pytest.mark.parametrize(("answers", "kind"), [([0] * 9, "reply"), ([0] * 8 + [1], "safety")])
@pytest.mark.parametrize("who", [{"record": "404"}, {"phone": "+13035550150"}, {"phone": "+13035550101"}])
def test_a_form_whose_patient_is_not_clear_waits_for_a_human(
    world: Any, patients: Any, answers: list[int], kind: str, who: dict[str, str]
) -> None:
    patients("2", "+13035550101", "Beto")
    assert world.submit({**PHQ9, "answers": answers, "patient": who}).status_code == 202
    assert world.rows(Screen) == []
    (item,) = world.items
    assert item.kind == kind
    assert next(iter(who.values())) in item.summary
    assert len(world.receipts) == 1


def test_a_fhir_questionnaire_response_is_read_by_its_codes(world: Any) -> None:
    codes = ["LA6568-5", "LA6569-3", "LA6570-1", "LA6571-9"]
    sent = _fhir("44249-1", [_coded(codes[n % 4]) for n in range(8)] + [{"valueInteger": 1}])
    sent["item"].append({"linkId": "44261-6", "answer": [{"valueInteger": 13}]})
    assert world.submit(sent).status_code == 202
    (screen,) = world.rows(Screen)
    assert (screen.instrument, screen.answers) == ("phq9", "[0, 1, 2, 3, 0, 1, 2, 3, 1]")
    assert screen.event == "qr-1"
    assert [item.kind for item in world.items] == ["safety"]


def test_fhir_items_in_groups_and_a_gad7_are_read() -> None:
    sent = _fhir("69737-5", [{"valueInteger": 2}, None, *[_coded("LA6569-3")] * 5], status="in-progress")
    sent["item"] = [{"linkId": "group", "item": sent["item"]}]
    read = submissions.read(json.dumps(sent).encode())
    assert (read.instrument, read.answers, read.record) == ("gad7", (2, None, 1, 1, 1, 1, 1), "1")
    assert read.authored_at == datetime(2026, 3, 3, 17, tzinfo=UTC)


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"resourceType": "Observation"}, "/resourceType"),
        ({"status": "entered-in-error"}, "/status"),
        ({"questionnaire": "http://loinc.org/q/1-8"}, "/questionnaire"),
        ({"questionnaire": None}, "/questionnaire"),
        ({"subject": {"reference": "Patient/1"}}, "/subject/identifier/value"),
        ({"subject": {"identifier": {"value": "\ud800"}}}, "/subject/identifier/value"),
        ({"authored": "yesterday"}, "/authored"),
        ({"modifierExtension": [{"url": "https://ehr.example/not-meant"}]}, "/modifierExtension"),
        ({"item": {}}, "/item"),
        ({"item": [1]}, "/item/0"),
        ({"item": [{"linkId": "1-8", "answer": []}]}, "/item/0/linkId"),
        ({"item": [{"linkId": "44250-9", "answer": [{"valueInteger": False}]}]}, "/item/0/answer/0"),
        ({"item": [{"linkId": "44250-9", "answer": [{"valueInteger": 4}]}]}, "/item/0/answer/0"),
        ({"item": [{"linkId": "44250-9", "answer": [{"valueString": "2"}]}]}, "/item/0/answer/0"),
        ({"item": [{"linkId": "44250-9", "answer": [_coded("LA0-0")]}]}, "/item/0/answer/0"),
        ({"item": [{"linkId": "44250-9", "answer": [_coded("LA6568-5")] * 2}]}, "/item/0/answer"),
        ({"item": [{"linkId": "44250-9", "answer": [_coded("LA6568-5")]}] * 2}, "/item/1/linkId"),
    ],
)
def test_fhir_that_cannot_be_read_without_guessing_is_refused(world: Any, change: dict[str, Any], pointer: str) -> None:
    answer = world.submit(_fhir("44249-1", [_coded("LA6568-5")] * 9, **change))
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json["errors"]] == [pointer]
    assert world.receipts == []
