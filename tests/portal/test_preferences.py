"""What a patient decides on their own page: language, hours, how much a text says, and which texts come at all."""

import re
from datetime import UTC, date, datetime, timedelta

import pytest

from config import audit, db
from messaging import outbox
from messaging.consent import asking, ledger
from messaging.models import PROGRAMMES, Clinic, ConsentEntry, Message, Patient
from messaging.people import directory
from portal import words
from reminders import reasons, withdrawing
from reminders.models import Appointment
from reminders.sending import dispatch
from tests.portal.conftest import NOW

DAYS = timedelta(days=1)
NUMBER = "+12015550147"


def agreed(ward):
    with db.unit_of_work(db.EVERY) as session:
        return ledger.state(session, session.get_one(Clinic, ward.clinic_id), NUMBER)


def said(ward, event, source, *programmes):
    with db.unit_of_work(db.EVERY) as session:
        clinic = session.get_one(Clinic, ward.clinic_id)
        ledger.record(session, clinic, NUMBER, event, source=source, actor="test", programmes=programmes or PROGRAMMES)


def entries(ward):
    return [entry for entry in ward.all(ConsentEntry) if entry.source == "form"]


def test_one_kind_of_text_is_stopped_and_comes_back_and_the_ledger_knows(inside, ward, travel):
    ward.visit(4 * DAYS)
    inside.get("/i/me/texts").post(say="revoked:reminders")
    assert agreed(ward) == {"reminders": "revoked", "screening": "granted", "care_team": "granted"}
    assert "Saved." in inside.page
    assert "Reminders are stopped, so no text will come" in inside.get("/i/me").page
    assert "Questions before a visit, Texts from your care team" in inside.page
    inside.get("/i/me/texts")
    assert "By pressing Start you agree that Alder Street Clinic may text this number" in inside.page
    travel.shift(1)
    inside.post(say="granted:reminders")
    assert set(agreed(ward).values()) == {"granted"}
    written = [(entry.event, entry.programme, entry.wording, entry.actor) for entry in entries(ward)]
    by = f"patient:{ward.patient_id}"
    assert written == [("revoked", "reminders", "own-2", by), ("granted", "reminders", "own-2", by)]


@pytest.mark.parametrize("language", asking.LANGUAGES)
def test_what_the_page_says_beside_its_buttons_is_the_version_written_down(language):
    """Whoever changes these sentences must write a new version of them: what somebody agreed to stays provable."""
    page = words.texts(language)["texts"]
    kept = asking.text(words.WORDING, "reminders", language)
    assert kept == f"{page['visits_stay']} {page['start_means']}"


def test_stop_all_stops_everything_once_however_often_it_is_pressed(inside, ward):
    inside.get("/i/me/texts")
    for _ in range(3):
        inside.post("/i/me/texts", say="revoked:all")
    assert set(agreed(ward).values()) == {"revoked"}
    assert len(entries(ward)) == len(PROGRAMMES)
    assert "Stop all texts" not in inside.page
    with db.unit_of_work(db.EVERY) as session, pytest.raises(outbox.MayNotText):
        outbox.text_patient(session, *ward.both(session), kind="reply", programme="care_team", body="hello", dedupe="d")


def test_a_phone_that_said_stop_is_told_to_say_start_as_no_page_can_lift_that(inside, ward):
    said(ward, "revoked", "text")
    inside.get("/i/me/texts")
    assert "text START from it to (201) 555-0100" in inside.page
    assert "granted:" not in inside.page
    inside.post("/i/me/texts", say="granted:reminders")
    assert set(agreed(ward).values()) == {"revoked"}


@pytest.mark.parametrize("nonsense", ["", "granted:", "granted:all", "revoked:lunch", "maybe:reminders"])
def test_nonsense_neither_stops_nor_starts(inside, ward, nonsense):
    said(ward, "revoked", "staff", "screening")
    before = agreed(ward)
    inside.get("/i/me/texts").post(say=nonsense)
    assert agreed(ward) == before


def test_how_much_a_text_says_is_chosen_with_a_warning_and_examples(inside, ward):
    inside.get("/i/me/privacy")
    assert "Text messages are not private." in inside.page
    assert "You have a visit coming up. To hear when it is" in inside.page
    assert "we will see you today at 2:20 PM at Entrance B" in inside.page
    assert re.search(r'value="place" checked', inside.page)
    inside.post(level="generic")
    assert ward.see(Patient).privacy == "generic"
    assert "Only that there is a visit" in inside.page
    inside.get("/i/me/privacy").post(level="everything")
    assert ward.see(Patient).privacy == "generic"
    acts = [line.act for line in ward.all(audit.AuditEntry)]
    assert acts.count("patient.privacy") == 1


def test_no_file_of_the_clinic_takes_back_what_a_patient_chose(inside, ward):
    inside.get("/i/me/privacy").post(level="generic")
    inside.get("/i/me/language").post(language="es")
    assert inside.heading == "Sus citas"
    ward.patient(privacy="details", language="en", first_name="Joan")
    patient = ward.see(Patient)
    assert (patient.privacy, patient.language, patient.first_name) == ("generic", "es", "Joan")


def choose(phone, opens, closes):
    return phone.get("/i/me/hours").post(**{"from": opens, "until": closes})


