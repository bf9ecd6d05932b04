"""The door for EHRs: what is answered is kept, sealed and once, and whoever has not signed is refused."""

import json
import random
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class

from bench.fuzz_feeds import mutated
from interchange import jobs
from interchange.hl7 import er7
from messaging.inbox.models import InboxItem
from messaging.models import Clinic, Patient
from reminders.models import Appointment, Reminder
from tests.interchange.messages import PID, header, visit
from tests.interchange.resources import APPOINTMENT, PATIENT, bundle
from tests.webhooks.ehr_world import SOON, START, World, ack, both


@pytest.fixture
def world(house: Any, clinic: Clinic) -> World:
    return World(clinic)


@pytest.mark.parametrize(
    "body",
    [
        *("[1]", "[" * 50_000, "", "<Patient/>", '{"resourceType": "Patient"', b'{"resourceType": "Pati\xe9nt"}'),
        *('{"resourceType": "Patient", "resourceType": "Bundle"}', '{"resourceType": "Patient", "x": NaN}'),
    ],
    ids=["a list", "deep", "nothing", "xml", "cut off", "no utf-8", "a name twice", "no number"],
)
def test_what_is_called_fhir_and_is_none_is_refused_as_fhir_and_can_be_seen(world: World, body: str | bytes) -> None:
    answer = world.post(body, **{"Content-Type": "application/fhir+json"})
    assert (answer.status_code, answer.json["resourceType"]) == (422, "OperationOutcome")
    assert [(row.state, row.kind) for row in world.messages] == [("refused", "unreadable")]
    assert len(world.rows(InboxItem)) == 1


def test_a_message_that_is_called_json_is_a_message_all_the_same(world: World) -> None:
    assert ack(world.post(visit("S12", start=SOON), **{"Content-Type": "application/json"})) == "AA"


@both
def test_a_visit_s_life_comes_by_messages(world: World) -> None:
    assert world.hear(visit("S12", start=SOON)) == ["AA"]
    booked = world.visit
    assert (booked.state, booked.starts_at, booked.source) == ("booked", START, "ehr.books")
    (patient,) = world.rows(Patient)
    assert (patient.record, patient.first_name, patient.birth_date, patient.language) == (
        "4711", "ANA", "1980-01-02", "es",
    )  # fmt: skip
    planned = world.rows(Reminder, Reminder.state == "planned")
    assert planned
    later = f"{START + timedelta(days=1):%Y%m%d%H%M%S}+0000"
    assert world.hear(visit("S13", start=later)) == ["AA"]
    assert (world.visit.starts_at, world.visit.revision) == (START + timedelta(days=1), booked.revision + 1)
    assert world.hear(visit("S15", start=later)) == ["AA"]
    assert world.visit.state == "cancelled"
    assert world.rows(Reminder, Reminder.state == "planned") == []
    assert [message.state for message in world.messages] == ["done"] * 3
    assert world.rows(InboxItem) == []


@both
@pytest.mark.parametrize("odd", ["a\0b", "\u202e\U0001f600", "\ud800"], ids=["NUL", "turned around", "half a letter"])
def test_whatever_letters_an_id_has_its_message_is_worked_off(world: World, odd: str) -> None:
    visit_of = {"participant": [{"actor": {"reference": f"Patient/{odd}"}}]}
    resources = [
        APPOINTMENT | {"id": odd},
        PATIENT | {"id": odd, "name": [{"family": odd}], "identifier": [{"system": odd, "value": odd}]},
        bundle(APPOINTMENT | {"id": f"{odd}1"} | visit_of, PATIENT | {"id": odd}),
        {"resourceType": odd},
    ]
    assert {world.post(json.dumps(each)).status_code for each in resources} <= {200, 422}
    if odd.isprintable() or odd == "a\0b":
        for field in ("V7", "4711", "RIVER", "C1", "SIU"):
            assert ack(world.post(visit("S12", start=SOON).replace(field, odd))) in ("AA", "AE", "AR")
    jobs.drain()
    assert [message.kind for message in world.messages if message.state in ("received", "failed")] == []


