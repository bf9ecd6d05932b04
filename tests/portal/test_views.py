"""What the clinic asks of how it did: behind the birth date, on one sheet, and a crisis in it rings as in any text."""

import json
from datetime import date, timedelta

import pytest
from sqlalchemy import select, text

from caseload.models import Episode, SatisfactionAsked
from config import audit, clock, db
from intake_links import links
from intake_links.models import VIEWS, IntakeLink
from messaging import outbox
from messaging.consent import ledger
from messaging.inbox.models import InboxItem, Timer
from messaging.models import Clinic, Message, Patient
from messaging.people import directory
from reminders import satisfaction
from tests.portal.conftest import BORN

CRISIS = "Everyone was nice. But I want to kill myself tonight."


@pytest.fixture
def asked(ward):
    """Ask the patient, as the lane does; the path of the link."""

    def ask(**terms):
        with db.unit_of_work(db.EVERY) as session:
            clinic, patient = ward.both(session)
            db.load_keys(session, [patient.key_id, clinic.key_id])
            clinic.rules = {**clinic.rules, "satisfaction": satisfaction.Terms(asks=True, **terms).model_dump()}
            staff = directory.add_staff(session, clinic, name="Rosa", email=f"{db.new_id()}@clinic.example")
            ledger.record(session, clinic, "+12015550147", "granted", source="paper", actor="operator")
            session.flush()
            link, url = links.issue(session, clinic, patient, [], leads_to=VIEWS)
            message = outbox.text_patient(
                session, clinic, patient, kind="automatic", programme="screening", body=url, dedupe=str(link.id)
            )
            whose = {"clinic_id": clinic.id, "key_id": patient.key_id}
            people = dict.fromkeys(("enrolled_by", "consent_by", "practitioner_id", "manager_id"), staff.id)
            now = clock.now()
            episode = Episode(
                **whose, **people, patient_id=patient.id, phase="active", phase_at=now, enrolled_on=date(2025, 12, 1),
                consent="verbal", consent_at=now, consent_language="en", payer="medicare", scale="phq9", created_at=now,
            )  # fmt: skip
            session.add(episode)
            session.flush()
            facts = {"link_id": link.id, "message_id": message.id, "asked_at": now, "language": patient.language}
            session.add(SatisfactionAsked(**whose, **facts, episode_id=episode.id, occasion="day-90"))
            return "/i/" + url.rsplit("/", 1)[1]

    return ask


def kept(ward):
    [row] = ward.all(SatisfactionAsked)
    return ward.see(SatisfactionAsked, row.id)


def marks(*values):
    ids = [question.id for question in satisfaction.Terms().questions]
    return {f"mark{number}": f"{ids[number - 1]}:{value}" for number, value in enumerate(values, 1) if value}


def test_the_answers_are_kept_sealed_and_once(asked, ward, phone):
    path = asked()
    assert "few short questions" in phone.get(path).page
    phone.enter(path)
    assert phone.heading == "How did we do?"
    assert "is not shown your answers next to your name" in phone.page
    phone.post(**marks(5, 0, 4), words="The front desk was kind.")
    assert phone.heading == "Thank you for telling us."
    row = kept(ward)
    ids = [question.id for question in satisfaction.Terms().questions]
    assert json.loads(row.said) == {ids[0]: 5, ids[2]: 4}
    assert (row.words, row.spoke, row.named, row.answered_in) == ("The front desk was kind.", True, False, "en")
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        raw = session.execute(text("SELECT said_ct, words_ct FROM satisfaction_asked")).one()
        assert b"kind" not in raw[1]
        assert ids[0].encode() not in raw[0]
        lines = [(entry.act, entry.detail) for entry in session.scalars(select(audit.AuditEntry))]
    assert ("satisfaction.answered", {}) in lines, "that they answered is written down, and nothing of what"
    assert ward.all(IntakeLink)[-1].state == "answered"
    assert ward.all(InboxItem) == []
    phone.get("/i/me/views")
    assert phone.heading == "Thank you for telling us.", "what was answered is not shown again"
    assert phone.get(path).heading == "Thank you for telling us."


def test_pressed_twice_the_first_marks_stand_and_no_words_are_lost(asked, ward, phone, another):
    path = asked()
    phone.enter(path)
    another.enter(path)
    phone.post(**marks(5), words="First.")
    another.post(**marks(1), words="And this.")
    row = kept(ward)
    assert list(json.loads(row.said).values()) == [5]
    assert row.words == "First.\nAnd this."
    another.post("/i/me/views", **marks(1), words="First.")
    assert kept(ward).words == "First.\nAnd this."


