"""Emergency access: one patient, for a limited time, with a reason, told at once and looked at by somebody else."""

from datetime import timedelta
from itertools import product
from typing import Any

import pytest
from sqlalchemy import select

from config import audit, clock, db
from messaging.models import Message
from tests.web.caseload import seeding
from web import permissions
from web.models import EmergencyAccess
from web.patients import emergency_access

REASON = {"why": "danger", "reason": "The family rang: they fear for a life tonight", "minutes": "30"}
SAID = "i stopped taking my pills"


def waits(house: Any) -> tuple[Any, Any]:
    patient = house.patient()
    talk = house.text_from(patient, SAID)
    return patient, house.item("reply", patient_id=patient.id, conversation_id=talk.id, summary=SAID)


def rows(house: Any) -> list[EmergencyAccess]:
    with db.unit_of_work(house.clinic.id) as session:
        found = list(session.scalars(select(EmergencyAccess).order_by(EmergencyAccess.id)))
        db.load_keys(session, [row.key_id for row in found])
        assert all(row.reason for row in found)
        return found


def audited(house: Any, act: str) -> list[audit.AuditEntry]:
    with db.unit_of_work(house.clinic.id) as session:
        return list(session.scalars(select(audit.AuditEntry).where(audit.AuditEntry.act == act)))


@pytest.mark.parametrize("role", sorted(permissions.MAY))
def test_emergency_access_adds_reading_and_nothing_else(role: str) -> None:
    acts = set().union(*permissions.MAY.values()) | {"an act nobody knows"}
    for act, own, opened in product(acts, (True, False), (True, False)):
        without = permissions.reaches(role, act, own=own, opened=False)
        gained = permissions.reaches(role, act, own=own, opened=opened) and not without
        assert not gained or (opened and act in permissions.OPENED)
        assert not without or permissions.may(role, act)
    assert not permissions.reaches("a role nobody knows", "inbox.words", own=True, opened=True)


@pytest.mark.parametrize("role", ["clinic_admin", "auditor", "psychiatric_consultant", "front_desk"])
def test_whoever_does_not_reach_a_patient_opens_them_with_a_reason(house: Any, role: str) -> None:
    patient, item = waits(house)
    browser = house.signed_in(house.staff("Kim Ost", role=role))
    refused = browser.get(f"/patients/{patient.id}/messages")
    assert refused.status_code == 403
    assert f"/patients/{patient.id}/emergency" in refused.text
    form = browser.get(f"/patients/{patient.id}/emergency")
    assert form.status_code == 200
    assert SAID not in form.text
    answer = browser.post(f"/patients/{patient.id}/emergency", **REASON)
    assert answer.location == f"/patients/{patient.id}"
    for path in ("", "/messages", "/scores", "/visits"):
        page = browser.get(f"/patients/{patient.id}{path}")
        assert page.status_code == 200, path
        assert 'class="emergency"' in page.text, path
    assert SAID in browser.get(f"/patients/{patient.id}/messages").text
    if role != "front_desk":
        case = browser.get(f"/inbox/{item.id}").text
        assert 'class="emergency"' in case
        assert SAID in case
    assert 'class="emergency"' not in browser.get("/today").text
    for act in ["patient.opened", *(["case.opened"] if role != "front_desk" else [])]:
        marked = [entry.detail.get("emergency") for entry in audited(house, act)]
        assert str(rows(house)[0].id) in marked, act


@pytest.mark.parametrize("role", ["clinic_admin", "auditor", "psychiatric_consultant", "front_desk"])
def test_each_page_that_it_opened_is_counted_for_who_looks_at_it(house: Any, role: str) -> None:
    patient, _ = waits(house)
    browser = house.signed_in(house.staff("Kim Ost", role=role))
    browser.post(f"/patients/{patient.id}/emergency", **REASON)
    (row,) = rows(house)
    shown, uncounted, counted = 0, [], 0
    for rule in house.app.url_map.iter_rules():
        if "GET" not in rule.methods or rule.arguments != {"patient_id"} or rule.endpoint.startswith("emergencies."):
            continue
        page = browser.get(rule.rule.replace("<uuid:patient_id>", str(patient.id)))
        with db.unit_of_work(house.clinic.id) as session:
            before, counted = counted, emergency_access.pages_read(session, row)
        if page.status_code == 200 and b'class="emergency"' in page.data:
            shown += 1
            uncounted += [rule.rule] if counted == before else []
    assert uncounted == []
    assert shown >= 4


def test_it_reads_and_changes_nothing_and_opens_nobody_else(house: Any) -> None:
    patient, _ = waits(house)
    other = house.patient()
    browser = house.signed_in(house.staff("Kim Ost", role="auditor"))
    browser.post(f"/patients/{patient.id}/emergency", **REASON)
    assert browser.get(f"/patients/{other.id}").status_code == 403
    for path in ("note", "text", "consent", "record/state", "safety-plan"):
        assert browser.post(f"/patients/{patient.id}/{path}", words="x", body="x").status_code == 403, path