def test_who_is_not_born_yet_keeps_the_birth_date_that_is_known(world: World) -> None:
    world.hear(visit("S12", start=SOON), visit("S14", start=SOON, pid=PID.replace("19800102", "20990102")))
    assert [patient.birth_date for patient in world.rows(Patient)] == ["1980-01-02"]
    assert "birth_date_unreadable" in world.problems()


@both
def test_what_is_answered_is_kept_sealed_before_it_is_worked_on(world: World) -> None:
    assert ack(world.post(visit("S12", start=SOON))) == "AA"
    (kept,) = world.messages
    assert (kept.state, kept.kind) == ("received", "SIU^S12")
    assert (kept.raw or "").startswith("MSH|^~\\&|BOOKS|")
    assert b"RIVER" not in kept.raw_ct
    assert world.rows(Appointment) == []
    assert jobs.drain() == 1
    assert jobs.drain() == 0


@both
def test_the_same_message_again_is_answered_again_and_does_nothing_twice(world: World) -> None:
    message = visit("S12", start=SOON)
    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(lambda _: ack(world.post(message)), range(8))) == {"AA"}
    jobs.drain()
    assert world.hear(message) == ["AA"]
    assert len(world.messages) == 1
    assert world.visit.revision == 1


def test_another_message_under_the_same_control_id_is_taken_and_told(world: World) -> None:
    world.hear(visit("S12", start=SOON), visit("S15", start=SOON))
    assert world.visit.state == "cancelled"
    assert world.problems() == ["control_id_again"]


@both
@pytest.mark.parametrize(
    ("message", "answer", "state"),
    [
        ("hello", "AR", "refused"),
        (visit("S99"), "AR", "refused"),
        (visit("S12", start=""), "AE", "refused"),
        (visit("S12", "AIS|1||X|20300101090000", start=SOON), "AA", "held"),
        (visit("S12", pid="PID|1||4711", start=SOON), "AA", "held"),
    ],
    ids=["no_hl7", "event", "no_start", "two_starts", "nameless"],
)
def test_what_is_not_understood_is_before_the_administrator(
    world: World, new_staff: Any, message: str, answer: str, state: str
) -> None:
    admin = new_staff("Ada", role="clinic_admin")
    assert world.hear(message) == [answer]
    (kept,) = world.messages
    (item,) = world.rows(InboxItem)
    assert (kept.state, item.owner_id) == (state, admin.id)
    assert item.summary.startswith("Unreadable message from books")
    assert "RIVER" not in item.summary
    assert world.rows(Appointment) == []


@both
def test_fhir_resources_do_the_same_and_one_bad_entry_does_not_keep_the_rest(world: World) -> None:
    appointment = APPOINTMENT | {"start": f"{START:%Y-%m-%dT%H:%M:%SZ}", "end": None}
    answer = world.post(json.dumps(bundle(PATIENT, appointment, appointment | {"status": "parked"})))
    assert (answer.status_code, answer.content_type, answer.json["resourceType"]) == (
        200, "application/fhir+json", "OperationOutcome",
    )  # fmt: skip
    jobs.drain()
    assert (world.visit.starts_at, world.visit.state) == (START, "booked")
    (patient,) = world.rows(Patient)
    assert (patient.record, patient.first_name) == ("4711", "ANA")
    assert [message.state for message in world.messages] == ["held"]  # the bad entry, for a person to look at
    assert world.problems() == ["status_unsupported"]


@pytest.mark.parametrize("written", ["45992", "20301345", "1803200400", "99999999999999"])
def test_numbers_as_dates_of_hl7_are_ae_102_with_err_and_can_be_seen(world: World, written: str) -> None:
    answer = er7.read(world.post(visit("S12", start=written)).data).messages[0]
    assert answer.part("MSA", 1) == "AE"
    assert ("102", "E") in [(err.part(3), err.part(4)) for err in answer.all("ERR")]
    seen_as_no_date(world)


