"""A patient on one page, printed or as a file, for who may read what they said."""

from typing import Any

import pytest
from sqlalchemy import select

from config import audit, db
from tests.web.presenters.test_screen_view import START, hand_in


def test_the_summary_says_who_scores_visits_and_contacts_and_is_audited(house: Any) -> None:
    patient = house.patient(record="MRN-204")
    hand_in(house, patient, 40, START)
    hand_in(house, patient, 3, [1] * 9)
    house.text_from(patient, "see you on monday")
    browser = house.signed_in(house.staff())
    page = browser.get(f"/patients/{patient.id}/summary").text
    for words in ("Mar 2, 1985", "record MRN-204", "PHQ-9", "9 of 27", "see you on monday", "Made by Rosa Delgado"):
        assert words in page
    paper = browser.get(f"/patients/{patient.id}/summary.pdf")
    assert paper.mimetype == "application/pdf"
    assert paper.data.startswith(b"%PDF")
    assert paper.data.count(b"/Type /Page\n") == 1, "one page"
    with db.unit_of_work(house.clinic.id, read_only=True) as session:
        details = session.scalars(select(audit.AuditEntry.detail).where(audit.AuditEntry.act == "patient.exported"))
        assert [detail["form"] for detail in details] == ["page", "paper"]


def test_a_patient_of_whom_little_is_known_has_a_summary_too(house: Any) -> None:
    patient = house.patient(birth_date=None)
    assert "Nothing yet." in house.signed_in(house.staff()).get(f"/patients/{patient.id}/summary").text


@pytest.mark.parametrize("role", ["front_desk", "clinic_admin", "auditor"])
def test_who_may_not_read_words_makes_none(house: Any, role: str) -> None:
    patient = house.patient()
    browser = house.signed_in(house.staff(role=role))
    assert browser.get(f"/patients/{patient.id}/summary").status_code == 403
    assert browser.get(f"/patients/{patient.id}/summary.pdf").status_code == 403
