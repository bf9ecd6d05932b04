"""The front desk's inbox: scheduling and bills are worked there, and no door of it leads to anything clinical."""

from datetime import timedelta
from typing import Any

import pytest

from config import clock, db
from messaging import conversations
from messaging.inbox import items
from messaging.inbox.models import Contact, InboxItem, ItemEvent
from messaging.inbox.routing import topics
from messaging.models import Message, Patient
from reminders import appointments
from reminders.appointments import VisitRecord
from web import permissions


def an_item(house: Any, body: str = "what time is my appointment", *about: str, **facts: Any) -> InboxItem:
    """An item of a text about scheduling in the desk's inbox, unless told otherwise."""
    patient = house.patient()
    with db.unit_of_work(house.clinic.id) as session:
        conversation = conversations.of_number(session, house.clinic, session.merge(patient).numbers[0].number or "")
        message = conversations.file_inbound(
            session, house.clinic, conversation, body=body, provider_sid=f"SM{db.new_id()}", reading=[]
        )
        item = items.open_item(
            session,
            house.clinic,
            kind="reply",
            about=f"message:{message.id}",
            dedupe=f"reply:{message.id}",
            summary=body,
            patient_id=patient.id,
            conversation_id=conversation.id,
            reason=topics.reasons(about or ["scheduling"]),
        )
        item.role, item.owner_id = facts.get("role", "front_desk"), facts.get("owner_id")
        return item


@pytest.fixture
def dana(house: Any) -> Any:
    """A colleague of the front desk."""
    return house.staff("Dana Ortiz", role="front_desk")


@pytest.fixture
def rosa(house: Any) -> Any:
    """A care manager."""
    return house.staff("Rosa Delgado", role="care_manager")


def test_the_front_desk_begins_with_today_and_in_its_inbox_sees_what_waits(house: Any, dana: Any) -> None:
    an_item(house)
    browser = house.signed_in(dana)
    assert browser.get("/").headers["Location"] == "/today"
    page = browser.get("/desk").text
    assert "what time is my appointment" in page
    assert "nobody yet" in page


def test_an_empty_desk_says_what_comes_there(house: Any, dana: Any) -> None:
    assert "Nothing waits for the front desk" in house.signed_in(dana).get("/desk").text


def test_the_desk_takes_answers_and_settles(house: Any, dana: Any, rosa: Any) -> None:
    item = an_item(house)
    care = an_item(house, "i have a rash", "side_effects", role=None, owner_id=rosa.id)
    with db.unit_of_work(house.clinic.id) as session:  # of the same conversation
        session.get_one(InboxItem, care.id).conversation_id = item.conversation_id
    browser = house.signed_in(dana)
    assert browser.post(f"/desk/{item.id}/take", owner="").status_code == 303
    assert house.read(InboxItem, item.id).owner_id == dana.id
    assert browser.post(f"/desk/{item.id}/reply", body="Tuesday at three.", then="settle").status_code == 303
    assert house.read(InboxItem, item.id).state == "done"
    assert house.read(InboxItem, care.id).state != "done"
    with db.unit_of_work(house.clinic.id) as session:
        assert [message.author_id for message in session.query(Message).filter_by(direction="out")] == [dana.id]


def test_a_text_about_a_visit_shows_the_visit_and_moving_it_leads_back(house: Any, dana: Any) -> None:
    item = an_item(house)
    browser = house.signed_in(dana)
    assert "No visit is booked" in browser.get(f"/desk/{item.id}").text
    with db.unit_of_work(house.clinic.id) as session:
        patient = session.get_one(Patient, item.patient_id)
        starts_at = clock.now() + timedelta(days=3)
        visit = VisitRecord("V1", "", starts_at, house.clinic.zone, clock.now(), clinician="Dr. Ito")
        kept, _ = appointments.save(session, session.merge(house.clinic), patient, visit)
    page = browser.get(f"/desk/{item.id}").text
    assert "Dr. Ito" in page
    assert f"/patients/{item.patient_id}/visits/{kept.id}/move?item={item.id}" in page
    confirmed = browser.post(f"/patients/{item.patient_id}/visits/{kept.id}/confirm", item=str(item.id))
    assert confirmed.location == f"/desk/{item.id}"


def test_what_is_refused_stays_in_the_box(house: Any, dana: Any) -> None:
    item = an_item(house)
    answer = house.signed_in(dana).post(f"/desk/{item.id}/reply", body="Your depression score is 12", then="settle")
    assert answer.status_code == 422
    assert "Your depression score is 12" in answer.text
    assert house.read(InboxItem, item.id).state == "open"


def test_the_desk_hands_to_the_care_team_with_its_reason(house: Any, dana: Any, rosa: Any) -> None:
    item = an_item(house)
    browser = house.signed_in(dana)
    assert browser.post(f"/desk/{item.id}/handover", why="She sounds upset").status_code == 303
    assert house.read(InboxItem, item.id).role == "care_manager"
    assert browser.get(f"/desk/{item.id}").status_code == 404
    assert "She sounds upset" in house.signed_in(rosa).get(f"/inbox/{item.id}").text


