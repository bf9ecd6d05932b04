"""The record in FHIR R4: each resource holds by the specification, and nobody reads more than their key lets them."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit
from uuid import uuid4

import pytest
from fhir.resources.R4B import get_fhir_model_class

from config import db
from intake_links.models import Screen
from interchange import explaining
from messaging.inbox.models import InboxItem
from messaging.models import Patient
from messaging.programs import scopes
from records import kinds
from tests.api import test_isolation
from tests.api.conftest import app, ours, theirs
from tests.api.test_isolation import ANSWERS, RESULT, Rows

__all__ = ["app", "ours", "theirs"]
TYPES = [*kinds.BY_TYPE, "Questionnaire"]
SCOPES = {kind.type: kind.scope for kind in kinds.ALL} | {"Questionnaire": "screens.read"}
every_type = pytest.mark.parametrize("kind", TYPES)
both = pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)
PHI = ("Maya", "Quill", "3035550110")


def filled(side: Any) -> Rows:
    """One row of each kind, and a safety item of the same patient."""
    rows = test_isolation.filled(side)
    with db.unit_of_work(side.clinic.id) as session:
        patient = session.get_one(Patient, rows.patient)
    rows.by_kind["flag"] = side.item("safety", patient).id
    return rows


def read(program: Any, path: str, **query: Any) -> Any:
    """The resource at a path, which holds by the specification."""
    answer = program.get(f"/fhir/{path}", **query)
    assert answer.status_code == 200, answer.text
    assert answer.content_type == "application/fhir+json"
    return valid(json.loads(answer.text))


def valid(resource: Any) -> Any:
    get_fhir_model_class(resource["resourceType"]).model_validate(resource)
    return resource


def found(program: Any, path: str, **query: Any) -> list[Any]:
    """What a search has found on its first page."""
    return [valid(entry["resource"]) for entry in read(program, path, **query).get("entry", [])]


def refused(answer: Any, status: int, code: str) -> Any:
    assert answer.status_code == status, answer.text
    assert answer.content_type == "application/fhir+json"
    outcome = valid(json.loads(answer.text))
    assert outcome["resourceType"] == "OperationOutcome"
    assert outcome["issue"][0]["code"] == code
    return outcome


@both
def test_every_resource_holds_and_is_read_by_its_id_as_the_search_has_it(ours: Any, theirs: Any) -> None:
    rows, foreign = filled(ours), filled(theirs)
    program = ours.program()
    for kind in TYPES:
        listed = found(program, kind)
        assert listed, kind
        for resource in listed:
            assert read(program, f"{kind}/{resource['id']}") == resource
        text = json.dumps(listed)
        assert not any(str(row_id) in text for row_id in foreign.by_kind.values()), kind
    ids = rows.by_kind
    assert [each["id"] for each in found(program, "ServiceRequest")] == [str(ids["handoff"]), str(ids["referral"])]
    for path in (f"Patient/{foreign.patient}", f"Observation/{foreign.by_kind['screen']}.total"):
        refused(program.get(f"/fhir/{path}"), 404, "not-found")
    for kind in kinds.ALL:
        if kind.patient is not None:
            assert found(program, kind.type, patient=str(foreign.patient)) == []
            assert found(program, kind.type, patient=f"Patient/{rows.patient}") == found(program, kind.type)


@both
def test_every_search_is_understood_by_the_database(ours: Any) -> None:
    filled(ours)
    program, today = ours.program(), datetime.now(UTC)
    for kind in kinds.ALL:
        whole = found(program, kind.type)
        for name in [name for name, sort in kind.parameters.items() if sort == "date"]:
            if kind.type in ("Communication",) and name == "sent":
                continue  # the text still waits to leave
            spans = {f"ge{today - timedelta(days=2):%Y-%m-%d}": whole, f"lt{today - timedelta(days=2):%Y-%m-%d}": []}
            spans |= {"gt2999-01-01T00:00:00Z": [], "le2999-01-01T00:00:00Z": whole, "2001-02-03": []}
            for text, expected in spans.items():
                assert found(program, kind.type, **{name: text}) == expected, (kind.type, name, text)
        by_status = [each for status in kind.statuses or () for each in found(program, kind.type, status=status)]
        assert not kind.statuses or sorted(each["id"] for each in by_status) == sorted(each["id"] for each in whole)


def test_a_safety_item_is_a_flag_until_somebody_has_ended_it_and_tells_no_words(ours: Any) -> None:
    rows, program = filled(ours), ours.program()
    (flag,) = found(program, "Flag", status="active")
    assert flag["subject"]["reference"] == f"Patient/{rows.patient}"
    assert (flag["category"][0]["coding"][0]["code"], "end" in flag["period"]) == ("safety", False)
    ended = datetime.now(UTC)
    with db.unit_of_work(ours.clinic.id) as session:
        item = session.get_one(InboxItem, rows.by_kind["flag"])
        item.state, item.acknowledged_at, item.done_at, item.disposition = "done", ended, ended, "spoken_with"
    (flag,) = found(program, "Flag", status="inactive")
    assert flag["period"]["end"] == flag["meta"]["lastUpdated"]
    assert not any(word in json.dumps(flag) for word in (*PHI, "spoken_with"))


@every_type
def test_a_key_without_the_scope_reads_nothing(ours: Any, kind: str) -> None:
    others = [scope for scope in scopes.ALL if scope != SCOPES[kind]]
    for path in (kind, f"{kind}/{uuid4()}"):
        outcome = refused(ours.program(*others).get(f"/fhir/{path}"), 403, "forbidden")
        assert SCOPES[kind] in json.dumps(outcome)


def test_without_a_key_only_the_capabilities_are_read(ours: Any) -> None:
    client = ours.app.test_client()
    statement = valid(json.loads(client.get("/api/v1/fhir/metadata").text))
    described = {
        each["type"]: {each["name"] for each in each["searchParam"]} for each in statement["rest"][0]["resource"]
    }
    assert set(described) == set(TYPES)
    assert all(described[kind.type] == set(kind.parameters) for kind in kinds.ALL)
    for path in ("Patient", f"Patient/{uuid4()}", "Nothing", ""):
        answer = client.get(f"/api/v1/fhir/{path}")
        refused(answer, 401, "login")
        assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_what_is_asked_wrongly_is_refused_and_never_repeated(ours: Any) -> None:
    program = ours.program()
    wrong = [
        "Patient?name=Quill", "Patient?_lastUpdated=ge2026-01-01", "Appointment?status=Quill", "Appointment?date=Quill",
        "Appointment?date=ne2026-01-01", "Appointment?date=9999-12-31", "Appointment?patient=Quill", "Task?_count=0",
        "Task?_count=Quill", "Task?_after=Quill", "Task?_after=1.Quill", "Task?status=", "Task?_format=xml",
        "Task?status=requested&status=failed", "Questionnaire?url=", "Patient/x?name=Quill", "Task?_after=²",
    ]  # fmt: skip
    for address in wrong:
        path, _, query = address.partition("?")
        answer = program.get(f"/fhir/{path}", **parse_qs(query, keep_blank_values=True))
        refused(answer, 400, "invalid")
        assert "Quill" not in answer.text, address
    for path in ("Nothing", "", "Patient/x", "Patient/x/_history", "Observation/.", "Questionnaire/phq10"):
        refused(program.get(f"/fhir/{path}"), 404, "not-found")
    answer = program.post("/fhir/Patient", {"resourceType": "Patient"})
    refused(answer, 405, "not-supported")
    assert answer.headers["Allow"] == "GET, HEAD"
    assert answer.headers["X-Request-Id"] == json.loads(answer.text)["id"]


def test_head_is_answered_as_get_is_and_without_a_body(ours: Any) -> None:
    rows, program = filled(ours), ours.program()
    for path in ("/fhir/metadata", "/fhir/Patient", f"/fhir/Patient/{rows.patient}", "/patients"):
        asked, told = program.ask("HEAD", path), program.get(path)
        assert (asked.status_code, asked.data) == (200, b""), path
        assert asked.headers["Content-Length"] == told.headers["Content-Length"], path
        assert asked.headers.get("ETag") == told.headers.get("ETag"), path
    assert program.ask("HEAD", f"/fhir/Patient/{uuid4()}").status_code == 404
    assert len(ours.audited("api.fhir.Patient.read")) == 3


def test_what_has_not_changed_is_not_sent_again_to_whoever_shows_its_tag(ours: Any) -> None:
    rows, program = filled(ours), ours.program()
    paths = ("metadata", "Patient", f"Patient/{rows.patient}", "Questionnaire/phq9")
    tags = {path: program.get(f"/fhir/{path}").headers["ETag"] for path in paths}
    assert all(tag.startswith('W/"') for tag in tags.values())
    for path, tag in tags.items():
        program.headers["If-None-Match"] = f'"other", {tag}'
        again = program.get(f"/fhir/{path}")
        assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", tag), path
    assert len(ours.audited("api.fhir.Patient.read")) == 2
    with db.unit_of_work(ours.clinic.id) as session:
        session.get_one(Patient, rows.patient).last_name = "Quillon"
    program.headers["If-None-Match"] = tags[f"Patient/{rows.patient}"]
    assert json.loads(program.get(f"/fhir/Patient/{rows.patient}").text)["name"][0]["family"] == "Quillon"


def test_who_asks_for_lenient_handling_has_unknown_parameters_passed_over_and_is_told_which_counted(ours: Any) -> None:
    filled(ours)
    program = ours.program()
    whole = found(program, "Appointment")
    for prefer in ("handling=lenient", 'return=minimal, Handling = "lenient"', "handling=lenient;x=1, handling=strict"):
        program.headers["Prefer"] = prefer
        answer = program.get("/fhir/Appointment", actor="Quill", **{"status:not": "booked"}, _count="200")
        assert answer.status_code == 200, prefer
        assert answer.headers["Preference-Applied"] == "handling=lenient"
        page = valid(json.loads(answer.text))
        assert [entry["resource"] for entry in page["entry"]] == whole
        assert urlsplit(page["link"][0]["url"]).query == "_count=200"
        refused(program.get("/fhir/Appointment", status="Quill"), 400, "invalid")
    for prefer in ("handling=strict", "handling=strict, handling=lenient", "return=minimal", "lenient"):
        program.headers["Prefer"] = prefer
        answer = program.get("/fhir/Appointment", actor="Quill")
        refused(answer, 400, "invalid")
        assert "Preference-Applied" not in answer.headers, prefer


def test_each_read_is_written_down_before_it_is_answered(ours: Any) -> None:
    rows, program = filled(ours), ours.program()
    found(program, "Observation", patient=str(rows.patient))
    read(program, f"Observation/{rows.by_kind['screen']}.total")
    acts = ours.audited("api.fhir.Observation.search", "api.fhir.Observation.read")
    assert [entry.about for entry in acts] == [f"patient:{rows.patient}", f"screen:{rows.by_kind['screen']}"]
    assert {entry.actor for entry in acts} == {f"program:{program.key_id}"}


@pytest.mark.parametrize("count", [1, 2, 5, 12])
def test_pages_give_each_resource_once_and_never_more_than_asked(ours: Any, count: int) -> None:
    filled(ours)
    for kind in ("Observation", "Questionnaire", "ServiceRequest"):
        program, query, ids = ours.program(), {"_count": str(count)}, []
        whole = [each["id"] for each in found(program, kind, _count=200)]
        while query:
            page = read(program, kind, **query)
            entries = page.get("entry", [])
            assert 0 < len(entries) <= count
            ids += [entry["resource"]["id"] for entry in entries]
            following = [link["url"] for link in page["link"] if link["relation"] == "next"]
            query = dict(parse_qsl(urlsplit(following[0]).query)) if following else {}
        assert ids == whole


def test_a_page_of_another_clinic_or_list_leads_nowhere(ours: Any, theirs: Any) -> None:
    filled(ours), filled(theirs)
    page = read(theirs.program(), "Observation", _count=1)
    cursor = dict(parse_qsl(urlsplit(page["link"][1]["url"]).query))["_after"]
    refused(ours.program().get("/fhir/Observation", _after=cursor), 400, "invalid")
    refused(theirs.program().get("/fhir/Task", _after=cursor), 400, "invalid")


def test_a_screening_is_a_panel_a_total_and_its_answers(ours: Any) -> None:
    rows, program = filled(ours), ours.program()
    screen = rows.by_kind["screen"]
    panel, total, *answers = found(program, "Observation")
    assert panel["code"]["coding"][0]["code"] == "44249-1"
    assert [each["reference"] for each in panel["hasMember"]] == [
        f"Observation/{each['id']}" for each in (total, *answers)
    ]
    assert total["code"]["coding"][0]["code"] == "44261-6"
    assert total["valueQuantity"]["value"] == sum(ANSWERS)
    assert all(each["derivedFrom"] == [{"reference": f"QuestionnaireResponse/{screen}"}] for each in (panel, *answers))
    assert [each["coding"][0]["code"] for each in total["category"]] == ["survey", "cognitive-status"]
    assert found(program, "Observation", code="http://loinc.org|44261-6") == [total]
    assert found(program, "Observation", code="44250-9,44260-8") == [answers[0], answers[8]]
    assert found(program, "Observation", code="72109-2") == []


def test_with_an_answer_missing_there_is_no_total(ours: Any) -> None:
    rows, program = filled(ours), ours.program()
    with db.unit_of_work(ours.clinic.id) as session:
        screen = session.get_one(Screen, rows.by_kind["screen"])
        screen.answers = json.dumps([None, *ANSWERS[1:]])
        screen.result = json.dumps(RESULT | {"total": None, "prorated": 10.1, "band": None, "missing": 1})
    told = found(program, "Observation")
    assert [each["id"].partition(".")[2] for each in told] == ["panel", *(str(number) for number in range(2, 10))]
    refused(program.get(f"/fhir/Observation/{screen.id}.total"), 404, "not-found")


def test_what_we_tell_we_read_as_the_same(ours: Any) -> None:
    filled(ours)
    (response,) = found(ours.program(), "QuestionnaireResponse")
    (said,) = [act for act in explaining.fhir({"resource": response})["acts"] if act["act"] == "score"]
    assert (said["instrument"], said["answers"]) == ("phq9", ANSWERS)


def test_a_merged_and_a_deceased_patient_are_not_active(ours: Any) -> None:
    patient, other = ours.patient("R1"), ours.patient("R2", "+13035550111")
    with db.unit_of_work(ours.clinic.id) as session:
        session.get_one(Patient, patient.id).merged_into = other.id
        session.get_one(Patient, other.id).state = "deceased"
    merged, gone = found(ours.program(), "Patient")
    assert merged["link"] == [{"other": {"reference": f"Patient/{other.id}"}, "type": "replaced-by"}]
    assert (merged["active"], gone["active"], gone["deceasedBoolean"]) == (False, False, True)


def test_the_forms_are_told_with_their_licence_and_codes(ours: Any) -> None:
    told = {each["id"]: each for each in found(ours.program(), "Questionnaire")}
    assert all(each["copyright"] for each in told.values())
    assert told["phq9"]["url"] == "http://loinc.org/q/44249-1"
    assert told["phq9"]["item"][8]["answerOption"][3]["valueCoding"]["code"] == "LA6571-9"
    assert found(ours.program(), "Questionnaire", url="http://loinc.org/q/44249-1") == [told["phq9"]]