def test_reminders_keep_to_the_patients_hours_from_the_moment_they_are_chosen(inside, ward):
    visit = ward.visit(4 * DAYS)  # at 9:00
    choose(inside, "10:00", "16:00")
    assert "10:00 AM to 4:00 PM" in inside.page
    moments = [row.try_after for row in ward.reminders(visit).values() if row.state == "planned"]
    assert moments
    assert all(17 <= at.hour < 23 for at in moments)  # 10:00 to 16:00 in Denver, in UTC
    choose(inside, "08:00", "20:00")
    assert ward.see(Patient).wishes == {}
    assert {row.try_after.hour for row in ward.reminders(visit).values()} == {16, 15}


@pytest.mark.parametrize(("opens", "closes"), [("12:00", "13:00"), ("18:00", "09:00"), ("x", ""), ("10:00", "10:00")])
def test_hours_that_leave_no_room_are_kindly_refused(inside, ward, opens, closes):
    choose(inside, opens, closes)
    assert inside.response.status_code == 422
    assert "at least 3 hours after the beginning" in inside.page
    assert ward.see(Patient).wishes == {}


def test_nobody_chooses_hours_wider_than_the_clinics(inside, ward):
    choose(inside, "03:00", "23:00")
    assert ward.see(Patient).wishes == {}
    choose(inside, "03:00", "12:00")
    assert ward.see(Patient).wishes == {"hours": ["08:00", "12:00"]}


def test_what_is_due_waits_for_the_patients_hours_or_is_dropped(inside, ward, travel):
    visit = ward.visit(DAYS + timedelta(hours=8))  # tomorrow at 17:00; a day before is today at 17:00
    travel.move_to(NOW + timedelta(hours=8))
    ward.change(wishes={"hours": ["09:00", "15:00"]})  # and no plan was made anew since
    assert ward.reminders(visit)["24h"].state == "planned"
    dispatch.drain()
    assert ward.texts() == []
    assert "quiet hours" in reasons.kept(ward.reminders(visit)["24h"].why)[-1]


def test_where_their_hours_and_the_clinics_do_not_meet_no_reminder_leaves(inside, ward, travel):
    ward.change(wishes={"hours": ["05:00", "07:00"]})
    planned = ward.visit(4 * DAYS)
    assert {row.state for row in ward.reminders(planned).values()} == {"dropped"}
    ward.change(wishes={})
    late = ward.visit(5 * DAYS, name="V2")
    ward.change(wishes={"hours": ["05:00", "07:00"]})
    travel.move_to(NOW + 2 * DAYS + timedelta(hours=1))  # the clocks change before the visit
    dispatch.drain()
    assert ward.texts() == []
    assert ward.reminders(late)["72h"].state == "dropped"


def test_a_text_that_is_queued_when_the_hours_are_chosen_leaves_within_them_or_not_at_all(inside, ward):
    with db.unit_of_work(db.EVERY) as session:
        kind = {"kind": "reminder", "programme": "reminders", "body": "hello", "dedupe": "d"}
        outbox.text_patient(session, *ward.both(session), **kind, expires_at=NOW + 5 * DAYS)
    choose(inside, "08:00", "12:00")
    [text] = ward.all(Message)
    assert text.expires_at == datetime(2026, 3, 3, 19, 0, tzinfo=UTC)
    choose(inside, "10:00", "16:00")  # it is 9:00
    [text] = ward.all(Message)
    assert text.expires_at == NOW


def test_a_visit_they_want_no_texts_about_stays_silent_when_hours_are_chosen(inside, ward):
    visit = ward.visit(4 * DAYS)
    with db.unit_of_work(db.EVERY) as session:
        withdrawing.quiet(session, session.get_one(Appointment, visit), "test")
    choose(inside, "10:00", "16:00")
    assert {row.state for row in ward.reminders(visit).values()} == {"dropped"}


@pytest.mark.parametrize(
    ("said", "quiet"),
    [("granted:reminders", False), ("granted:screening", True), ("revoked:reminders", True)],
)
def test_whoever_starts_reminders_again_wants_them_about_every_visit(inside, ward, said, quiet):
    visit = ward.visit(4 * DAYS)
    with db.unit_of_work(db.EVERY) as session:
        withdrawing.quiet(session, session.get_one(Appointment, visit), "test")
    inside.get("/i/me/texts").post("/i/me/texts", say=said)
    assert (ward.see(Appointment, visit).quiet_at is not None) == quiet
    assert ("planned" in {row.state for row in ward.reminders(visit).values()}) != quiet


def test_without_a_number_that_can_be_texted_the_page_says_to_call(inside, ward):
    with db.unit_of_work(db.EVERY) as session:
        clinic = session.get_one(Clinic, ward.clinic_id)
        directory.learn_line(session, clinic, NUMBER, "landline", "test")
    assert "No number that we can text" in inside.get("/i/me").page
    assert "We have no number of yours" in inside.get("/i/me/texts").page
    inside.get("/i/me/texts").post("/i/me/texts", say="granted:reminders")
    assert entries(ward) == []


def test_a_birthday_is_not_told_by_the_page(inside):
    assert str(date(1981, 3, 27).year) not in inside.page
