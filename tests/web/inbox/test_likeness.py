"""A worry as staff see it: why, what weighed most, what can be said of it, and what follows."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select

from config import audit, db
from messaging.inbox.models import InboxItem, Timer
from messaging.models import Clinic, Patient
from messaging.second_reading.models import SecondReading
from tests.worries import WORRYING
from webhooks import handle_text


class Scene:
    """A clinic whose clinician has signed the second reader off, and a patient who writes."""

    def __init__(self, house: Any) -> None:
        self.house, self.rosa, self.patient = house, house.staff(), house.patient()
        with db.unit_of_work(db.EVERY) as session:
            clinic = session.get_one(Clinic, house.clinic.id)
            signed = {"by": str(self.rosa.id), "at": "2026-11-30T09:00:00+00:00", "weights": "w"}
            clinic.rules = {**clinic.rules, "second_reading": {"signed": signed}}
        self.browser = house.signed_in(self.rosa)

    def text(self, body: str) -> InboxItem:
        with db.unit_of_work(db.EVERY) as session:
            clinic = session.get_one(Clinic, self.house.clinic.id)
            number = session.get_one(Patient, self.patient.id).numbers[0].number or ""
            form = {"From": number, "To": clinic.number, "Body": body, "MessageSid": f"SM{uuid4().hex}"}
            handle_text.answer(session, clinic, form, datetime.now(UTC))
        return self.item()

    def item(self) -> InboxItem:
        with db.unit_of_work(db.EVERY) as session:
            item = session.scalars(select(InboxItem).order_by(InboxItem.id.desc()).limit(1)).one()
            db.load_keys(session, {item.key_id})
            return item

    def say(self, verdict: str) -> Any:
        return self.browser.post(f"/inbox/{self.item().id}/likeness", verdict=verdict)

    def reading(self) -> SecondReading:
        with db.unit_of_work(db.EVERY) as session:
            return session.scalars(select(SecondReading).order_by(SecondReading.id.desc()).limit(1)).one()

    def page(self) -> str:
        text: str = self.browser.get(f"/inbox/{self.item().id}").text
        return text


@pytest.fixture
def scene(house: Any) -> Scene:
    return Scene(house)


def test_the_list_and_the_case_say_that_it_is_read_by_likeness_and_not_by_a_word(scene: Scene) -> None:
    scene.text(WORRYING)
    said = "May be a crisis, read by likeness and not by a word"
    assert said in scene.browser.get("/inbox?view=everyone").text
    page = scene.page()
    assert said in page
    assert "somewhat like a crisis" in page.lower()
    assert "No automatic text was sent. Please read it by" in page


def test_what_weighed_most_is_marked_in_the_text_and_the_nearest_line_stands_below(scene: Scene) -> None:
    scene.text(WORRYING)
    page = scene.page()
    marked = page.split("<mark>")[1].split("</mark>")[0]
    assert marked
    assert marked in WORRYING
    assert "Written much like this invented line" in page


def test_no_percentage_and_no_word_of_safety_is_shown(scene: Scene) -> None:
    scene.text(WORRYING)
    section = scene.page().split('class="likeness"')[1].split("</section>")[0]
    score = scene.reading().score
    assert score is not None
    assert "%" not in section
    assert f"{score:.2f}" not in section
    assert "no risk" not in section.lower()


def test_crisis_makes_it_a_safety_item_with_its_alarm(scene: Scene) -> None:
    scene.text("what should I bring?")
    scene.text(WORRYING)
    assert scene.say("crisis").status_code == 303
    item = scene.item()
    assert (item.kind, item.urgency, item.acknowledged_at) == ("safety", 0, None)
    with db.unit_of_work(db.EVERY) as session:
        waiting = session.scalars(select(Timer).where(Timer.item_id == item.id, Timer.state == "waiting")).all()
    assert {timer.kind for timer in waiting} == {"route", "escalate"}
    assert item.about == f"message:{scene.reading().message_id}"
    page = scene.page()
    assert "Patient safety" in page
    assert "No automatic text was sent." in page
    assert 'name="verdict"' not in page
    assert scene.reading().verdict == "crisis"


def test_neither_makes_it_an_ordinary_reply_that_is_still_owed(scene: Scene) -> None:
    scene.text(WORRYING)
    before = scene.item().answer_by
    scene.say("neither")
    item = scene.item()
    assert (item.kind, item.urgency, item.state) == ("reply", 3, "open")
    assert item.answer_by > before
    assert "May be a crisis" not in scene.browser.get("/inbox?view=everyone").text
    assert "Rosa Delgado said" in scene.page()
    assert "called it neither a crisis nor a worry" in scene.page()


@pytest.mark.parametrize("verdict", ["worry", "unclear"])
def test_worry_and_cannot_tell_leave_it_where_it_is(scene: Scene, verdict: str) -> None:
    scene.text(WORRYING)
    before = scene.item()
    scene.say(verdict)
    after = scene.item()
    assert (after.answer_by, after.urgency, after.state) == (before.answer_by, before.urgency, before.state)
    assert scene.reading().verdict_by == scene.rosa.id


def test_each_saying_is_a_named_persons_and_audited(scene: Scene) -> None:
    scene.text(WORRYING)
    scene.say("worry")
    assert "Rosa Delgado said" in scene.page()
    with db.unit_of_work(db.EVERY) as session:
        lines = session.scalars(select(audit.AuditEntry).where(audit.AuditEntry.act == "second_reading.verdict"))
        assert [line.actor for line in lines] == [f"staff:{scene.rosa.id}"]


def test_what_is_none_of_the_four_is_refused(scene: Scene) -> None:
    scene.text(WORRYING)
    answer = scene.say("safe")
    assert answer.status_code == 422
    assert "Choose one of the four" in answer.text
    assert scene.reading().verdict is None


def test_an_item_that_likeness_has_nothing_to_do_with_offers_nothing_to_say(scene: Scene) -> None:
    scene.text("what should I bring?")
    assert 'class="likeness"' not in scene.page()
    assert scene.say("crisis").status_code == 404


def test_who_may_not_read_words_sees_no_word_of_it(scene: Scene, house: Any) -> None:
    scene.text(WORRYING)
    admin = house.signed_in(house.staff("Ada", role="clinic_admin"))
    page = admin.get(f"/inbox/{scene.item().id}").text
    assert WORRYING not in page
    assert 'class="likeness"' not in page
    assert admin.post(f"/inbox/{scene.item().id}/likeness", verdict="neither").status_code == 403


def test_texts_read_as_one_are_shown_as_one(scene: Scene) -> None:
    scene.text("i just want to")
    scene.text("die")
    assert scene.item().kind == "safety"
    assert scene.reading().joined != []
    page = scene.page()
    assert "i just want to" in page


def test_a_worry_is_not_among_what_several_are_dealt_with_at_once(scene: Scene) -> None:
    scene.text(WORRYING)
    assert 'form="bulk"' not in scene.browser.get("/inbox?view=everyone").text


def test_in_shadow_mode_nobody_is_shown_anything(scene: Scene) -> None:
    with db.unit_of_work(db.EVERY) as session:
        session.get_one(Clinic, scene.house.clinic.id).rules = {}
    scene.text(WORRYING)
    assert "May be a crisis" not in scene.browser.get("/inbox?view=everyone").text
    assert 'class="likeness"' not in scene.page()
    assert scene.reading().tier == "worry"
