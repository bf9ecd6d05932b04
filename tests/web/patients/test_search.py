"""One box that finds patients, numbers and words in texts."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event, select

from config import audit, db
from messaging import conversations
from messaging.consent import ledger
from tests.web.boards.test_unreached import visit
from web.patients import text_search
from web.presenters import excerpts


def acts(about: str = "") -> list[tuple[str, dict[str, Any]]]:
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        rows = session.scalars(select(audit.AuditEntry).order_by(audit.AuditEntry.at)).all()
        return [(row.act, row.detail) for row in rows if row.act.endswith(("searched", "found"))]


def stranger(house: Any, body: str, number: str = "+12025550147") -> Any:
    house.count += 1
    with db.unit_of_work(house.clinic.id) as session:
        conversation = conversations.of_number(session, house.clinic, number)
        conversations.file_inbound(
            session, house.clinic, conversation, body=body, provider_sid=f"SX{house.count}", reading=[]
        )
        return conversation


def test_a_record_number_leads_straight_to_the_patient(house: Any) -> None:
    patient = house.patient(record="A-77")
    browser = house.signed_in(house.staff())
    answer = browser.post("/patients", wanted=" A-77 ")
    assert (answer.status_code, answer.location) == (303, f"/patients/{patient.id}")
    assert "A-77" not in browser.get("/patients?wanted=A-77").text


def test_whoever_alone_fits_what_was_typed_is_opened_and_of_several_one_is_chosen(house: Any) -> None:
    patient = house.patient(first_name="Teresa", last_name="Quintana", number="+12025550141")
    browser = house.signed_in(house.staff())
    for typed in ("quintana", "202-555-0141"):
        answer = browser.post("/patients", wanted=typed)
        assert (answer.status_code, answer.location) == (303, f"/patients/{patient.id}"), typed
    assert ("patients.searched", {"kind": "name", "found": 1}) in acts()
    house.patient(first_name="Ana", last_name="Quintana")
    page = browser.post("/patients", wanted="quintana")
    assert page.status_code == 200
    assert "2 patients" in page.text


def test_a_patient_is_found_by_any_part_of_the_name(house: Any) -> None:
    patient = house.patient(first_name="Teresa", last_name="Quintana Muñoz", record="A-1")
    house.item("safety", patient_id=patient.id)
    browser = house.signed_in(house.staff())
    for typed in ("muñoz", "MUNOZ ter", "quintana"):
        page = browser.post("/patients", wanted=typed, within="1")
        assert page.status_code == 200
        for words in (
            "Teresa Quintana Muñoz",
            "A-1",
            "41 years",
            "no visit booked",
            "Patient safety",
            "1 patient<",
        ):
            assert words in page.text, words


@pytest.mark.parametrize("typed", ["(202) 555-0141", "202.555.0141", "+1 202 555 0141", "12025550141"])
def test_a_number_finds_however_it_is_written(house: Any, typed: str) -> None:
    house.patient(number="+12025550141")
    assert "Teresa Quintana" in house.signed_in(house.staff()).post("/patients", wanted=typed, within="1").text


def test_a_number_nobody_is_known_by_is_found_by_its_last_four_digits(house: Any) -> None:
    conversation = stranger(house, "who is this")
    item = house.item(conversation_id=conversation.id)
    browser = house.signed_in(house.staff())
    for typed in ("0147", "202 555 0147"):
        page = browser.post("/patients", wanted=typed)
        assert page.status_code == 200
        assert "(202) 555-0147" in page.text
        assert f"/inbox/{item.id}" in page.text
    front = house.signed_in(house.staff(role="front_desk"))
    assert front.post("/patients", wanted="0147").status_code == 404


def test_what_was_not_found_says_where_it_was_looked_for(house: Any) -> None:
    browser = house.signed_in(house.staff())
    for typed, answer in (
        ("Nobody", "No name begins with"),
        ("Qu", "too short"),
        ("202 555 0199", "No patient has the number"),
    ):
        page = browser.post("/patients", wanted=typed)
        assert page.status_code == 404
        assert answer in page.text
    assert browser.post("/patients", wanted="  ").status_code == 200


def test_more_than_a_page_asks_to_be_more_exact(house: Any) -> None:
    for _ in range(26):
        house.patient()
    page = house.signed_in(house.staff()).post("/patients", wanted="teresa").text
    assert "25+ patients" in page
    assert "Be more exact" in page


def test_a_closed_phone_is_said_in_the_list(house: Any) -> None:
    patient = house.patient(number="+12025550142")
    with db.unit_of_work(house.clinic.id) as session:
        ledger.record(session, house.clinic, "+12025550142", "revoked", source="text", actor="operator")
    assert "Opted out" in house.signed_in(house.staff()).post("/patients", wanted="teresa", within="1").text
    assert patient


def test_words_are_found_in_texts_only_when_asked_and_never_written_down(house: Any) -> None:
    patient = house.patient()
    house.text_from(patient, "My  CAFÉ closes at nine, see https://x.example/i/AAAABBBBCCCCDDDDEEEE")
    stranger(house, "is the cafe open")
    browser = house.signed_in(house.staff())
    assert "closes" not in browser.post("/patients", wanted="cafe").text
    page = browser.post("/patients", wanted="café", within="1")
    assert page.status_code == 200
    assert "<mark>CAFÉ</mark>" in page.text
    assert "<mark>cafe</mark>" in page.text
    assert "(202) 555-0147" in page.text
    assert "AAAABBBB" not in page.text
    assert 'Looked through <b class="num">2</b> texts' in page.text
    assert "These are all there are" in page.text
    written = acts()
    assert ("messages.searched", {"looked": 2, "found": 2}) in written
    assert sum(act == "messages.found" for act, _ in written) == 2
    assert "caf" not in str(written).lower()
    assert "AAAABBBB" not in browser.post("/patients", wanted="AAAABBBBCC", within="1").text.partition("<main")[
        2
    ].replace("AAAABBBBCC", "")


def test_the_search_in_texts_is_bounded_says_so_and_goes_on(house: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    patient = house.patient()
    for number in range(7):
        house.text_from(patient, f"apple number {number}")
    monkeypatch.setattr(text_search, "AT_ONCE", 2)
    monkeypatch.setattr(text_search, "TEXTS", 4)
    staff = house.staff()
    with db.unit_of_work(house.clinic.id) as session:
        assert session is not None
    first = text_search.look(house.clinic, staff, "apple", "")
    assert (first.looked, len(first.lines)) == (4, 4)
    assert first.onward is not None
    second = text_search.look(house.clinic, staff, "apple", str(first.onward))
    assert (second.looked, len(second.lines), second.onward) == (3, 3, None)


def test_texts_of_another_clinic_are_not_looked_through(house: Any, another_house: Any) -> None:
    other = another_house()
    other.text_from(other.patient(), "apple")
    assert text_search.look(house.clinic, house.staff(), "apple", "").looked == 0


@pytest.mark.parametrize("role", ["front_desk"])
def test_who_may_not_read_words_cannot_search_them(house: Any, role: str) -> None:
    house.text_from(house.patient(), "apple pie")
    page = house.signed_in(house.staff(role=role)).post("/patients", wanted="apple", within="1")
    assert "pie" not in page.text
    assert "Search in messages too" not in page.text


def test_roles_without_patients_have_no_search(house: Any) -> None:
    for role in ("clinic_admin", "auditor"):
        assert house.signed_in(house.staff(role=role)).post("/patients", wanted="x").status_code == 403


def test_another_clinics_patients_are_not_found(house: Any, another_house: Any) -> None:
    another_house().patient(record="B-1")
    browser = house.signed_in(house.staff())
    for typed in ("teresa", "B-1", "+12025550101"):
        assert browser.post("/patients", wanted=typed).status_code == 404


def test_twenty_results_cost_no_more_queries_than_two(house: Any) -> None:
    browser = house.signed_in(house.staff())

    def statements() -> int:
        count = 0

        def heard(*_: Any) -> None:
            nonlocal count
            count += 1

        event.listen(db.engine(), "before_cursor_execute", heard)
        assert browser.post("/patients", wanted="teresa").status_code == 200
        event.remove(db.engine(), "before_cursor_execute", heard)
        return count

    for _ in range(2):
        house.patient()
    statements()
    few = statements()
    for _ in range(18):
        house.patient()
    assert statements() <= few + 1  # new patients' keys are loaded with one SELECT more


@given(st.text(max_size=80), st.text(max_size=80), st.text(min_size=1, max_size=10))
def test_what_stands_in_a_text_is_found_in_it(before: str, after: str, wanted: str) -> None:
    folded = excerpts.fold(wanted).strip()
    excerpt = excerpts.find(f"{before} {wanted} {after}", folded)
    if folded:
        assert excerpt is not None
        assert folded in excerpts.fold(excerpt.hit)


def test_an_excerpt_keeps_the_words_as_they_were_written() -> None:
    assert excerpts.find("Yo Soy GARCÍA, sí", "garcia") == excerpts.Excerpt("Yo Soy ", "GARCÍA", ", sí")
    assert excerpts.find("nothing", "garcia") is None
    assert excerpts.find("nothing", "") is None


@pytest.mark.parametrize("typed", ["3/2/1985", "03/02/1985", "1985-03-02", "Mar 2, 1985"])
def test_a_birth_date_finds_however_it_is_written(house: Any, typed: str) -> None:
    patient = house.patient()
    house.patient(first_name="Another", birth_date=None)
    assert house.signed_in(house.staff()).post("/patients", wanted=typed).location == f"/patients/{patient.id}"
    assert acts()[-1][1] == {"kind": "birth_date", "found": 1}


def test_a_corrected_birth_date_is_found_and_the_wrong_one_no_more(house: Any) -> None:
    house.patient(record="A-1")
    house.patient(record="A-1", birth_date=date(1986, 4, 5))
    browser = house.signed_in(house.staff())
    assert browser.post("/patients", wanted="4/5/1986").status_code == 303
    assert browser.post("/patients", wanted="3/2/1985").status_code == 404


@pytest.mark.parametrize("typed", ["Tere", "quint", "A-77", "3/2/1985", "(202) 555-0177"])
def test_who_fits_is_offered_while_it_is_typed_and_that_is_written_down(house: Any, typed: str) -> None:
    patient = house.patient(record="A-77", number="+12025550177")
    browser = house.signed_in(house.staff())
    answer = browser.post("/patients/suggest", wanted=typed)
    assert f"/patients/{patient.id}" in answer.text
    assert "<html" not in answer.text
    assert "born Mar 2, 1985" in answer.text
    act, detail = acts()[-1]
    assert (act, detail["found"]) == ("patients.searched", 1)
    assert typed not in str(acts())


def test_nothing_typed_offers_nobody(house: Any) -> None:
    house.patient()
    assert "/patients/" not in house.signed_in(house.staff()).post("/patients/suggest", wanted=" ").text


def test_whom_one_opened_last_and_who_is_ones_own_stand_under_the_box(house: Any) -> None:
    rosa = house.staff(panels=["Dr Osei"])
    seen, owned = house.patient(first_name="Seen"), house.patient(first_name="Owned")
    coming = house.patient(first_name="Coming", panel="Dr Osei")
    other = house.patient(first_name="Other", panel="Dr Lind")
    house.item(patient_id=owned.id, owner_id=rosa.id)
    for patient in (coming, other):
        visit(house, patient)
    browser = house.signed_in(rosa)
    assert "stand here until you sign out" in browser.get("/patients").text
    browser.get(f"/patients/{seen.id}")
    recent, mine = browser.get("/patients").text.split(">Mine</h2>")
    assert "Seen Quintana" in recent
    assert "Owned Quintana" in mine
    assert "Coming Quintana" in mine
    assert "Other Quintana" not in mine
    colleague = house.signed_in(house.staff("Ben Carter"))
    assert "Seen Quintana" not in colleague.get("/patients").text


def test_at_the_desk_everybody_who_comes_is_ones_own(house: Any) -> None:
    visit(house, house.patient(first_name="Coming", panel="Dr Osei"))
    assert "Coming Quintana" in house.signed_in(house.staff(role="front_desk")).get("/patients").text