def test_words_of_a_crisis_ring_as_any_other_and_the_patient_sees_where_help_is(asked, ward, phone, another):
    path = asked()
    another.enter(path)
    phone.enter(path)
    phone.post(**marks(4), words=CRISIS)
    assert phone.heading == "You do not have to carry this alone"
    assert "Our team has been told" in phone.page
    [item] = ward.all(InboxItem)
    row = kept(ward)
    assert (item.kind, item.patient_id, item.about) == ("safety", ward.patient_id, f"satisfaction_asked:{row.id}")
    assert CRISIS in ward.see(InboxItem, item.id).summary
    assert {timer.kind for timer in ward.all(Timer, Timer.item_id == item.id)} == {"route", "escalate"}
    assert item.answer_by <= clock.now() + timedelta(minutes=15)
    assert row.raised
    assert row.words == CRISIS
    page = another.page
    another.post("/i/me/views", **marks(4), words=CRISIS)
    assert len(ward.all(InboxItem)) == 1, "pressed twice it is one item"
    another.page = page
    another.post("/i/me/views", words="I want to die and I have the pills")
    assert len(ward.all(InboxItem)) == 2, "other words are news"


def test_a_crisis_in_spanish_is_heard(asked, ward, phone):
    ward.change(language="es")
    phone.enter(asked())
    assert phone.heading == "¿Cómo le atendimos?"
    phone.post(words="Todo bien, pero ya no quiero vivir, me voy a matar")
    [item] = ward.all(InboxItem)
    assert item.kind == "safety"


def test_a_crisis_is_heard_before_the_birth_date_is_asked_for_again(asked, ward, phone, travel):
    phone.enter(asked())
    travel.shift(timedelta(minutes=31))
    phone.post(words=CRISIS)
    assert phone.heading == "You do not have to carry this alone"
    [item] = ward.all(InboxItem)
    assert item.kind == "safety"
    assert "too long to be sure who wrote them" in ward.see(InboxItem, item.id).summary
    assert kept(ward).answered_at is None


def test_who_was_away_too_long_loses_nothing_of_what_was_written(asked, ward, phone, travel):
    phone.enter(asked())
    travel.shift(timedelta(minutes=31))
    long = "It was good. " * 100
    phone.post(**marks(3, 2, 1), words=long)
    assert phone.heading == "Please tell us again who you are"
    phone.post(day=BORN.day, month=BORN.month, year=BORN.year)
    assert phone.heading == "Thank you for telling us."
    row = kept(ward)
    assert row.words == long.strip()
    assert sorted(json.loads(row.said).values()) == [1, 2, 3]


def test_nothing_chosen_says_what_to_do_and_strange_marks_are_none(asked, ward, phone):
    phone.enter(asked())
    phone.post()
    assert phone.response.status_code == 422
    assert "Please choose an answer or write something." in phone.page
    phone.post(mark1="zzzzzzzz:5", mark2="deadbeef:6", words=" ")
    assert phone.response.status_code == 422
    phone.post(mark1="deadbeef:5", words="Fine.")
    assert json.loads(kept(ward).said) == {}, "a question that was never asked has no answer"


def test_where_the_clinic_reads_by_name_the_form_says_so(asked, ward, phone):
    phone.enter(asked(named=True))
    assert "Your care team can read your answers with your name." in phone.page
    phone.post(**marks(2))
    assert kept(ward).named is True


def test_words_that_end_texts_end_them(asked, ward, phone):
    phone.enter(asked())
    phone.post(words="Please stop texting me")
    assert phone.heading == "Which texts do you want?", "they see that texts are stopped"
    assert kept(ward).words == "Please stop texting me"
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        clinic = session.get_one(Clinic, ward.clinic_id)
        db.load_keys(session, [clinic.key_id])
        assert set(ledger.state(session, clinic, "+12015550147").values()) == {"revoked"}


def test_the_link_leads_nowhere_else_and_lives_beside_one_to_questions(asked, ward, phone, another):
    path = asked()
    questions = ward.link("phq2")
    assert [link.state for link in ward.all(IntakeLink)] == ["open", "open"]
    phone.enter(path)
    assert "How did we do?" in phone.page
    assert "How did we do?" not in another.enter(questions).page
    assert another.get("/i/me/views").path == "/i/me", "by another link nothing is asked"


def test_once_it_is_over_it_offers_no_new_one(asked, ward, phone, travel):
    path = asked()
    travel.shift(timedelta(days=4))
    phone.get(path)
    assert phone.response.status_code == 404
    assert "Ask for a new link" not in phone.page
    assert "Please call Alder Street Clinic" in phone.page


def test_who_must_call_is_heard_all_the_same(asked, ward, phone):
    phone.enter(asked())
    with db.unit_of_work(db.EVERY) as session:
        session.get_one(Patient, ward.patient_id).state = "inactive"
    phone.post(words=CRISIS)
    assert [item.kind for item in ward.all(InboxItem)] == ["safety"]


def test_the_text_says_nothing_of_what_it_is_about(asked, ward):
    asked()
    [message] = ward.all(Message)
    assert "satisf" not in (ward.see(Message, message.id).body or "").lower()
