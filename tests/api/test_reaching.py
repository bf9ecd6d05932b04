"""Texts, links, handoffs, screens and consent by a program: within what a patient agreed to, by our ways."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import select

from config import audit, clock, db
from intake_links import submissions
from messaging.consent import ledger
from messaging.contactability import Refusal
from messaging.models import Message
from messaging.people import directory
from tests.api.conftest import NUMBER
from tests.api.test_door import problem_of

both = pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)


def texts(side: Any) -> list[Message]:
    with db.unit_of_work(side.clinic.id) as session:
        rows = list(session.scalars(select(Message).order_by(Message.id)))
        db.load_keys(session, {row.key_id for row in rows})
        return rows


@both
def test_a_text_goes_into_the_outbox_once(ours: Any) -> None:
    program, patient = ours.program(), ours.patient()
    body = {"patient_id": str(patient.id), "body": "Your letter is ready at the desk."}
    sent = [program.post("/messages", body, key="k") for _ in range(2)]
    assert [answer.status_code for answer in sent] == [201, 201]
    (text,) = texts(ours)
    assert (text.programme, text.kind, text.state, text.body) == ("care_team", "reply", "queued", body["body"])
    assert program.get(f"/messages/{text.id}").json["state"] == "queued"
    assert program.post("/messages", body | {"body": "It is at the other desk."}, key="another").status_code == 201
    assert len(texts(ours)) == 2


def test_a_program_texts_nobody_at_night(ours: Any) -> None:
    with time_machine.travel(datetime(2027, 1, 12, 10, tzinfo=UTC), tick=False):  # three in the morning in Denver
        body = {"patient_id": str(ours.patient().id), "body": "Your letter is ready at the desk."}
        sent = ours.program().post("/messages", body)
        assert datetime.fromisoformat(sent.json["not_before"]) >= clock.now() + timedelta(hours=4)


@pytest.mark.parametrize("why", [Refusal.OPTED_OUT, Refusal.NO_NUMBER, Refusal.NO_CONSENT, Refusal.INACTIVE])
def test_nobody_is_texted_against_their_will(ours: Any, why: Refusal) -> None:
    facts: dict[Refusal, dict[str, Any]] = {
        Refusal.NO_NUMBER: {"number": None},
        Refusal.INACTIVE: {"state": "inactive"},
    }
    patient = ours.patient(**facts.get(why, {}))
    with db.unit_of_work(ours.clinic.id) as session:
        if why is Refusal.OPTED_OUT:
            ledger.record(session, ours.clinic, NUMBER, "revoked", source="text", actor="patient:x")
        if why is Refusal.NO_CONSENT:
            directory.add_number(session, ours.clinic, session.merge(patient), "+13035550188")
    program = ours.program()
    for path, body in (("/messages", {"body": "hello"}), ("/intake-links", {"instruments": ["phq9"]})):
        answer = program.post(path, {"patient_id": str(patient.id)} | body)
        assert answer.status_code == 409
        assert problem_of(answer, "may_not_text")["errors"] == [{"detail": why.value}]
    assert texts(ours) == []


@pytest.mark.parametrize(
    ("body", "status"),
    [("Your PHQ-9 score is 20", 422), ("a" * 1700, 422), ("  ", 422), ("{link}", 422), ("x\x07", 422)],
)
def test_a_program_s_words_are_held_to_what_a_colleague_s_are(ours: Any, body: str, status: int) -> None:
    patient = ours.patient()
    answer = ours.program().post("/messages", {"patient_id": str(patient.id), "body": body})
    assert answer.status_code == status
    assert problem_of(answer, "invalid")["errors"][0]["pointer"] == "/body"
    assert texts(ours) == []


@both
def test_a_link_is_texted_to_the_patient_and_shown_to_nobody_else(ours: Any) -> None:
    program, patient = ours.program(), ours.patient()
    asked = {"patient_id": str(patient.id), "instruments": ["phq9", "gad7"]}
    made = program.post("/intake-links", asked)
    assert made.status_code == 201
    assert (made.json["state"], made.json["instruments"]) == ("open", ["phq9", "gad7"])
    (text,) = texts(ours)
    token = (text.body or "").partition("/i/")[2][:22]
    assert len(token) == 22
    for answer in (made, program.get("/messages"), program.get("/intake-links"), program.get("/events")):
        assert token not in answer.text
    again = program.post("/intake-links", asked)
    assert again.status_code == 409
    problem_of(again, "link_open")
    assert program.post("/intake-links", asked | {"replace": True}).status_code == 201
    assert program.get(f"/intake-links/{made.json['id']}").json["state"] == "withdrawn"


@pytest.mark.parametrize(("instruments", "born"), [(["nothing"], True), (["phq9", "phq9"], True), (["phq9"], False)])
def test_a_link_that_cannot_be_is_refused(ours: Any, instruments: list[str], born: bool) -> None:
    patient = ours.patient(**({} if born else {"birth_date": None}))
    asked = {"patient_id": str(patient.id), "instruments": instruments}
    problem_of(ours.program().post("/intake-links", asked), "invalid")
    assert texts(ours) == []


@both
def test_a_handoff_is_asked_for_once(ours: Any) -> None:
    colleague, patient, program = ours.staff(), ours.patient(), ours.program()
    asked = {"patient_id": str(patient.id), "place": "Room 4", "note": "Tearful today.", "urgent": True}
    made = program.post("/handoffs", asked)
    assert (made.status_code, made.json["state"], made.json["place"]) == (201, "asked", "Room 4")
    problem_of(program.post("/handoffs", asked), "under_way")
    assert program.get(f"/handoffs/{made.json['id']}").json["note"] == "Tearful today."
    assert colleague.active
    problem_of(program.post("/handoffs", asked | {"reasons": ["because"]}), "invalid")


def test_an_answered_form_is_read_with_its_score(ours: Any) -> None:
    program, patient = ours.program(), ours.patient()
    with db.unit_of_work(ours.clinic.id) as session:
        submissions.accept(
            session, ours.clinic, session.merge(patient), instrument="phq9", answers=[1, 1, 1, 1, 1, 1, 1, 1, 1],
            language="en", source="forms.x", event="1", authored_at=clock.now(),
        )  # fmt: skip
    (screen,) = program.get("/screens", patient_id=patient.id).json["items"]
    assert screen["score"]["total"] == 9
    assert screen["answers"] == [1] * 9
    assert screen["owed"] == "safety"
    assert program.get(f"/screens/{screen['id']}").json == screen


@both
def test_consent_is_written_down_and_only_the_phone_lifts_its_stop(ours: Any) -> None:
    program, patient = ours.program(), ours.patient()
    said = {"patient_id": str(patient.id), "event": "revoked", "programmes": ["screening"], "how": "spoken"}
    made = program.post("/consents", said | {"words": "no more forms"})
    assert made.status_code == 201
    (line,) = made.json["items"]
    assert (line["programme"], line["event"], line["words"], line["number"]) == (
        "screening", "revoked", "no more forms", NUMBER,
    )  # fmt: skip
    assert program.post("/consents", said | {"event": "granted"}).status_code == 201
    with db.unit_of_work(ours.clinic.id) as session:
        ledger.record(session, ours.clinic, NUMBER, "revoked", source="text", actor="patient:x")
    problem_of(program.post("/consents", said | {"event": "granted"}), "stopped_by_text")
    lines = program.get("/consents", patient_id=patient.id).json["items"]
    assert [line["event"] for line in lines if line["programme"] == "screening"] == [
        "granted", "revoked", "granted", "revoked",
    ]  # fmt: skip


def test_events_tell_in_order_what_happened_and_nothing_of_anybody(ours: Any) -> None:
    program = ours.program()
    program.post("/patients", {"record": "R1", "first_name": "Maya", "phone": NUMBER})
    audit.seal()
    events = program.get("/events").json
    assert [event["type"] for event in events["items"]] == ["patient.created"]
    assert events["items"][0]["by"] == "program"
    assert "Maya" not in json.dumps(events)
    program.post("/patients", {"record": "R1", "first_name": "Ana", "phone": NUMBER})
    audit.seal()
    later = program.get("/events", after=events["last"]).json
    assert [event["type"] for event in later["items"]] == ["patient.updated"]