def test_it_ends_by_itself_and_by_its_button(house: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    patient, _ = waits(house)
    browser = house.signed_in(house.staff("Kim Ost", role="clinic_admin"))
    browser.post(f"/patients/{patient.id}/emergency", **REASON)
    assert browser.post(f"/patients/{patient.id}/emergency/end").status_code == 303
    assert browser.get(f"/patients/{patient.id}").status_code == 403
    browser.post(f"/patients/{patient.id}/emergency", **REASON | {"minutes": "15"})
    # A page left open is asked for anew as it ends, and then shows nothing any more.
    assert 840 < int(browser.get(f"/patients/{patient.id}").headers["Refresh"]) <= 901
    assert "Refresh" not in browser.get("/patients").headers
    with db.unit_of_work(house.clinic.id) as session:
        session.get_one(EmergencyAccess, rows(house)[-1].id).ends_at = clock.now() - timedelta(seconds=1)
    assert browser.get(f"/patients/{patient.id}").status_code == 403


@pytest.mark.parametrize("wrong", [{"why": "curious"}, {"reason": "because"}, {"minutes": "600"}, {"minutes": "²"}])
def test_without_a_reason_nothing_opens_and_what_was_typed_stays(house: Any, wrong: dict[str, str]) -> None:
    patient, _ = waits(house)
    browser = house.signed_in(house.staff("Kim Ost", role="auditor"))
    answer = browser.post(f"/patients/{patient.id}/emergency", **REASON | wrong)
    assert answer.status_code == 422
    assert (REASON | wrong)["reason"] in answer.text
    assert rows(house) == []


def test_the_care_team_and_another_administrator_are_told_without_a_name(house: Any) -> None:
    patient, _ = waits(house)
    house.staff("Rosa Delgado", number="+12025550141")
    house.staff("Ada Lind", role="clinic_admin", number="+12025550142")
    kim = house.staff("Kim Ost", role="clinic_admin", number="+12025550143")
    browser = house.signed_in(kim)
    browser.post(f"/patients/{patient.id}/emergency", **REASON)
    browser.post(f"/patients/{patient.id}/emergency", **REASON)
    with db.unit_of_work(house.clinic.id) as session:
        texts = [text for text in session.scalars(select(Message)) if "emergency access" in (text.body or "")]
        assert len(texts) == 2
        assert not any("Teresa" in (text.body or "") for text in texts)
    assert len(rows(house)) == 1


def test_a_second_person_looks_at_it_and_never_the_first(house: Any) -> None:
    patient, _ = waits(house)
    kim, ada = house.staff("Kim Ost", role="clinic_admin"), house.staff("Ada Lind", role="clinic_admin")
    first, second = house.signed_in(kim), house.signed_in(ada)
    first.post(f"/patients/{patient.id}/emergency", **REASON)
    row = rows(house)[0]
    found = {"finding": "follow_up", "note": "asked Kim about it"}
    assert second.post(f"/emergency-access/{row.id}", **found).status_code == 422  # it is still open
    first.post(f"/patients/{patient.id}/emergency/end")
    assert first.post(f"/emergency-access/{row.id}", **found).status_code == 422
    queue = second.get("/emergency-access").text
    assert REASON["reason"] in queue
    assert "Teresa" not in queue
    assert second.post(f"/emergency-access/{row.id}", **found).status_code == 303
    assert second.post(f"/emergency-access/{row.id}", **found).status_code == 422
    page = house.signed_in(house.staff()).get("/emergency-access").text
    assert "Needs a follow-up" in page
    assert "asked Kim about it" in page
    assert [entry.detail["finding"] for entry in audited(house, "emergency.reviewed")] == ["follow_up"]


def test_a_consultant_reads_their_caseload_and_of_others_only_that_something_waits(house: Any) -> None:
    scene = seeding.with_registry(house)
    patient, _ = waits(house)
    other = house.patient(first_name="Omar", last_name="Haddad")
    talk = house.text_from(other, "these words are closed")
    closed = house.item(patient_id=other.id, conversation_id=talk.id, summary="these words are closed")
    seeding.enrolled(scene, patient, days_ago=3)
    silva = house.signed_in(scene.silva)
    listed = silva.get("/inbox?view=everyone").text
    assert SAID in listed
    assert "these words" not in listed
    assert "Omar" not in listed
    assert silva.get(f"/patients/{patient.id}").status_code == 200
    assert silva.get(f"/patients/{other.id}").status_code == 403
    assert "these words" not in silva.get(f"/inbox/{closed.id}?view=everyone").text
    assert "are closed" not in silva.post("/patients", wanted="these words", within="1").text
    assert "taking" in silva.post("/patients", wanted="my pills", within="1").text
    assert silva.post("/team/post", patient=str(other.id), words="hello").status_code == 403
    house.item("task", patient_id=other.id, owner_id=scene.silva.id)
    assert silva.get(f"/patients/{other.id}").status_code == 200


@pytest.mark.parametrize("role", ["clinic_admin", "auditor"])
def test_who_routes_work_sees_initials_and_last_digits(house: Any, role: str) -> None:
    patient, item = waits(house)
    number = "0101"
    browser = house.signed_in(house.staff("Kim Ost", role=role))
    for path in ("/inbox?view=everyone", f"/inbox/{item.id}?view=everyone", f"/patients/{patient.id}/consent"):
        page = browser.get(path).text
        assert "T. Q." in page, path
        assert "Quintana" not in page, path
        assert "Teresa" not in page, path
        assert f"555-{number}" not in page, path
    acts = {"inbox.opened", "case.opened"}
    assert all(audited(house, act) for act in acts)
