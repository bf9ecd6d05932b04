"""What goes back to an EHR: each thing once, in the shapes of FHIR R4, whatever goes wrong on the way."""

import re
import zlib
from base64 import b64decode
from datetime import timedelta
from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class
from sqlalchemy import update

from config import clock, db
from intake_links import scoring, submissions
from interchange.models import Feed
from messaging.ehr_outbox.models import EhrWrite, EhrWriter
from messaging.models import Clinic
from tests.records.writing import told
from tests.records.writing.kit import PHQ9, TOTAL, Writes, answered, of_total

BOTH = pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)


def sent(written: Writes) -> list[dict[str, Any]]:
    """What stands there, each a resource that holds by the specification."""
    for resource in written.there():
        if "resourceType" in resource:
            get_fhir_model_class(resource["resourceType"]).model_validate(resource)
    return written.there()


@BOTH
def test_answers_and_scores_stand_in_the_chart_once(house: Any, clinic: Clinic, epic: Writes) -> None:
    answered(clinic)
    assert [row.state for row in epic.rows()] == ["waiting"]
    assert epic.drain() == 1
    resources = sent(epic)
    assert [each["resourceType"] for each in resources] == ["QuestionnaireResponse", *["Observation"] * 11]
    (total,) = of_total(resources)
    assert total["valueQuantity"]["value"] == TOTAL
    assert epic.row.state == "written"
    assert epic.drain() == epic.later() == 0
    assert len(epic.there()) == 12


def test_panel_total_and_items_are_about_the_ehr_s_patient_and_speak_of_its_own_ids(
    clinic: Clinic, epic: Writes
) -> None:
    answered(clinic)
    epic.drain()
    response, *observations = sent(epic)
    ids = {f"{each['resourceType']}/{each['id']}" for each in sent(epic)}
    assert {each["subject"]["reference"] for each in sent(epic)} == {"Patient/7"}
    panel = observations[-1]
    assert len(panel["hasMember"]) == 10
    assert {each["reference"] for each in panel["hasMember"]} < ids
    for each in observations:
        assert each["derivedFrom"] == [{"reference": f"QuestionnaireResponse/{response['id']}"}]
        assert "survey" in [each["coding"][0]["code"] for each in each["category"]]


def test_a_total_never_stands_under_an_item_s_code(clinic: Clinic, epic: Writes) -> None:
    answered(clinic)
    epic.drain()
    known = scoring.instrument("phq9")
    items = {item.loinc for item in known.items}
    for each in epic.there("Observation"):
        codes = {coding["code"] for coding in each["code"]["coding"]}
        assert ("valueQuantity" in each) == (codes == {known.total_loinc})
        assert not ("valueQuantity" in each and codes & items)


def test_f11_no_total_is_ever_written_as_a_string(clinic: Clinic, epic: Writes) -> None:
    answered(clinic)
    epic.drain()
    assert not [each for each in epic.there() if "valueString" in each]


def test_a_total_of_nothing_is_written_too(clinic: Clinic, epic: Writes) -> None:
    answered(clinic, answers=[0] * 9)
    epic.drain()
    (total,) = of_total(epic.there())
    assert total["valueQuantity"]["value"] == 0


def test_nothing_leaves_where_the_clinic_has_not_said_so(clinic: Clinic, epic: Writes) -> None:
    epic.decide()
    answered(clinic)
    epic.drain()
    assert (epic.rows(), epic.there()) == ([], [])


@BOTH
def test_f6_what_was_taken_before_a_timeout_or_a_500_is_found_and_not_sent_again(
    house: Any, clinic: Clinic, epic: Writes
) -> None:
    fault = {"method": "POST", "path": "QuestionnaireResponse", "status": 500, "accepts": True, "times": 1}
    epic.faults(fault, {"method": "POST", "path": "Observation", "status": 503, "accepts": True, "times": 1})
    answered(clinic)
    epic.drain()
    assert (epic.row.state, epic.writer.refused) == ("waiting", "failing")
    epic.later()
    epic.later()
    assert epic.row.state == "written"
    assert len(epic.there()) == len(epic.posted()) == 12


