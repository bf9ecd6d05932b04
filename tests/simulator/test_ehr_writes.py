"""What the made-up EHRs take from a clinic: kept as it comes, found again, refused, and lost on the way on purpose."""

from typing import Any

import requests

from tests.simulator.test_ehrs import FHIR, Ehr
from tests.waiting import PATIENCE

SCOPES = "system/QuestionnaireResponse.crs system/Observation.crs system/Appointment.rs"
MARK = {"system": "urn:x", "value": "1"}


def response(patient: str = "7") -> dict[str, Any]:
    said = {"resourceType": "QuestionnaireResponse", "status": "completed", "identifier": MARK}
    return said | {"subject": {"reference": f"Patient/{patient}"}, "questionnaire": "http://loinc.org/q/44249-1"}


def post(ehr: Ehr, path: str, **kwargs: Any) -> requests.Response:
    token = ehr.ask_token(ehr.assertion(), SCOPES).json()["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    return requests.post(ehr.simulator.url + path, headers=headers, timeout=PATIENCE, **kwargs)


def written(ehr: Ehr) -> list[Any]:
    return ehr.simulator.ask("GET", f"/sim/ehrs/{ehr.name}")["written"]  # type: ignore[no-any-return]


def test_what_is_written_is_found_by_its_patient_and_stands_on_the_page(simulator: Any) -> None:
    ehr = Ehr(simulator)
    ehr.put("patients/7", first="Ana", last="River")
    made = post(ehr, f"{FHIR}/QuestionnaireResponse", json=response())
    assert made.status_code == 201
    assert made.headers["Location"].endswith(f"/QuestionnaireResponse/{made.json()['id']}")
    token = ehr.ask_token(ehr.assertion(), SCOPES).json()["access_token"]
    query = {"patient": "7", "identifier": "urn:x|2"}
    found = ehr.get(f"{FHIR}/QuestionnaireResponse", token, params=query).json()
    assert found["total"] == 1
    # It is not searched by identifier: that is left out, and said.
    assert "4122" in str(found["entry"][-1]["resource"])
    page = requests.get(f"{simulator.url}/ehrs", timeout=PATIENCE).text
    assert "Written by the clinic" in page
    assert "Ana River" in page


def test_it_takes_the_same_twice_as_ehrs_do(simulator: Any) -> None:
    ehr = Ehr(simulator)
    ehr.put("patients/7", first="Ana", last="River")
    for _ in range(2):
        assert post(ehr, f"{FHIR}/QuestionnaireResponse", json=response()).status_code == 201
    assert len(written(ehr)) == 2


def test_it_refuses_strangers_the_merged_and_the_restricted_by_code(simulator: Any) -> None:
    ehr = Ehr(simulator)
    ehr.put("patients/7", first="Ana", last="River", merged_into="8")
    ehr.put("patients/9", first="Bo", last="River", restricted="4131")
    codes = {}
    for number in ("7", "9", "10"):
        answer = post(ehr, f"{FHIR}/QuestionnaireResponse", json=response(number), allow_redirects=False)
        codes[number] = answer.json()["issue"][0]["details"]["coding"][0]["code"]
    assert codes == {"7": "4107", "9": "4131", "10": "59102"}
    assert written(ehr) == []


def test_a_fault_may_come_after_what_was_asked_was_done(simulator: Any) -> None:
    ehr = Ehr(simulator)
    ehr.put("patients/7", first="Ana", last="River")
    ehr.faults({"method": "POST", "path": "QuestionnaireResponse", "status": 500, "accepts": True, "times": 1})
    assert post(ehr, f"{FHIR}/QuestionnaireResponse", json=response()).status_code == 500
    assert len(written(ehr)) == 1


def test_athena_takes_answers_and_notes_and_no_observation(simulator: Any) -> None:
    ehr = Ehr(simulator, "athena")
    ehr.put("patients/7", first="Ana", last="River")
    ehr.put("visits/12", patient="7", start="2026-12-10T16:00:00+00:00")
    assert post(ehr, "/athena/fhir/r4/QuestionnaireResponse", json=response("a-195900.E-7")).status_code == 201
    assert post(ehr, "/athena/fhir/r4/Observation", json={}).status_code == 404
    assert post(ehr, "/athena/v1/195900/appointments/12/notes", data={"notetext": "Confirmed"}).status_code == 200
    assert [each["kind"] for each in written(ehr)] == ["QuestionnaireResponse", "note"]


def test_observations_are_asked_for_by_their_code(simulator: Any) -> None:
    ehr = Ehr(simulator)
    ehr.put("patients/7", first="Ana", last="River")
    coded = {"coding": [{"system": "http://loinc.org", "code": "44261-6"}]}
    said = {"resourceType": "Observation", "subject": {"reference": "Patient/7"}, "code": coded, "status": "final"}
    assert post(ehr, f"{FHIR}/Observation", json=said).status_code == 201
    token = ehr.ask_token(ehr.assertion(), SCOPES).json()["access_token"]
    assert ehr.get(f"{FHIR}/Observation", token, params={"patient": "7"}).status_code == 400
    for code, total in (("44261-6", 1), ("55758-7", 0)):
        query = {"patient": "7", "code": f"http://loinc.org|{code}"}
        assert ehr.get(f"{FHIR}/Observation", token, params=query).json()["total"] == total


def test_a_request_is_replaced_and_a_task_made_only_where_that_is_allowed(simulator: Any) -> None:
    ehr = Ehr(simulator)
    ehr.put("patients/7", first="Ana", last="River")
    allowed = "system/ServiceRequest.crus system/Task.crus"
    token = ehr.ask_token(ehr.assertion(), allowed).json()["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    url, said = simulator.url + FHIR, {"resourceType": "ServiceRequest", "subject": {"reference": "Patient/7"}}
    made = requests.post(f"{url}/ServiceRequest", json=said | {"status": "active"}, headers=headers, timeout=PATIENCE)
    own = made.json()["id"]
    ended = said | {"status": "completed", "id": own}
    for number, status in ((own, 200), ("W9", 400)):
        answer = requests.put(f"{url}/ServiceRequest/{number}", json=ended, headers=headers, timeout=PATIENCE)
        assert answer.status_code == status
    assert [each["body"]["status"] for each in written(ehr)] == ["completed"]
    task = {"resourceType": "Task", "for": {"reference": "Patient/7"}, "status": "requested"}
    assert requests.post(f"{url}/Task", json=task, headers=headers, timeout=PATIENCE).status_code == 405
