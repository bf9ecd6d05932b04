"""All that is kept of a patient, handed out as a file to who may, and written down."""

import json
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from fhir.resources.R4B import get_fhir_model_class
from sqlalchemy import select

from config import audit, clock, db
from tests.web.presenters.test_screen_view import hand_in


def exported(house: Any) -> Any:
    """A patient of whom something is kept, another one, and a colleague's browser."""
    patient = house.patient(record="MRN-204")
    hand_in(house, patient, 3, [1] * 9)
    house.text_from(patient, "see you on monday")
    other = house.patient(record="MRN-205", number="+13035550188")
    hand_in(house, other, 3, [2] * 9)
    return patient, other, house.signed_in(house.staff())


def post(browser: Any, patient: Any, **form: str) -> Any:
    return browser.post(f"/patients/{patient.id}/export", **form)


def test_the_bundle_is_whole_and_holds_nobody_else(house: Any) -> None:
    patient, other, browser = exported(house)
    answer = post(browser, patient, form="bundle")
    assert answer.content_type == "application/fhir+json"
    bundle = json.loads(answer.text)
    get_fhir_model_class("Bundle").model_validate(bundle)
    told = {f"{entry['resource']['resourceType']}/{entry['resource']['id']}" for entry in bundle["entry"]}
    kinds = {each.partition("/")[0] for each in told}
    assert {"Patient", "Questionnaire", "QuestionnaireResponse", "Observation", "Communication"} <= kinds
    assert str(other.id) not in answer.text
    assert references(bundle) <= told, "what is referred to is in it"
    with db.unit_of_work(house.clinic.id, read_only=True) as session:
        exports = session.scalars(select(audit.AuditEntry.detail).where(audit.AuditEntry.act == "patient.exported"))
        assert [detail["form"] for detail in exports] == ["bundle"]


def references(node: Any) -> set[str]:
    if isinstance(node, list):
        return set().union(*(references(each) for each in node))
    if not isinstance(node, dict):
        return set()
    own = {node["reference"]} if isinstance(node.get("reference"), str) else set()
    return own.union(*(references(each) for each in node.values()))


def test_the_paper_can_be_read(house: Any) -> None:
    patient, _, browser = exported(house)
    answer = post(browser, patient, form="paper")
    assert answer.mimetype == "application/pdf"
    assert answer.data.startswith(b"%PDF")
    assert "patient-record.pdf" in answer.headers["Content-Disposition"]
    page = browser.get(f"/patients/{patient.id}/export").text
    assert "FHIR R4 Bundle" in page
    assert f"/patients/{patient.id}/export" in browser.get(f"/patients/{patient.id}").text


def test_whoever_signed_in_a_while_ago_proves_who_they_are(house: Any) -> None:
    patient, _, browser = exported(house)
    with time_machine.travel(clock.now() + timedelta(minutes=10, seconds=5)):
        answer = post(browser, patient, form="bundle")
    assert answer.status_code == 401
    assert "application/fhir" not in answer.content_type


@pytest.mark.parametrize("role", ["front_desk", "psychiatric_consultant", "clinic_admin", "auditor"])
def test_others_export_nothing(house: Any, role: str) -> None:
    patient = house.patient()
    browser = house.signed_in(house.staff(role=role))
    assert browser.get(f"/patients/{patient.id}/export").status_code == 403
    assert post(browser, patient, form="bundle").status_code == 403
