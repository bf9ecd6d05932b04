"""A patient's team page: who may read it, what stands there, and that nothing typed is lost or sent."""

import io
from typing import Any

import pytest
from sqlalchemy import func, select
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from config import audit, db, runtime
from messaging.inbox.models import Contact, InboxItem
from messaging.models import Message
from messaging.team import readers
from messaging.team.models import TeamFile
from web import permissions

PDF = b"%PDF-1.7 " + b"x" * 3000


def notes(house: Any) -> list[Contact]:
    with db.unit_of_work(house.clinic.id, read_only=True) as session:
        rows = list(session.scalars(select(Contact).order_by(Contact.id)))
        db.load_keys(session, (row.key_id for row in rows))
        _ = [row.words for row in rows]  # opened while there is a session
        return rows


def post(browser: Any, patient: Any, words: str, files: Any = (), **more: Any) -> Any:
    """Write a note as a browser with files does."""
    browser.post("/preferences")  # it has a token from now on
    form = {"csrf_token": browser.token, "patient": str(patient.id), "words": words} | more
    if files:
        form["file"] = [FileStorage(io.BytesIO(content), name) for name, content in files]
    boundary, body = encode_multipart(form)  # in memory: the client leaves a large file of its own open
    return browser.client.post("/team/post", data=body, content_type=f"multipart/form-data; boundary={boundary}")


def test_the_roles_of_a_thread_are_the_same_at_the_door_and_in_the_room() -> None:
    for act in ("team.read", "team.write"):
        assert {role for role in permissions.MAY if permissions.may(role, act)} == set(readers.OF_THREADS)
    asked = {role for role in permissions.MAY if permissions.may(role, "colleagues.ask")}
    assert asked == set(readers.AT_WORK)
    assert {role for role in permissions.MAY if permissions.may(role, "patients.read")} == set(readers.OF_PATIENTS)


@pytest.mark.parametrize(
    ("role", "status"),
    [
        ("care_manager", 200),
        ("clinician", 200),
        ("psychiatric_consultant", 200),
        ("front_desk", 403),
        ("clinic_admin", 403),
        ("auditor", 403),
    ],
)
def test_who_may_open_it(house: Any, role: str, status: int) -> None:
    staff, patient = house.staff(role=role), house.patient()
    house.item(patient_id=patient.id, owner_id=staff.id)
    assert house.signed_in(staff).get(f"/patients/{patient.id}/team").status_code == status


def test_clinician_and_care_manager_talk_about_a_patient_in_one_place(house: Any) -> None:
    rosa, wu, patient = house.staff("Rosa Delgado"), house.staff("Dr Amara Wu", role="clinician"), house.patient()
    hers, his = house.signed_in(rosa), house.signed_in(wu)
    answer = post(hers, patient, "Could you look at her sleep? @Dr Amara Wu", pin="1")
    assert answer.status_code == 303
    [note] = notes(house)
    assert answer.location == f"/patients/{patient.id}/team#c{note.id}"
    with db.unit_of_work(house.clinic.id) as session:
        item = session.scalars(select(InboxItem)).one()
        assert item.owner_id == wu.id
    assert "Dr Amara Wu: not read yet" in hers.get(f"/patients/{patient.id}/team").text
    case = his.get(f"/inbox/{item.id}").text
    assert "Could you look at her sleep?" in case
    assert "Rosa Delgado asks a colleague to look at a note" in case
    assert "Dr Amara Wu: read today" in hers.get(f"/patients/{patient.id}/team").text
    assert post(his, patient, "I will on Friday", answers=str(note.id), item=str(item.id)).status_code == 303
    assert house.read(InboxItem, item.id).disposition == "mention_answered"
    both = [browser.get(f"/patients/{patient.id}/team").text for browser in (hers, his)]
    for page in both:
        assert "I will on Friday" in page
        assert "Nothing here is ever sent" in page
        for heading in ("Missed", "Scheduled", "Shared"):
            assert f">{heading}</h2>" in page
    for path in ("", "/messages"):
        assert "Pinned by the team" in hers.get(f"/patients/{patient.id}{path}").text
    with db.unit_of_work(house.clinic.id) as session:
        assert session.scalar(select(func.count()).select_from(Message)) == 0
        acts = list(session.scalars(select(audit.AuditEntry.act)))
        assert acts.count("thread.opened") == 4


