"""Patients are asked how the clinic did, through the doors: asked, answered, counted, and read by whom it was said."""

import re
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from sqlalchemy import select

from caseload.figures import keeping
from caseload.models import Episode, SatisfactionAsked, SatisfactionWatch
from caseload.satisfaction import asking, telling
from config import clock, db
from intake_links import links
from intake_links.models import IntakeLink
from messaging import outbox
from messaging.consent import ledger
from messaging.inbox.models import InboxItem
from messaging.models import Clinic, Message, Patient
from messaging.people import directory
from reminders import appointments, satisfaction
from reminders.models import FollowUp
from tests.intake_links.conftest import Phone
from tests.web.caseload.seeding import Scene, enrolled, with_registry
from tests.web.settings.test_satisfaction import typed

BORN = date(1985, 3, 2)
PUBLIC = "http://localhost:8000"
QUESTIONS = satisfaction.Terms().questions


def publish(scene: Scene, **changed: str) -> None:
    """Publish the shipped questions, or others, through the settings page."""
    admin = scene.house.signed_in(scene.house.staff("Ada", role="clinic_admin"))
    admin.post("/settings/satisfaction", **typed(asks="on", **changed))
    admin.post("/settings/draft/satisfaction/publish", edit="1", why="To learn how we do")


@pytest.fixture
def scene(house: Any) -> Scene:
    """A clinic with a registry that asks."""
    scene = with_registry(house)
    publish(scene)
    return scene


def on(scene: Scene, days: int, hour: int = 11) -> datetime:
    """The day so many days from now, at this hour of the clinic's."""
    at = (clock.now() + timedelta(days=days)).astimezone(ZoneInfo(scene.house.clinic.zone))
    return at.replace(hour=hour, minute=0, second=0, microsecond=0)


def look(scene: Scene, at: datetime) -> list[Message]:
    """Look at everybody at this moment; return what was texted until then."""
    with time_machine.travel(at, tick=False):
        with db.unit_of_work(db.EVERY) as session:
            asking.look(session, session.scalars(select(SatisfactionWatch).order_by(SatisfactionWatch.id)).all())
        with db.unit_of_work(db.EVERY, read_only=True) as session:
            forms = select(Message).where(Message.programme == "screening", Message.direction == "out")
            texts = list(session.scalars(forms.order_by(Message.created_at)))
            db.load_keys(session, {text.key_id for text in texts})
            return texts


def path_in(message: Message) -> str:
    """The path of the link in a text."""
    found = re.search(r"/i/[\w-]+", message.body or "")
    assert found is not None
    return found[0]


def entered(scene: Scene, message: Message, born: date = BORN) -> Phone:
    """A phone behind the birth date of a text's link."""
    phone = Phone(scene.house.app, PUBLIC)
    return phone.enter(path_in(message), born)


def marks(*values: int) -> dict[str, str]:
    return {f"mark{place}": f"{QUESTIONS[place - 1].id}:{value}" for place, value in enumerate(values, 1)}


def discharge(scene: Scene, patient: Patient, reason: str = "goals_met") -> None:
    answer = scene.browser.post(f"/patients/{patient.id}/care/discharge", reason=reason)
    assert answer.status_code == 303


def test_every_ninety_days_one_text_that_says_nothing_of_what_it_is_about(scene: Scene) -> None:
    patient = scene.house.patient()
    enrolled(scene, patient, days_ago=88)
    assert look(scene, on(scene, 1)) == []
    (text,) = look(scene, on(scene, 2))
    assert (text.kind, text.patient_id) == ("automatic", patient.id)
    said = (text.body or "").lower()
    assert not {"satisf", "feedback", "how we did", "care team did", "collaborative", "depress"} & set(said.split())
    assert "a few questions" in said
    for days in (3, 20, 60):
        assert len(look(scene, on(scene, days))) == 1, "nobody is texted twice on an occasion, answered or not"
    assert len(look(scene, on(scene, 92))) == 2
    assert [row.occasion for row in scene.rows(SatisfactionAsked)] == ["day-90", "day-180"]
    assert scene.rows(FollowUp) == [], "whoever does not answer is not texted again, and nobody calls"


def test_after_a_discharge_once_some_days_later(scene: Scene) -> None:
    patient = scene.house.patient()
    enrolled(scene, patient, days_ago=40)
    assert look(scene, on(scene, 1)) == []
    assert scene.rows(SatisfactionWatch)[0].try_after > clock.now() + timedelta(days=5)
    discharge(scene, patient)
    assert scene.rows(SatisfactionWatch)[0].try_after <= clock.now(), "who is discharged is looked at at once"
    assert look(scene, on(scene, 6)) == []
    assert len(look(scene, on(scene, 7))) == 1
    assert len(look(scene, on(scene, 30))) == 1
    assert [row.state for row in scene.rows(SatisfactionWatch)] == ["over"]


