"""Two patients on one phone: what is answered on a page belongs to whom the page was made for."""

from datetime import date, timedelta

import pytest
import time_machine
from sqlalchemy import select

from config import clock, db
from intake_links import binding, finding, links, tablet_codes
from intake_links.models import IntakeLink, Screen
from messaging.inbox.models import InboxItem
from messaging.models import Clinic, Patient

SECOND_BORN = date(1990, 12, 5)


class Tab:
    """One tab of the shared phone: the page it shows, kept while other tabs go on."""

    def __init__(self, phone):
        self.phone, self.page, self.path = phone, phone.page, phone.path

    def post(self, *path, **fields):
        self.phone.page, self.phone.path = self.page, self.path
        return self._keep(self.phone.post(*path, **fields))

    def get(self, path):
        return self._keep(self.phone.get(path))

    def _keep(self, phone):
        self.page, self.path = phone.page, phone.path
        return phone


@pytest.fixture
def other(ward):
    """The second patient, and how a link is made for them."""
    with db.unit_of_work(db.EVERY) as session:
        clinic = session.get(Clinic, ward.clinic_id)
        patient_id = ward.patient(session, clinic, "r2").id
        session.get(Patient, patient_id).birth_date = SECOND_BORN.isoformat()

    def issue(*instruments):
        with db.unit_of_work(db.EVERY) as session:
            clinic, patient = session.get(Clinic, ward.clinic_id), session.get(Patient, patient_id)
            return "/i/" + links.issue(session, clinic, patient, instruments)[1].rsplit("/", 1)[1]

    issue.patient_id = patient_id
    return issue


def answers(patient_id):
    """All forms of a patient, in the order they were begun, by their answers."""
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        statement = select(Screen).where(Screen.patient_id == patient_id).order_by(Screen.id)
        return [list(finding.answers_of(screen)) for screen in session.scalars(statement)]


def told():
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        return sorted((item.kind, item.patient_id) for item in session.scalars(select(InboxItem)))


def first_tab(ward, phone, given_answers, *instruments):
    phone.enter(ward.issue(*instruments)[1])
    for answer in given_answers:
        phone.post(answer=answer)
    return Tab(phone)


def second_tab(other, phone, *instruments):
    phone.enter(other(*(instruments or ("phq9",))), born=SECOND_BORN)
    return Tab(phone)


def test_item_nine_in_the_first_tab_is_the_first_patients_though_the_second_opened_theirs(ward, other, phone):
    first = first_tab(ward, phone, [0] * 8)
    second = second_tab(other, phone)
    assert second.path.startswith("/i/q/1/1")
    first.post(answer=3)
    assert first.path.startswith("/i/help")
    assert answers(ward.patient_id) == [[*[0] * 8, 3]]
    assert answers(other.patient_id) == []
    assert told() == [("safety", ward.patient_id)]
    second.post(answer=1)
    assert answers(other.patient_id) == [[1, *[None] * 8]]


def test_two_tabs_that_take_turns_each_fill_in_their_own_form(ward, other, phone):
    first = first_tab(ward, phone, [], "gad2")
    second = second_tab(other, phone, "gad2")
    for mine, theirs in ((1, 0), (0, 1)):
        first.post(answer=mine)
        second.post(answer=theirs)
    assert (answers(ward.patient_id), answers(other.patient_id)) == ([[1, 0]], [[0, 1]])
    first.post()
    assert first.phone.heading.startswith("Thank you")
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        states = {link.patient_id: link.state for link in session.scalars(select(IntakeLink))}
    assert states == {ward.patient_id: "answered", other.patient_id: "verified"}


def test_declining_and_the_language_go_to_the_form_they_were_pressed_on(ward, other, phone):
    first = first_tab(ward, phone, [], "gad2")
    second_tab(other, phone, "phq9")
    first.post(skip=1)
    assert "Question 2" in first.page
    first.post("/i/language", to="es")
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        spoken = {link.patient_id: link.language for link in session.scalars(select(IntakeLink))}
    assert spoken == {ward.patient_id: "es", other.patient_id: "en"}
    assert answers(other.patient_id) == []


def test_going_back_in_the_first_tab_shows_neither_patients_answers(ward, other, phone):
    first = first_tab(ward, phone, [2, 2], "gad7")
    second = second_tab(other, phone, "gad7")
    second.post(answer=1)
    for path in ("/i/q/1/1", "/i/q", "/i/q/1/check", "/i/help"):
        assert first.get(path).response.status_code == 403
        assert "open the link in our text message again" in first.page
    assert second.get(second.path).heading != "A few questions for you"
    address = second.path.replace("/1/2", "/1/1")
    assert 'value="1" checked' in second.get(address).page