def test_a_care_manager_hands_to_the_desk_with_a_reason_that_the_desk_reads(house: Any, dana: Any, rosa: Any) -> None:
    item = an_item(house, "can you fit me in", role=None, owner_id=rosa.id)
    browser = house.signed_in(rosa)
    assert "Anyone on duty of" in browser.get(f"/inbox/{item.id}").text
    sent = browser.post(f"/inbox/{item.id}/handover", to="role:front_desk", why="Any Tuesday is fine")
    assert sent.status_code == 303
    stored = house.read(InboxItem, item.id)
    assert (stored.role, stored.owner_id, stored.topic) == ("front_desk", None, "scheduling")
    assert "Any Tuesday is fine" in house.signed_in(dana).get(f"/desk/{item.id}").text
    with db.unit_of_work(house.clinic.id) as session:
        (given,) = session.query(ItemEvent).filter_by(item_id=item.id, event="given_to_role")
        note = session.query(Contact).one()
        assert given.detail["note"] == str(note.id)
        assert "Tuesday" not in str(given.detail)


@pytest.mark.parametrize("about", [("side_effects",), ("scheduling", "medication")])
def test_nothing_clinical_can_be_handed_to_the_desk(house: Any, dana: Any, rosa: Any, about: tuple[str, ...]) -> None:
    item = an_item(house, "i feel odd", *about, role=None, owner_id=rosa.id)
    browser = house.signed_in(rosa)
    assert 'value="role:front_desk"' not in browser.get(f"/inbox/{item.id}").text
    answer = browser.post(f"/inbox/{item.id}/handover", to="role:front_desk")
    assert answer.status_code == 422
    assert "only texts about scheduling and bills" in answer.text


def test_without_anybody_of_the_desk_it_says_so(house: Any, rosa: Any) -> None:
    item = an_item(house, role=None, owner_id=rosa.id)
    answer = house.signed_in(rosa).post(f"/inbox/{item.id}/handover", to="role:front_desk")
    assert answer.status_code == 422
    assert "Nobody of that role is on duty" in answer.text


@pytest.mark.parametrize(
    "facts",
    [
        {"role": None},
        {"role": "care_manager"},
        {"kind": "safety"},
        {"kind": "screen"},
        {"about": ("scheduling", "medication")},
        {"about": ("in_building_problem",)},
    ],
)
def test_every_door_of_the_desk_is_closed_to_what_is_not_theirs(house: Any, dana: Any, facts: dict[str, Any]) -> None:
    item = an_item(house, "words", *facts.get("about", ()), role=facts.get("role", "front_desk"))
    with db.unit_of_work(house.clinic.id) as session:
        session.get_one(InboxItem, item.id).kind = facts.get("kind", "reply")
    browser = house.signed_in(dana)
    assert "words" not in browser.get("/desk").text.partition("<main")[2].partition("</main>")[0]
    assert browser.get(f"/desk/{item.id}").status_code == 404
    for act in ("take", "reply", "settle", "handover"):
        assert browser.post(f"/desk/{item.id}/{act}", body="x").status_code == 404, act


def test_another_clinics_item_is_nobodys_here(house: Any, dana: Any) -> None:
    assert house.signed_in(dana).get(f"/desk/{db.new_id()}").status_code == 404


def test_a_clinical_text_of_the_same_conversation_is_not_shown(house: Any, dana: Any) -> None:
    item = an_item(house)
    with db.unit_of_work(house.clinic.id) as session:
        conversation = session.get_one(InboxItem, item.id).conversation_id
        for body, reading in (("my pills make me sick", ["topic.en.side_effects"]), ("i want to die", ["crisis.en.x"])):
            text = conversations.file_inbound(
                session,
                house.clinic,
                session.get_one(conversations.Conversation, conversation),
                body=body,
                provider_sid=f"SM{db.new_id()}",
                reading=reading,
            )
            items.note_event(session, session.get_one(InboxItem, item.id), "x", "added", message_id=str(text.id))
    for path in ("/desk", f"/desk/{item.id}"):
        page = house.signed_in(dana).get(path).text
        assert "pills" not in page
        assert "die" not in page.replace("audience", "")


def test_no_other_door_of_the_inbox_is_open_to_the_front_desk() -> None:
    assert not {act for act in permissions.MAY["front_desk"] if act.startswith("inbox.")}
    assert {role for role in permissions.MAY if "desk.read" in permissions.MAY[role]} == {"front_desk"}


def test_an_item_about_no_text_is_shown_all_the_same(house: Any, dana: Any) -> None:
    item = an_item(house)
    with db.unit_of_work(house.clinic.id) as session:
        session.get_one(InboxItem, item.id).about = f"receipt:{db.new_id()}"
    assert house.signed_in(dana).get("/desk").status_code == 200
    assert house.signed_in(dana).get(f"/desk/{item.id}").status_code == 200


def test_the_desk_is_told_to_ask_before_it_texts_who_waits_for_the_care_team(house: Any, dana: Any, rosa: Any) -> None:
    item = an_item(house)
    browser, said = house.signed_in(dana), "Ask them before you text"
    assert said not in browser.get(f"/desk/{item.id}").text
    crisis = house.item("safety", patient_id=item.patient_id, owner_id=rosa.id)
    assert said in browser.get(f"/desk/{item.id}").text
    house.signed_in(rosa).post(f"/inbox/{crisis.id}/acknowledge", disposition="in_person")
    assert said not in browser.get(f"/desk/{item.id}").text