def test_a_clinic_that_has_published_nothing_asks_nobody(house: Any) -> None:
    scene = with_registry(house)
    enrolled(scene, house.patient(), days_ago=90)
    assert look(scene, on(scene, 1)) == []
    assert [row.state for row in scene.rows(SatisfactionWatch)] == ["waiting"]


WHY = ("stopped", "no birth date", "deceased", "inactive", "lost", "visit", "other text", "link", "night", "talking")


@pytest.mark.parametrize("why", WHY)
def test_who_may_not_or_need_not_be_texted_is_not(scene: Scene, why: str) -> None:
    born = {"birth_date": None} if why == "no birth date" else {}
    patient = scene.house.patient(**born)
    episode = enrolled(scene, patient, days_ago=90)
    at = on(scene, 1, hour=23 if why == "night" else 11)
    with time_machine.travel(at - timedelta(minutes=5), tick=False), db.unit_of_work(db.EVERY) as session:
        clinic, known = session.get_one(Clinic, scene.house.clinic.id), session.get_one(Patient, patient.id)
        _hinder(session, clinic, known, session.get_one(Episode, episode.id), why)
    if why == "talking":
        with time_machine.travel(at - timedelta(minutes=1), tick=False):
            scene.house.text_from(patient, "Can we talk?")
            _reply(scene, patient)
    sent = [text for text in look(scene, at) if "/i/" in (text.body or "") and "other" not in (text.body or "")]
    if why == "night":
        (text,) = sent
        leaves = text.try_after.astimezone(ZoneInfo(scene.house.clinic.zone))
        assert 7 <= leaves.hour <= 12, "it leaves in the morning"
    else:
        assert sent == []
        states = {row.state for row in scene.rows(SatisfactionWatch)}
        assert states == {"over" if why in ("deceased", "lost") else "waiting"}


def _hinder(session: Any, clinic: Clinic, known: Patient, episode: Episode, why: str) -> None:
    number = known.numbers[0].number or ""
    if why == "stopped":
        ledger.record(session, clinic, number, "revoked", programmes=["screening"], source="test", actor="operator")
    elif why in ("deceased", "inactive"):
        directory.set_state(session, clinic, known, why, actor="operator")  # type: ignore[arg-type]
    elif why == "lost":
        episode.phase, episode.end_reason = "discharged", "lost"
        episode.ended_on = (clock.now() - timedelta(days=8)).date()
    elif why == "visit":
        visit = appointments.VisitRecord("V1", "", clock.now() + timedelta(days=2), clinic.zone, clock.now(), None)
        appointments.save(session, clinic, known, visit)
    elif why == "other text":
        whose: dict[str, Any] = {"kind": "automatic", "programme": "screening", "dedupe": "other"}
        outbox.text_patient(session, clinic, known, body="An other.", **whose)
    elif why == "link":
        links.issue(session, clinic, known, ["phq2"])


def _reply(scene: Scene, patient: Patient) -> None:
    with db.unit_of_work(scene.house.clinic.id) as session:
        clinic, known = session.get_one(Clinic, scene.house.clinic.id), session.get_one(Patient, patient.id)
        outbox.text_patient(
            session, clinic, known, kind="reply", programme="care_team", body="Yes.", dedupe="r",
            author_id=scene.rosa.id,
        )  # fmt: skip