def test_f2_a_filter_that_is_ignored_finds_nobody_else_s(clinic: Clinic, epic: Writes) -> None:
    answered(clinic)
    epic.drain()
    epic.faults({"method": "POST", "path": "QuestionnaireResponse", "status": 500, "times": 1})
    answered(clinic, event="2")
    epic.drain()
    epic.faults({"method": "GET", "path": "QuestionnaireResponse", "warning": "4122"})
    epic.later()
    assert len(epic.there("QuestionnaireResponse")) == 2


def test_an_ehr_that_hangs_is_left_alone_and_written_to_once(
    clinic: Clinic, epic: Writes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("interchange.polling.asking.REQUEST_SECONDS", 1.0)
    epic.faults({"method": "POST", "path": "QuestionnaireResponse", "hang_s": 2, "accepts": True, "times": 1})
    answered(clinic)
    epic.drain()
    assert (epic.row.state, epic.writer.refused) == ("waiting", "timeout")
    assert epic.writer.try_after > clock.now()
    epic.later()
    assert epic.row.state == "written"
    assert len(epic.there("QuestionnaireResponse")) == 1


def test_f7_what_one_ehr_refuses_or_hangs_on_holds_the_other_back_in_nothing(
    clinic: Clinic, epic: Writes, asked_athena: Any
) -> None:
    athena = Writes(asked_athena, forms=["response"])
    epic.faults({"method": "POST", "path": "QuestionnaireResponse", "code": "59100"})
    answered(clinic)
    epic.drain()
    assert (epic.row.state, epic.row.refused, epic.row.code) == ("refused", "content", "59100")
    assert athena.row.state == "written"
    assert len(athena.there("QuestionnaireResponse")) == 1


def test_429_is_the_ehr_s_state_and_not_the_row_s(clinic: Clinic, epic: Writes) -> None:
    epic.faults({"method": "POST", "status": 429, "retry_after": 600, "times": 1})
    answered(clinic)
    epic.drain()
    assert (epic.row.state, epic.row.refused, epic.writer.refused) == ("waiting", None, "busy")
    assert epic.writer.try_after > clock.now() + timedelta(seconds=500)
    assert epic.drain() == 0
    epic.later()
    assert (epic.row.state, epic.writer.refused) == ("written", None)


def test_f8_a_warning_inside_a_good_answer_is_no_refusal(clinic: Clinic, epic: Writes) -> None:
    epic.faults({"warning": "4119"})
    answered(clinic)
    epic.drain()
    assert epic.row.state == "written"


def test_f3_a_patient_merged_over_there_is_followed_once_and_known_by_the_new_id(clinic: Clinic, epic: Writes) -> None:
    epic.ehr.patient("8", first="Ana", last="Riverton", record="M8")
    epic.ehr.patient("7", merged_into="8")
    answered(clinic)
    epic.drain()
    assert epic.row.state == "written"
    assert {each["subject"]["reference"] for each in epic.there()} == {"Patient/8"}
    before = len(epic.posted())
    answered(clinic, event="2")
    epic.drain()
    assert len(epic.posted()) == before + 12


def test_f9_a_record_behind_the_glass_is_refused_in_its_own_word_and_not_tried_again(
    clinic: Clinic, epic: Writes
) -> None:
    epic.ehr.patient("7", restricted="4131")
    answered(clinic)
    epic.drain()
    assert (epic.row.state, epic.row.refused, epic.row.code) == ("refused", "restricted", "4131")
    assert epic.later() == 0


def test_what_no_flowsheet_row_is_mapped_to_is_left_out_and_the_rest_is_written(clinic: Clinic, epic: Writes) -> None:
    epic.faults({"method": "POST", "path": "Observation", "code": "59187", "times": 9})
    answered(clinic)
    epic.drain()
    assert (epic.row.state, epic.row.refused, epic.row.code) == ("written", "flowsheet", "59187")
    (total,) = of_total(sent(epic))
    (panel,) = [each for each in epic.there("Observation") if "hasMember" in each]
    assert panel["hasMember"] == [{"reference": f"Observation/{total['id']}"}]


def test_where_nothing_else_is_taken_a_document_is(clinic: Clinic, epic: Writes) -> None:
    epic.decide(kinds=["screen"], forms=["response", "observations", "document"])
    epic.faults(
        {"method": "POST", "path": "QuestionnaireResponse", "status": 405},
        {"method": "POST", "path": "Observation", "code": "59187"},
    )
    answered(clinic)
    epic.drain()
    (document,) = sent(epic)
    assert document["resourceType"] == "DocumentReference"
    attachment = document["content"][0]["attachment"]
    file = b64decode(attachment["data"])
    assert (attachment["contentType"], file[:5]) == ("application/pdf", b"%PDF-")
    streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", file, re.DOTALL)
    drawn = b"".join(zlib.decompress(stream) for stream in streams if stream[:1] == b"\x78").decode("latin-1")
    assert f"Total score {TOTAL}" in drawn
    assert all(f"({number}. " in drawn for number in range(1, len(PHQ9) + 1))
    assert epic.row.state == "written"


def test_a_duplicate_that_the_ehr_names_is_found_and_is_no_refusal(clinic: Clinic, epic: Writes) -> None:
    epic.faults({"method": "POST", "path": "QuestionnaireResponse", "code": "59141", "accepts": True, "times": 1})
    answered(clinic)
    epic.drain()
    assert epic.row.state == "written"
    assert len(epic.there("QuestionnaireResponse")) == 1


def test_no_more_documents_today_waits_for_tomorrow(clinic: Clinic, epic: Writes) -> None:
    epic.decide(kinds=["screen"], forms=["document"])
    epic.faults({"method": "POST", "path": "DocumentReference", "code": "4135", "times": 1})
    answered(clinic)
    epic.drain()
    assert (epic.row.state, epic.row.refused) == ("waiting", "limit")
    assert epic.row.try_after > clock.now() + timedelta(hours=5)
    epic.later()
    assert epic.row.state == "written"


def test_a_patient_of_whom_the_ehr_has_not_told_is_not_there(clinic: Clinic, epic: Writes, new_patient: Any) -> None:
    with db.unit_of_work(clinic.id) as session:
        patient = new_patient()
        patient = session.merge(patient)
        db.load_keys(session, {patient.key_id, clinic.key_id})
        own = session.get_one(Clinic, clinic.id)
        submissions.accept(
            session, own, patient, instrument="phq9", answers=PHQ9, language="en", source="paper", event="9"
        )
    epic.drain()
    assert (epic.row.state, epic.there()) == ("not_there", [])


def test_f12_what_an_ehr_has_told_us_is_told_to_no_ehr(clinic: Clinic, epic: Writes, asked_athena: Any) -> None:
    athena = Writes(asked_athena, forms=["response"])
    told.score(clinic, Feed, epic.ehr.feed_id)
    assert (epic.rows(), athena.rows()) == ([], [])


def test_a_write_that_fails_alone_for_a_day_waits_for_a_person(clinic: Clinic, epic: Writes) -> None:
    epic.faults({"method": "POST", "path": "QuestionnaireResponse", "status": 500})
    answered(clinic)
    epic.drain()
    with db.unit_of_work(db.EVERY) as session:
        session.execute(update(EhrWrite).values(first_tried_at=clock.now() - timedelta(days=2)))
    epic.later()
    assert epic.row.state == "waiting"  # nothing else went through: it is the EHR that fails
    with db.unit_of_work(db.EVERY) as session:
        session.execute(update(EhrWriter).values(written_at=clock.now() - timedelta(hours=1)))
    epic.later()
    assert (epic.row.state, epic.row.refused) == ("refused", "too_long")


def test_what_a_restored_backup_does_not_know_was_sent_is_found_there(clinic: Clinic, epic: Writes) -> None:
    answered(clinic)
    epic.drain()
    as_before = {"state": "waiting", "begun_at": None, "parts": {}, "attempts": 0, "first_tried_at": None}
    with db.unit_of_work(db.EVERY) as session:
        long_ago = clock.now() - timedelta(minutes=30)
        session.execute(update(EhrWrite).values(**as_before, created_at=long_ago, try_after=long_ago))
    epic.drain()
    assert epic.row.state == "written"
    assert len(epic.there()) == len(epic.posted()) == 12