def test_a_pinned_fact_stands_on_each_case_of_the_patient(house: Any) -> None:
    rosa, patient = house.staff(), house.patient()
    item = house.item(patient_id=patient.id, conversation_id=house.text_from(patient, "hello").id, owner_id=rosa.id)
    browser = house.signed_in(rosa)
    post(browser, patient, "Hard of hearing, call her daughter", pin="1")
    assert "Hard of hearing" in browser.get(f"/inbox/{item.id}").text.split('class="need')[0]
    [note] = notes(house)
    assert browser.post(f"/team/notes/{note.id}/unpin").status_code == 303
    assert "Pinned by the team" not in browser.get(f"/inbox/{item.id}").text


def test_a_note_beside_a_case_is_in_the_thread_and_asks_whom_it_names(house: Any) -> None:
    rosa, ben, patient = house.staff(), house.staff("Ben Okafor"), house.patient()
    item = house.item(patient_id=patient.id, conversation_id=house.text_from(patient, "hello").id, owner_id=rosa.id)
    browser = house.signed_in(rosa)
    answer = browser.post(f"/inbox/{item.id}/note", words="She prefers mornings @Ben", mention="")
    assert answer.status_code == 303
    page = browser.get(f"/patients/{patient.id}/team").text
    assert "She prefers mornings" in page
    assert "Ben Okafor: not read yet" in page
    assert house.signed_in(ben).get("/inbox").text.count("<b>Asked to look</b>") == 1


def test_who_may_not_see_the_patient_is_not_asked_and_what_was_typed_stays(house: Any) -> None:
    rosa, patient = house.staff(), house.patient()
    house.staff("Ben Okafor")
    house.staff("Dana Price", role="front_desk")
    browser = house.signed_in(rosa)
    answer = post(browser, patient, "please book her @Dana Price")
    assert answer.status_code == 422
    assert "Dana Price (front desk) may not read" in answer.text
    assert "These could be asked: Ben Okafor." in answer.text
    assert "please book her @Dana Price</textarea>" in answer.text
    assert notes(house) == []
    item = house.item(patient_id=patient.id, owner_id=rosa.id)
    again = browser.post(f"/inbox/{item.id}/note", words="please book her @Dana Price")
    assert again.status_code == 422
    assert "please book her @Dana Price</textarea>" in again.text
    assert notes(house) == []


def test_an_at_that_names_nobody_is_said(house: Any) -> None:
    browser, patient = house.signed_in(house.staff()), house.patient()
    post(browser, patient, "ask @Zelda")
    assert "Nobody here is called “@Zelda”" in browser.get(f"/patients/{patient.id}/team").text


def test_twenty_megabytes_are_refused_kindly_and_nothing_typed_is_lost(house: Any) -> None:
    rosa, ben, patient = house.staff(), house.staff("Ben Okafor"), house.patient()
    browser = house.signed_in(rosa)
    large = ("scan.pdf", b"%PDF-" + b"x" * (20 * 1024 * 1024))
    answer = post(browser, patient, "the letter from cardiology", [large], mention=str(ben.id), pin="1")
    assert answer.status_code == 422
    assert "“scan.pdf” is larger than 5.0 MB" in answer.text
    assert "the letter from cardiology</textarea>" in answer.text
    assert f'value="{ben.id}" selected' in answer.text
    assert 'name="pin" value="1" checked' in answer.text
    assert notes(house) == []


def test_a_file_that_would_do_harm_is_refused_with_all_that_was_typed(house: Any, monkeypatch: Any) -> None:
    browser, patient = house.signed_in(house.staff()), house.patient()
    for code, words in (("1", "would do harm"), ("2", "could not be looked at")):
        scanner = f"sh -c 'cat > /dev/null; exit {code}'"
        monkeypatch.setattr(runtime, "_settings", runtime.settings().model_copy(update={"scan_command": scanner}))
        refused = post(browser, patient, "what the letter says", [("letter.pdf", PDF)])
        assert refused.status_code == 422
        assert words in refused.text
        assert "what the letter says" in refused.text
    clean = {"scan_command": "sh -c 'cat > /dev/null'"}
    monkeypatch.setattr(runtime, "_settings", runtime.settings().model_copy(update=clean))
    assert post(browser, patient, "what the letter says", [("letter.pdf", PDF)]).status_code == 303


def test_a_file_is_known_by_its_bytes_and_only_saved_unless_it_is_a_picture(house: Any) -> None:
    browser, patient = house.signed_in(house.staff()), house.patient()
    post(browser, patient, "two files", [("letter<b>.html", PDF), ("photo.exe", b"\x89PNG\r\n\x1a\n123")])
    with db.unit_of_work(house.clinic.id) as session:
        letter, photo = session.scalars(select(TeamFile).order_by(TeamFile.place))
    answer = browser.get(f"/team/files/{letter.id}")
    assert (answer.data, answer.mimetype) == (PDF, "application/octet-stream")
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert browser.get(f"/team/files/{photo.id}").mimetype == "image/png"
    assert "letter&lt;b&gt;.html" in browser.get(f"/patients/{patient.id}/team").text
    assert house.signed_in(house.staff(role="front_desk")).get(f"/team/files/{photo.id}").status_code == 403