def test_going_back_to_a_page_that_was_not_used_last_asks_for_the_birth_date(ward, other, phone):
    first = first_tab(ward, phone, [], "gad7")
    second = second_tab(other, phone, "gad7")
    address = second.post(answer=2).path
    first.post(answer=1)
    second.get(address)
    assert second.phone.heading == "Please tell us again who you are"
    second.post(day=5, month=12, year=1990)
    assert second.path.startswith("/i/q/1/2")
    assert (answers(ward.patient_id)[0][0], answers(other.patient_id)[0][0]) == (1, 2)


def test_where_the_browser_forgot_the_first_visit_the_answer_waits_for_that_patients_birth_date(ward, other, phone):
    first = first_tab(ward, phone, [0] * 8)
    phone.client.delete_cookie("__Host-wt_links", domain="care.example.org")
    second_tab(other, phone)
    first.post(answer=2)
    assert phone.heading == "Please tell us again who you are"
    first.post(day=5, month=12, year=1990)  # the second patient's own date opens nothing of the first's
    assert "does not match" in first.page
    first.post(day=27, month=3, year=1981)
    assert first.path.startswith("/i/help")
    assert (answers(ward.patient_id), answers(other.patient_id)) == ([[*[0] * 8, 2]], [])
    assert told() == [("safety", ward.patient_id)]


@pytest.mark.parametrize("how", ["forged", "missing", "another_part", "cut"])
def test_a_page_without_its_own_mark_saves_to_nobody_and_asks_who_it_is(ward, phone, how):
    first = first_tab(ward, phone, [], "phq2", "gad2")
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        link_id = session.scalars(select(IntakeLink.id)).one()
    right = binding.mark(link_id, 1)
    marks = {
        "forged": right[:-1] + ("0" if right[-1] != "0" else "1"),
        "missing": "",
        "another_part": binding.mark(link_id, 2),
        "cut": right[:20],
    }
    first.post(answer=1, bound=marks[how])
    assert (phone.heading, answers(ward.patient_id)) == ("Please tell us again who you are", [])
    first.post(day=27, month=3, year=1981)
    assert answers(ward.patient_id) == [[1, None]]


def test_an_answer_after_the_links_own_end_is_kept_once_the_birth_date_was_right(ward, phone):
    first = first_tab(ward, phone, [0] * 8)
    with time_machine.travel(clock.now() + links.VALID + timedelta(hours=1)):
        first.post(answer=1)
        assert phone.heading == "Please tell us again who you are"
        first.post(day=27, month=3, year=1981)
        assert first.path == "/i/help"
    assert told() == [("safety", ward.patient_id)]


def test_an_answer_for_a_link_that_was_locked_meanwhile_is_kept_for_a_person(ward, phone, another_phone):
    _, path = ward.issue()
    phone.enter(path)
    for _ in range(8):
        phone.post(answer=0)
    first = Tab(phone)
    with time_machine.travel(clock.now() + timedelta(minutes=31)):
        for _ in range(links.TRIES):
            another_phone.get(path)
            another_phone.post(path, day=1, month=1, year=1970)
        first.post(answer=3)
    assert phone.response.status_code == 404
    assert answers(ward.patient_id) == [[*[0] * 8, None], [*[0] * 8, 3]]
    assert sorted(kind for kind, _ in told()) == ["delivery", "reply", "safety"]


def test_what_was_left_open_on_the_tablet_is_kept_for_its_own_patient_and_the_next_goes_on(ward, other, phone):
    def code(patient_id):
        with db.unit_of_work(db.EVERY) as session:
            clinic, patient = session.get(Clinic, ward.clinic_id), session.get(Patient, patient_id)
            return tablet_codes.start(session, clinic, patient, ["phq9"], actor=f"staff:{ward.staff_id}")

    phone.get("/k").post(code=code(ward.patient_id))
    for _ in range(8):
        phone.post(answer=0)
    first = Tab(phone)
    phone.get("/k").post(code=code(other.patient_id))
    second = Tab(phone)
    first.post(answer=3)
    assert phone.heading == "This form is closed"
    assert told() == [("reply", ward.patient_id), ("safety", ward.patient_id)]
    assert answers(other.patient_id) == []
    second.post(answer=1)
    assert (second.path, answers(other.patient_id)) == ("/i/q/1/2", [[1, *[None] * 8]])
