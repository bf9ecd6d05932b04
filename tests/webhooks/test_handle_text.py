"""What happens with a text that came in, from the door to the inbox."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import select

from config import db
from messaging.consent import ledger
from messaging.inbox.models import InboxItem
from messaging.models import ConsentEntry, Message
from messaging.people import directory
from messaging.wording import text_templates
from reminders import appointments
from reminders.models import Appointment, Reminder
from webhooks import jobs

PATIENT, STRANGER = "+13035550101", "+13035550199"


def _consents(world: Any, number: str = PATIENT) -> set[str]:
    with db.unit_of_work(db.EVERY) as session:
        return set(ledger.state(session, world.clinic, number).values())


def _bodies(world: Any) -> list[str]:
    return [message.body for message in world.outbound]


def _visit(world: Any, days: int = 2, name: str = "V1") -> None:
    """Book a visit of the patient whose reminder has gone out."""
    now = datetime.now(UTC)
    with db.unit_of_work(db.EVERY) as session:
        patient = directory.find_by_record(session, world.clinic, "1")
        visit = appointments.VisitRecord(
            external_id=name,
            record="1",
            starts_at=now + timedelta(days=days),
            zone="America/Denver",
            booked_at=now - timedelta(days=14),
        )
        appointment, _ = appointments.save(session, world.clinic, patient, visit)
        session.flush()
        for reminder in session.scalars(select(Reminder).where(Reminder.appointment_id == appointment.id)):
            reminder.state = "done"


def test_a_yes_confirms_the_visit_and_is_thanked_for(world: Any) -> None:
    _visit(world)
    world.text("Y")
    assert world.rows(Appointment)[0].state == "confirmed"
    (thanks,) = world.outbound
    assert thanks.kind == "automatic"
    assert "Ana" in thanks.body
    assert world.items == []
    assert [receipt.state for receipt in world.receipts] == ["processed"]
    assert world.inbound[0].reading[-1].startswith("version.")


def test_a_change_is_asked_for_and_a_human_sees_it_once(world: Any) -> None:
    _visit(world)
    world.text("I can't make it, I have surgery that day")
    assert world.rows(Appointment)[0].state == "change_asked"
    (item,) = world.items
    assert "surgery" in item.summary


def test_words_beyond_the_answer_reach_a_human(world: Any) -> None:
    _visit(world)
    world.text("Y thanks, is parking free?")
    assert world.rows(Appointment)[0].state == "confirmed"
    assert [item.summary for item in world.items] == ["Y thanks, is parking free?"]


def test_a_picture_with_an_answer_reaches_a_human(world: Any) -> None:
    _visit(world)
    world.text("Y", NumMedia="1", MediaUrl0="https://api.example/1", MediaContentType0="image/png")
    assert [item.summary for item in world.items] == ["Y [1 attached]"]


def test_whoever_confirmed_may_still_change_their_mind(world: Any) -> None:
    _visit(world)
    world.text("Y")
    world.text("R")
    assert world.rows(Appointment)[0].state == "change_asked"


def test_a_robot_is_thanked_five_times_a_day(world: Any) -> None:
    _visit(world)
    for answer in ("Y", "R") * 6:
        world.text(answer)
    assert len(world.outbound) == 5


def test_stop_silences_everything_and_leaves_what_is_open(world: Any) -> None:
    world.text("I feel unsure about something")
    world.text("STOP")
    assert _consents(world) == {"revoked"}
    assert world.outbound == []  # the carrier answers STOP itself
    (item,) = world.items
    assert item.state == "open"
    words = [entry.words for entry in world.rows(ConsentEntry, ConsentEntry.event == "revoked")]
    assert words == ["STOP"] * 3


def test_cancel_ends_texts_and_asks_about_the_visit(world: Any) -> None:
    _visit(world)
    world.text("CANCEL")
    assert _consents(world) == {"revoked"}
    assert [item.kind for item in world.items] == ["reply"]
    assert world.outbound == []


def test_start_brings_back_whoever_had_stopped(world: Any) -> None:
    world.text("STOP")
    world.text("START")
    assert _consents(world) == {"granted"}
    assert world.items == world.outbound == []


def test_what_the_carrier_took_as_a_keyword_is_one(world: Any) -> None:
    world.text("baja", OptOutType="STOP")
    assert _consents(world) == {"revoked"}
    world.text("alta", OptOutType="START")
    assert _consents(world) == {"granted"}
    assert world.items == world.outbound == []


def test_yes_confirms_a_visit_and_brings_back_only_whoever_had_stopped(world: Any) -> None:
    _visit(world)
    world.text("STOP")
    world.text("YES")
    assert _consents(world) == {"granted"}
    assert world.rows(Appointment)[0].state == "confirmed"


def test_yes_of_a_stranger_grants_nothing(world: Any) -> None:
    world.text("YES", From=STRANGER)
    assert _consents(world, STRANGER) == {"unknown"}


def test_help_is_answered_by_the_carrier_and_ayuda_by_us(world: Any) -> None:
    world.text("HELP")
    assert world.outbound == []
    world.text("AYUDA")
    world.text("AYUDA")
    assert len(world.outbound) == 1
    assert "Elm Clinic" in _bodies(world)[0]


@pytest.mark.parametrize("who", ["known", "opted out", "unknown"])
def test_a_crisis_reaches_a_human_whoever_writes(world: Any, who: str) -> None:
    number = STRANGER if who == "unknown" else PATIENT
    if who == "opted out":
        world.text("STOP")
    form = world.form("I want to die", From=number)
    world.post(form)
    jobs.drain("urgent")
    (item,) = world.items
    assert item.kind == "safety"
    assert "I want to die" in item.summary
    assert (item.patient_id is None) == (who == "unknown")
    crisis = text_templates.texts("en")["crisis"]
    assert _bodies(world) == ([] if who == "opted out" else [crisis])
    assert all((message.kind, message.lane) == ("crisis", "urgent") for message in world.outbound)


def test_each_crisis_text_is_an_item_and_one_an_hour_is_answered(world: Any) -> None:
    for _ in range(3):
        world.text("I want to kill myself")
    assert [item.kind for item in world.items] == ["safety"] * 3
    assert len(world.outbound) == 1
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=61)):
        world.text("I want to kill myself")
    assert len(world.outbound) == 2


def test_another_automatic_text_does_not_take_the_place_of_help_in_a_crisis(world: Any) -> None:
    world.text("hello?", From=STRANGER)
    world.text("I want to die", From=STRANGER)
    assert [message.kind for message in world.outbound] == ["automatic", "crisis"]


def test_a_crisis_that_also_stops_is_both(world: Any) -> None:
    world.text("please stop texting me I want to die")
    assert [item.kind for item in world.items] == ["safety"]
    assert _consents(world) == {"revoked"}


def test_a_crisis_beside_an_answer_is_not_thanked_for(world: Any) -> None:
    _visit(world)
    world.text("Y but I want to die")
    assert [item.kind for item in world.items] == ["safety"]
    assert [message.kind for message in world.outbound] == ["crisis"]


def test_a_patients_own_language_is_answered(world: Any, patients: Any) -> None:
    patients("2", "+13035550102", "Luz", "es")
    world.text("me quiero morir", From="+13035550102")
    assert _bodies(world) == [text_templates.texts("es")["crisis"]]


def test_a_stranger_is_claimable_and_told_once_that_a_person_will_look(world: Any) -> None:
    world.text("hello, it is me", From=STRANGER)
    world.text("anybody there?", From=STRANGER)
    (item,) = world.items
    assert (item.kind, item.state, item.patient_id) == ("reply", "open", None)
    assert "hello, it is me" in item.summary
    assert "anybody there?" in item.summary
    assert len(world.outbound) == 1
    with time_machine.travel(datetime.now(UTC) + timedelta(hours=25)):
        world.text("still here", From=STRANGER)
    assert len(world.outbound) == 1
    for word in ("for patients of Elm Clinic", "911", "988"):
        assert word in world.outbound[0].body


def test_a_machine_is_never_answered(world: Any) -> None:
    world.text("Your code is 123", From="72345")
    assert world.outbound == []
    assert len(world.items) == 1


def test_a_shared_number_is_a_humans_choice_and_no_name_is_said(world: Any, patients: Any) -> None:
    patients("2", PATIENT, "Beto")
    _visit(world)
    world.text("Y")
    assert world.rows(Appointment)[0].state == "booked"
    (item,) = world.items
    assert item.summary.startswith("2 patients share this number")
    assert item.patient_id is None
    world.text("I want to die")
    assert [item.kind for item in world.items] == ["reply", "safety"]
    assert world.items[1].summary.startswith("From one of several people on this number (2 patients")
    assert not any("Ana" in body or "Beto" in body for body in _bodies(world))


@pytest.mark.parametrize("said", ["CANCEL", "ok", "👍"])
def test_of_a_shared_number_nothing_that_may_mean_a_visit_is_lost(world: Any, patients: Any, said: str) -> None:
    patients("2", PATIENT, "Beto")
    _visit(world)
    world.text(said)
    assert world.rows(Appointment)[0].state == "booked"
    assert [item.summary for item in world.items] == [f"2 patients share this number: {said}"]


def test_thanks_is_filed_and_wakes_nobody(world: Any) -> None:
    world.text("thanks!")
    assert len(world.inbound) == 1
    assert world.items == world.outbound == []
    world.text("I have a question")
    world.text("thank you")
    assert world.items[0].summary.endswith("\nthank you")


def test_a_yes_to_a_colleague_is_an_answer(world: Any) -> None:
    world.text("hello")
    with db.unit_of_work(db.EVERY) as session:
        staff = directory.add_staff(session, world.clinic, name="Kim", email="kim@clinic.example")
        session.query(InboxItem).one().state = "done"
        asked = session.query(Message).filter_by(direction="in").one()
        session.add(
            Message(
                clinic_id=world.clinic.id,
                key_id=asked.key_id,
                conversation_id=asked.conversation_id,
                direction="out",
                kind="reply",
                lane="urgent",
                state="sent",
                body="Can you come on Tuesday?",
                dedupe="out",
                author_id=staff.id,
                created_at=datetime.now(UTC),
                try_after=datetime.now(UTC),
            )
        )
    for words in ("yes", "ok"):
        world.text(words)
    assert [item.summary for item in world.items] == ["hello", "yes\nok"]


def test_a_new_parameter_of_the_carrier_hides_no_stop(world: Any) -> None:
    world.text("STOP", ChannelMetadata='{"type": "new"}', Country="US")
    assert _consents(world) == {"revoked"}


def test_a_new_parameter_of_the_carrier_hides_no_crisis(world: Any) -> None:
    world.text("I want to kill myself", Country="US")
    assert "safety" in {item.kind for item in world.items}


def test_a_new_parameter_of_the_carrier_is_not_shown_as_words(world: Any) -> None:
    world.text("Where do I park?", ErrorCode="0", DateCreated="today")
    with db.unit_of_work(db.EVERY) as session:
        shown = session.scalars(select(Message).where(Message.direction == "in")).one()
        assert shown.body == "Where do I park?"