@pytest.mark.parametrize("written", [45992, 1803200400, 2030.5, "45992", "1803200400"])
def test_numbers_as_dates_of_fhir_are_an_operation_outcome_and_can_be_seen(world: World, written: object) -> None:
    answer = world.post(json.dumps(APPOINTMENT | {"start": written, "end": None}))
    assert (answer.status_code, answer.json["resourceType"]) == (422, "OperationOutcome")
    get_fhir_model_class("OperationOutcome").model_validate(answer.json)
    (issue,) = answer.json["issue"]
    assert issue["details"]["text"] == "The start of the visit is no date and time."
    seen_as_no_date(world)


def seen_as_no_date(world: World) -> None:
    """The message is before a person, with why; no visit came of it."""
    jobs.drain()
    assert [row.state for row in world.messages] == ["refused"]
    assert "start_unreadable" in world.problems()
    assert len(world.rows(InboxItem)) == 1
    assert world.rows(Appointment) == []


@pytest.mark.parametrize("body", ['{"resourceType": "Device"}', "{", '{"resourceType": "Appointment"}'])
def test_a_resource_that_cannot_be_taken_is_refused_in_fhir_s_terms(world: World, body: str) -> None:
    answer = world.post(body)
    assert (answer.status_code, answer.json["issue"][0]["severity"]) == (422, "error")


def test_whoever_has_not_signed_is_refused_and_nothing_is_kept(world: World) -> None:
    message = visit("S12", start=SOON)
    assert world.client.post("/webhooks/ehr/books", data=message).status_code == 403
    assert world.post(message, path="stranger").status_code == 403
    assert world.post(message, **{"webhook-signature": "v1,bm8="}).status_code == 403
    assert world.messages == []


def test_a_message_that_wants_no_answer_gets_none(world: World) -> None:
    message = visit("S12", start=SOON).replace("|P|2.5.1", "|P|2.5.1|||NE|NE")
    assert (world.post(message).status_code, world.post(message).data) == (204, b"")
    assert len(world.messages) == 1


def test_an_answer_is_in_the_letters_of_its_message(world: World) -> None:
    message = visit("S12", start=SOON).replace("|C1|", "|C\u00e9|").encode("latin-1")
    answer = world.post(message)
    assert b"|C\xe9" in answer.data
    assert "latin-1" in answer.content_type


def test_each_message_of_a_batch_is_kept_and_answered(world: World) -> None:
    batch = "\r".join([r"BHS|^~\&", visit("S12", start=SOON), visit("S12", start=SOON, key="V8"), "BTS|2"])
    answer = world.post(batch)
    assert [message.part("MSA", 1) for message in er7.read(answer.data).messages] == ["AA", "AA"]
    jobs.drain()
    assert len(world.rows(Appointment)) == 2


@both
def test_whatever_is_posted_is_answered_and_kept(world: World) -> None:
    chance = random.Random(16)
    samples = [visit("S12", start=SOON).encode(), f"{header('A40')}\r{PID}\rMRG|4712".encode()]
    answers = [world.post(mutated(chance, samples[turn % 2])) for turn in range(80)]
    assert {answer.status_code for answer in answers} <= {200, 204}
    assert len(world.messages) >= 40
    jobs.drain()
    assert "received" not in {message.state for message in world.messages}


def test_a_resource_behind_a_byte_order_mark_is_a_resource(world: World) -> None:
    cancelled = APPOINTMENT | {"status": "cancelled"}
    assert world.post(b"\xef\xbb\xbf" + json.dumps(cancelled).encode()).status_code == 200
    jobs.drain()
    assert [message.state for message in world.messages] == ["ignored"]


def test_what_is_too_large_is_refused_in_its_own_terms_and_nothing_is_kept(world: World) -> None:
    message = world.post("MSH|" + "A" * 300_000)
    assert (message.status_code, message.mimetype) == (413, "application/hl7-v2")
    assert er7.read(message.data).messages[0].part("MSA", 1) == "AR"
    outcome = world.post('{"a": "' + "A" * 300_000 + '"}', **{"Content-Type": "application/fhir+json"})
    assert outcome.status_code == 413
    get_fhir_model_class("OperationOutcome").model_validate_json(outcome.text)
    assert world.messages == []