def test_a_story_from_the_text_to_the_review(scene: Scene) -> None:
    """Twelve people are asked and answer; the lead reads the means and the words, and nobody a name."""
    house = scene.house
    for place in range(12):
        enrolled(scene, house.patient(first_name=f"Pat{place}", language="es" if place > 8 else "en"), days_ago=90)
    at = on(scene, 1)
    texts = look(scene, at)
    assert len(texts) == 12
    with time_machine.travel(at + timedelta(hours=1), tick=False):
        for place, text in enumerate(texts):
            phone = entered(scene, text)
            assert phone.heading in ("How did we do?", "¿Cómo le atendimos?")
            words = f"The front desk helped, number {place}." if place < 6 else ""
            phone.post(**marks(5 if place else 2, 4), words=words)
            assert phone.heading in ("Thank you for telling us.", "Gracias por decirnos.")
    with time_machine.travel(at + timedelta(days=2), tick=False):
        while keeping.drain():
            pass
        lead = house.signed_in(house.staff("Lea", role="clinic_admin"))
        page = lead.get("/review").text
        assert 0 < page.find(QUESTIONS[0].en) < page.find(QUESTIONS[1].en), "as they are asked"
        assert "4.8" in page, "(11 times 5 and once 2) of 12"
        assert "of 12 answers" in page
        assert QUESTIONS[2].en not in page, "what nobody answered has no mean"
        assert "number 0" not in page
        sheet = lead.get("/review.csv").text
        assert f"{QUESTIONS[0].en},12,,,0,,,4.75," in sheet
        assert lead.get("/review.pdf").data.startswith(b"%PDF")
        written = lead.get("/review/words").text
        assert written.count("The front desk helped") == telling.HANDFUL, "the sixth waits for four others"
        assert "1 more waits" in written
        assert "Pat" not in written[written.find("<main") :]
        patient = scene.episodes()[0].patient_id
        care = house.signed_in(scene.rosa).get(f"/patients/{patient}/care").text
        assert "Asked how we did" in care
        assert "nobody reads an answer by name" in care
        assert "front desk helped" not in care
        assert "2 of 5" not in care
        assert house.signed_in(house.staff(role="clinician")).get("/review/words").status_code == 403


def test_fewer_than_a_handful_of_words_are_not_read(scene: Scene) -> None:
    enrolled(scene, scene.house.patient(), days_ago=90)
    (text,) = look(scene, on(scene, 1))
    with time_machine.travel(on(scene, 1, hour=12), tick=False):
        entered(scene, text).post(words="Only mine.")
    lead = scene.house.signed_in(scene.house.staff("Lea", role="clinic_admin"))
    page = lead.get("/review/words").text
    assert "Only mine" not in page
    assert "1 of 5 is there" in page


def test_a_crisis_written_there_stands_in_the_inbox_by_name(scene: Scene) -> None:
    patient = scene.house.patient(first_name="Ines")
    enrolled(scene, patient, days_ago=90)
    (text,) = look(scene, on(scene, 1))
    with time_machine.travel(on(scene, 1, hour=12), tick=False):
        phone = entered(scene, text)
        phone.post(words="All good here but I am going to kill myself tonight")
        assert phone.heading == "You do not have to carry this alone"
        [item] = scene.rows(InboxItem)
        assert (item.kind, item.state, item.patient_id) == ("safety", "open", patient.id)
        page = scene.house.signed_in(scene.rosa).get(f"/inbox/{item.id}").text
        assert "Ines" in page
        assert "kill myself tonight" in page
        assert "read them yourself, and call" in page
    lead = scene.house.signed_in(scene.house.staff("Lea", role="clinic_admin"))
    assert "kill myself" not in lead.get("/review/words").text


def test_where_the_clinic_reads_by_name_the_care_page_shows_what_was_said_under_that_promise(house: Any) -> None:
    scene = with_registry(house)
    publish(scene, named="on")
    patient = house.patient()
    enrolled(scene, patient, days_ago=90)
    (text,) = look(scene, on(scene, 1))
    with time_machine.travel(on(scene, 1, hour=12), tick=False):
        entered(scene, text).post(**marks(3), words="Thank you, Rosa.")
        rosa = house.signed_in(scene.rosa)
        care = rosa.get(f"/patients/{patient.id}/care").text
        assert "3 of 5" in care
        assert "Thank you, Rosa." in care
        with db.unit_of_work(house.clinic.id) as session:
            row = session.scalars(select(SatisfactionAsked)).one()
            row.named = False
        assert "Thank you, Rosa." not in rosa.get(f"/patients/{patient.id}/care").text


def test_after_a_merge_the_person_is_asked_once(scene: Scene) -> None:
    stays, goes = scene.house.patient(), scene.house.patient()
    enrolled(scene, stays, days_ago=95)
    enrolled(scene, goes, days_ago=90)
    with db.unit_of_work(db.EVERY) as session:
        for episode in session.scalars(select(Episode).where(Episode.patient_id == goes.id)):
            episode.patient_id = stays.id
    assert len(look(scene, on(scene, 1))) == 1
    assert len(look(scene, on(scene, 10))) == 1


def test_the_link_stands_on_no_page_of_staff_and_asks_nobody_to_call(scene: Scene) -> None:
    patient = scene.house.patient()
    enrolled(scene, patient, days_ago=90)
    look(scene, on(scene, 1))
    [link] = scene.rows(IntakeLink)
    assert (link.place, link.instruments) == ("views", [])
    assert "questions not answered" not in scene.browser.get("/caseload").text
    assert scene.rows(InboxItem) == []