def test_the_name_of_a_file_holds_no_sign_that_is_not_seen(house: Any) -> None:
    browser, patient = house.signed_in(house.staff()), house.patient()
    post(browser, patient, "two files", [("photo\u202egnp.exe", PDF), ("\u2066\u200f", PDF)])
    with db.unit_of_work(house.clinic.id) as session:
        rows = session.scalars(select(TeamFile).order_by(TeamFile.place)).all()
        db.load_keys(session, {row.key_id for row in rows})
        assert [row.name for row in rows] == ["photognp.exe", "file"]


def test_a_correction_shows_both_and_a_retraction_what_it_was(house: Any) -> None:
    browser, patient = house.signed_in(house.staff()), house.patient()
    post(browser, patient, "Alergic")
    [note] = notes(house)
    form = browser.get(f"/patients/{patient.id}/team?corrects={note.id}").text
    assert "Alergic</textarea>" in form
    post(browser, patient, "Allergic", corrects=str(note.id))
    page = browser.get(f"/patients/{patient.id}/team").text
    assert "<s>Alergic</s>" in page
    assert "corrects an earlier note" in page
    assert "corrected today" in page
    newest = notes(house)[-1]
    assert browser.post(f"/team/notes/{newest.id}/retract").status_code == 303
    assert "<s>Allergic</s>" in browser.get(f"/patients/{patient.id}/team").text


def test_a_note_on_an_older_page_that_was_corrected_is_not_called_retracted(house: Any) -> None:
    browser, patient = house.signed_in(house.staff()), house.patient()
    post(browser, patient, "the first, with a slip")
    for number in range(31):
        post(browser, patient, f"note {number}")
    first = notes(house)[0]
    post(browser, patient, "the first, set right", corrects=str(first.id))
    oldest = notes(house)[2]
    page = browser.get(f"/patients/{patient.id}/team?before={oldest.id}").text
    assert "corrected today" in page
    assert "retracted today" not in page


def test_nobody_changes_what_somebody_else_wrote(house: Any) -> None:
    patient, rosa, ben = house.patient(), house.staff(), house.staff("Ben Okafor")
    post(house.signed_in(rosa), patient, "hers")
    [note], his = notes(house), house.signed_in(ben)
    assert his.post(f"/team/notes/{note.id}/retract").status_code == 422
    assert post(his, patient, "mine", corrects=str(note.id)).status_code == 422
    assert "corrects=" not in his.get(f"/patients/{patient.id}/team").text
    other = house.patient(first_name="Olu")
    assert post(his, other, "elsewhere", answers=str(note.id)).status_code == 404
    assert [each.words for each in notes(house)] == ["hers"]


def test_another_clinics_patient_and_file_are_not_found(house: Any, another_house: Any) -> None:
    browser, patient = house.signed_in(house.staff()), house.patient()
    post(browser, patient, "a file", [("a.pdf", PDF)])
    [note] = notes(house)
    with db.unit_of_work(house.clinic.id) as session:
        file_id = session.scalars(select(TeamFile.id)).one()
    elsewhere = another_house()
    stranger = elsewhere.signed_in(elsewhere.staff())
    for path in (f"/patients/{patient.id}/team", f"/team/files/{file_id}"):
        assert stranger.get(path).status_code == 404
    assert stranger.post(f"/team/notes/{note.id}/pin").status_code == 404
    assert post(stranger, patient, "hello").status_code == 404


def test_older_notes_are_a_page_further(house: Any) -> None:
    browser, patient = house.signed_in(house.staff()), house.patient()
    for number in range(32):
        post(browser, patient, f"note number {number:02}")
        browser.get("/notes")  # what was just done is said, and leaves the cookie
    first = browser.get(f"/patients/{patient.id}/team").text
    assert "note number 31" in first
    assert "note number 01" not in first
    onward = first.split("Earlier notes")[0].rsplit('href="', 1)[1].split('"')[0].replace("&amp;", "&")
    assert "note number 00" in browser.get(onward).text


def test_an_empty_thread_says_so(house: Any) -> None:
    browser, patient = house.signed_in(house.staff(role="clinician")), house.patient()
    assert "Nobody has written anything about Teresa yet." in browser.get(f"/patients/{patient.id}/team").text
