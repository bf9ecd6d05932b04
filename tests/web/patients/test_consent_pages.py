"""The proof of consent as a page and on paper, and where the carrier says something else."""

import re
import zlib
from typing import Any

import pytest
from sqlalchemy import select

from config import audit, db
from messaging import conversations, outbox
from messaging.consent import asking, ledger
from messaging.models import Message, Patient
from records import paper

NUMBER = "+12025550147"


def say(house: Any, event: str, *, patient: Patient | None = None, **more: Any) -> None:
    defaults = {"source": "text", "actor": "conversation:x", "patient_id": patient.id if patient else None}
    with db.unit_of_work(house.clinic.id) as session:
        ledger.record(session, house.clinic, NUMBER, event, **(defaults | more))


def text(house: Any, patient: Patient, body: str = "See you on Monday.") -> Message:
    house.count += 1
    with db.unit_of_work(house.clinic.id) as session:
        message = outbox.text_patient(
            session, house.clinic, session.get_one(Patient, patient.id),
            kind="reminder", programme="reminders", body=body, dedupe=f"r{house.count}",
        )  # fmt: skip
        message.state, message.provider_sid = "delivered", "SM" + "7" * 32
        message.sent_at = message.delivered_at = message.created_at
        return message


def printed(content: bytes) -> str:
    """The letters on the pages of a PDF."""
    streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", content, re.S)
    drawn = b"".join(zlib.decompress(stream) for stream in streams if stream[:1] == b"\x78")
    lines = re.findall(rb"\((.*?)(?<!\\)\) Tj", drawn, re.S)
    return b" ".join(lines).replace(b"\\(", b"(").replace(b"\\)", b")").decode("latin-1")


def test_the_proof_shows_every_line_with_its_wording_words_texts_and_hashes(house: Any) -> None:
    patient = house.patient(number=NUMBER, language="es")
    text(house, patient)
    say(house, "revoked", patient=patient, words="por favor, ya no más")
    audit.seal()
    page = house.signed_in(house.staff()).get(f"/patients/{patient.id}/consent").text
    assert "from the clinic&#39;s own system" in page
    assert "import-2026-11" in page
    assert "Alder Street Clinic: ya no le enviaremos textos." in page
    assert "stop-text-2026-11" in page
    assert asking.text("import-2026-11", "reminders", "es") in page
    assert "por favor, ya no más" in page
    assert "SM" + "7" * 32 in page
    assert "delivered, " in page
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        line = session.scalars(select(audit.AuditEntry).where(audit.AuditEntry.act == "consent.revoked")).one()
    assert f"Audit line {line.seq}, SHA-256 {line.hash}" in page


@pytest.mark.parametrize("path", ["consent", "consent.pdf"])
def test_making_the_proof_is_written_down(house: Any, path: str) -> None:
    patient, rosa = house.patient(number=NUMBER), house.staff()
    assert house.signed_in(rosa).get(f"/patients/{patient.id}/{path}").status_code == 200
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        made = session.scalars(select(audit.AuditEntry).where(audit.AuditEntry.act == "consent.proof")).one()
    assert (made.actor, made.about) == (f"staff:{rosa.id}", f"patient:{patient.id}")
    assert made.detail == {"form": "page" if path == "consent" else "paper"}


@pytest.mark.parametrize("role", ["clinic_admin", "auditor", "front_desk"])
def test_who_may_not_read_words_sees_the_lines_and_hashes_only(house: Any, role: str) -> None:
    patient = house.patient(number=NUMBER)
    text(house, patient, "See you on Monday at ten.")
    say(house, "revoked", patient=patient, words="leave me alone please")
    browser = house.signed_in(house.staff(role=role))
    page = browser.get(f"/patients/{patient.id}/consent").text
    sheet = printed(browser.get(f"/patients/{patient.id}/consent.pdf").data)
    for shown in (page, sheet):
        assert "opted out" in shown
        assert "stop-text-2026-11" in shown
        assert "leave me alone" not in shown
        assert "Monday at ten" not in shown
        assert "What the patient said is left out" in shown.replace("&#39;", "'")


def test_who_has_no_business_with_it_and_another_clinic_see_nothing(house: Any, another_house: Any) -> None:
    patient = house.patient(number=NUMBER)
    other = another_house()
    for path in ("consent", "consent.pdf"):
        stranger = other.signed_in(other.staff())
        assert stranger.get(f"/patients/{patient.id}/{path}").status_code == 404
        consultant = house.signed_in(house.staff(role="psychiatric_consultant"))
        assert consultant.get(f"/patients/{patient.id}/{path}").status_code == 403


def test_the_paper_says_what_the_page_says_with_spanish_letters(house: Any) -> None:
    patient = house.patient(number=NUMBER, first_name="Íñigo", last_name="Muñoz", language="es")
    say(house, "revoked", patient=patient, words="¿ya no más, sí? Adiós, señor 👍 “gracias”")
    answer = house.signed_in(house.staff()).get(f"/patients/{patient.id}/consent.pdf")
    assert answer.mimetype == "application/pdf"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.data.startswith(b"%PDF-")
    sheet = printed(answer.data)
    assert "Íñigo Muñoz" in sheet
    assert '¿ya no más, sí? Adiós, señor [thumbs up sign] "gracias"' in " ".join(sheet.split())
    assert "El sistema de la clínica dice que este paciente dio este número" in " ".join(sheet.split())


def test_letters_a_reader_may_not_have_are_named_and_never_lost() -> None:
    assert paper.letters("Jose\u0301 “ok” 👍") == 'José "ok" [thumbs up sign]'
    assert paper.letters("a\u200bb\x07") == "ab"


def test_old_lines_without_a_version_stand_in_the_proof_too(house: Any) -> None:
    patient = house.patient(number=NUMBER)
    with db.unit_of_work(house.clinic.id) as session:
        for line in ledger.ledger(session, house.clinic, NUMBER):
            line.wording = None
    page = house.signed_in(house.staff()).get(f"/patients/{patient.id}/consent").text
    assert "from before versions were kept" in page


def test_what_another_patient_of_a_shared_phone_said_stays_in_their_own_proof(house: Any) -> None:
    patient, other = house.patient(number=NUMBER), house.patient(number=NUMBER, first_name="Luis")
    say(house, "revoked", patient=other, words="only Luis knows this")
    browser = house.signed_in(house.staff())
    page = browser.get(f"/patients/{patient.id}/consent").text
    assert "opted out" in page
    assert "only Luis knows this" not in page
    assert "shares this phone" in page
    assert "only Luis knows this" in browser.get(f"/patients/{other.id}/consent").text


def test_an_audit_line_that_was_changed_shows(house: Any) -> None:
    patient = house.patient(number=NUMBER)
    audit.seal()
    with db.unit_of_work(db.EVERY) as session:
        line = session.scalars(select(audit.AuditEntry).where(audit.AuditEntry.act == "consent.granted")).one()
        line.actor = "staff:somebody else"
    assert "DOES NOT FIT" in house.signed_in(house.staff()).get(f"/patients/{patient.id}/consent").text


def drifting(house: Any) -> Patient:
    patient = house.patient(number=NUMBER)
    with db.unit_of_work(house.clinic.id) as session:
        conversations.of_number(session, house.clinic, NUMBER)
    say(house, "revoked", patient=patient, wording=asking.present("text", "revoked_keyword"))
    say(house, "granted", patient=patient, source="spoken", programmes=("reminders",))
    return patient


def test_where_ledger_and_carrier_agree_the_page_says_so(house: Any) -> None:
    house.patient(number=NUMBER)
    page = house.signed_in(house.staff()).get("/consents/drift").text
    assert "The ledger and the carrier agree" in page


def test_one_press_records_what_the_carrier_says_and_a_second_changes_nothing(house: Any) -> None:
    drifting(house)
    browser = house.signed_in(house.staff())
    page = browser.get("/consents/drift").text
    assert "Our ledger says they agreed: Reminders." in page
    action = re.search(r'action="(/consents/drift/[^"]+)"', page)
    assert action
    assert browser.post(action[1]).status_code == 303
    with db.unit_of_work(house.clinic.id) as session:
        assert set(ledger.state(session, house.clinic, NUMBER).values()) == {"revoked"}
        lines = len(ledger.ledger(session, house.clinic, NUMBER))
    browser.post(action[1])
    assert "Nothing was changed" in browser.get("/consents/drift").text
    with db.unit_of_work(house.clinic.id) as session:
        assert len(ledger.ledger(session, house.clinic, NUMBER)) == lines


def test_an_auditor_looks_at_drift_and_changes_nothing(house: Any) -> None:
    drifting(house)
    browser = house.signed_in(house.staff(role="auditor"))
    page = browser.get("/consents/drift")
    assert page.status_code == 200
    assert "Record what the carrier says" not in page.text
    assert browser.post(f"/consents/drift/{db.new_id()}").status_code == 403
