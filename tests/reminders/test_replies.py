"""An answer changes the visit it is about, or a human decides."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
import time_machine
from sqlalchemy import select, update

from config import db
from messaging import conversations, outbox
from messaging.consent import ledger
from messaging.inbox.models import InboxItem
from messaging.models import Clinic, Message, Patient, PatientNumber
from messaging.reading import read_reply
from reminders import appointments, replies
from reminders.models import Appointment
from reminders.sending import dispatch
from tests.messaging.wording.test_clinic_words import say
from tests.reminders.conftest import NOW, World, states_of, texts_to

NUMBER = "+13035550177"
VISIT = NOW + timedelta(days=7)
DAY_BEFORE = VISIT - timedelta(days=1)


@pytest.fixture(autouse=True)
def _now() -> object:
    with time_machine.travel(NOW, tick=False):
        yield


@dataclass
class Phone:
    """A patient's phone, which answers reminders."""

    world: World
    patient: Patient
    sent: int = 0

    def visit(self, starts_at: datetime = VISIT) -> Appointment:
        return self.world.visit(self.patient, starts_at)

    def answers(self, text: str, at: datetime = DAY_BEFORE) -> replies.Outcome:
        """What becomes of this text, when every reminder due until then was sent."""
        self.sent += 1
        with time_machine.travel(at, tick=False), db.unit_of_work(db.EVERY) as session:
            clinic = session.get_one(Clinic, self.world.clinic.id)
            conversation = conversations.of_number(session, clinic, NUMBER)
            message = conversations.file_inbound(
                session, clinic, conversation, body=text, provider_sid=f"SM{self.sent}", reading=[]
            )
            read = read_reply.read(text, self.patient.language)
            patient = session.get(Patient, conversation.patient_id) if conversation.patient_id else None
            return replies.understand(session, clinic, conversation, patient, read, message)

    def items(self) -> list[str]:
        with db.unit_of_work(db.EVERY) as session:
            rows = session.scalars(select(InboxItem).where(InboxItem.patient_id == self.patient.id))
            return [row.summary or "" for row in rows]


@pytest.fixture
def phone(world: World) -> Phone:
    return Phone(world, world.patient(number=NUMBER))


def remind(at: datetime = DAY_BEFORE, *, leave: bool = True) -> None:
    """Send what is due, as if the carrier had taken it at once; without `leave` it still waits in the outbox."""
    with time_machine.travel(at, tick=False):
        dispatch.drain()
    if leave:
        with db.unit_of_work(db.EVERY) as session:
            session.execute(update(Message).where(Message.state == "queued").values(state="sent"))


def worded(outcome: replies.Outcome, phone: Phone) -> str | None:
    """The text that answers the patient."""
    with db.unit_of_work(phone.world.clinic.id, read_only=True) as session:
        return replies.body(session, outcome, phone.patient)


def state_of(visit: Appointment) -> str:
    with db.unit_of_work(db.EVERY) as session:
        return session.get_one(Appointment, visit.id).state


def test_y_confirms_the_one_visit_that_was_asked_about(phone: Phone) -> None:
    visit = phone.visit()
    remind()
    outcome = phone.answers("Y")
    assert (outcome.handled, outcome.reply_key) == (True, "confirmed")
    assert state_of(visit) == "confirmed"
    assert states_of(visit)["2h"] == "dropped"
    assert (
        worded(outcome, phone)
        == "Thank you, Rosa. We have you down for tomorrow at 10:00 AM. See you then! - Larkspur Clinic"
    )
    assert phone.items() == []


@pytest.mark.parametrize("again", ["👍", "👍🏽", "yes", "Y"])
def test_y_and_a_thumbs_up_to_our_thanks_are_thanked_for_once(phone: Phone, again: str) -> None:
    phone.visit()
    remind()
    assert phone.answers("Y").reply_key == "confirmed"
    assert phone.answers(again) == replies.Outcome(True)


def test_y_again_on_another_day_is_thanked_again(phone: Phone) -> None:
    phone.visit()
    remind()
    assert phone.answers("Y") == phone.answers("yes", at=DAY_BEFORE + replies.JUST_THANKED)


def test_y_before_anything_was_asked_is_for_a_human(phone: Phone) -> None:
    visit = phone.visit()
    assert phone.answers("Y", at=NOW) == replies.A_HUMAN
    assert state_of(visit) == "booked"


def test_y_to_the_old_time_does_not_confirm_the_new_one(phone: Phone) -> None:
    visit = phone.visit()
    remind()
    with db.unit_of_work(db.EVERY) as session:
        found = session.get_one(Appointment, visit.id)
        record = appointments.VisitRecord(
            found.external_id, "", VISIT + timedelta(days=3), found.zone, found.booked_at, found.place
        )
        appointments.save(session, phone.world.clinic, phone.patient, record)
    assert phone.answers("Y") == replies.A_HUMAN
    assert state_of(visit) == "booked"


def test_r_asks_for_another_time_and_a_human_calls(phone: Phone) -> None:
    visit = phone.visit()
    remind()
    outcome = phone.answers("R")
    assert (outcome.handled, outcome.reply_key) == (True, "change_requested")
    assert state_of(visit) == "change_asked"
    assert phone.items() == ["Asked to change the visit of Tue 10:00 AM"]
    remind(VISIT - timedelta(hours=2))
    assert len([text for text in texts_to(phone.patient) if "see you today" in text]) == 0


def test_r_after_y_is_understood(phone: Phone) -> None:
    visit = phone.visit()
    remind()
    phone.answers("Y")
    assert phone.answers("R").handled
    assert state_of(visit) == "change_asked"


def test_words_beyond_the_answer_are_a_humans_too(phone: Phone) -> None:
    visit = phone.visit()
    remind()
    outcome = phone.answers("Y and can I bring my daughter's school letter with me")
    assert outcome.handled is False
    if outcome.reply_key:
        assert state_of(visit) == "confirmed"


def test_of_two_visits_only_a_code_says_which(phone: Phone) -> None:
    first, second = phone.visit(), phone.visit(VISIT + timedelta(hours=4))
    far = datetime.fromisoformat("2026-03-07T17:00:00+00:00")
    remind(far)
    remind(far + timedelta(hours=4))
    assert phone.answers("Y") == replies.A_HUMAN
    assert phone.answers("Y2").handled
    assert (state_of(first), state_of(second)) == ("booked", "confirmed")


def test_a_code_keeps_its_meaning_when_the_other_visit_is_answered(phone: Phone) -> None:
    first, second = phone.visit(), phone.visit(VISIT + timedelta(hours=4))
    far = datetime.fromisoformat("2026-03-07T17:00:00+00:00")
    remind(far)
    remind(far + timedelta(hours=4))
    assert phone.answers("Y1").handled
    assert phone.answers("Y1").handled
    assert (state_of(first), state_of(second)) == ("confirmed", "booked")
    assert phone.answers("R2").handled
    assert (state_of(first), state_of(second)) == ("confirmed", "change_asked")
    assert phone.answers("Y3") == replies.A_HUMAN


def test_here_is_an_arrival_at_todays_visit(phone: Phone) -> None:
    visit, other = phone.visit(), phone.visit(VISIT + timedelta(days=1))
    remind()
    outcome = phone.answers("I'm here", at=VISIT + timedelta(minutes=3))
    assert (outcome.handled, outcome.reply_key) == (True, "arrived")
    assert (state_of(visit), state_of(other)) == ("arrived", "booked")


def test_here_on_a_day_without_a_visit_is_for_a_human(phone: Phone) -> None:
    phone.visit()
    assert phone.answers("I'm here", at=NOW) == replies.A_HUMAN


def test_running_late_tells_the_front_desk(phone: Phone) -> None:
    visit = phone.visit()
    outcome = phone.answers("running late", at=VISIT - timedelta(minutes=20))
    assert (outcome.handled, outcome.reply_key) == (True, "late")
    assert phone.items() == ["Running late for the visit of Tue 10:00 AM"]
    assert state_of(visit) == "booked"


def test_a_wrong_person_gets_no_more_reminders(phone: Phone) -> None:
    phone.visit()
    remind(leave=False)
    outcome = phone.answers("wrong number")
    assert (outcome.handled, outcome.reply_key) == (True, "wrong_person")
    assert texts_to(phone.patient) == []  # what had not left was taken back
    with db.unit_of_work(db.EVERY) as session:
        assert session.scalars(select(PatientNumber.line)).all() == ["wrong_person"]
        conversation = conversations.of_number(session, phone.world.clinic, NUMBER)
        assert conversation.patient_id is None
    remind(VISIT - timedelta(hours=2))
    assert texts_to(phone.patient) == []
    assert len(phone.items()) == 2
    with db.unit_of_work(db.EVERY) as session, pytest.raises(outbox.MayNotText):
        outbox.text_patient(
            session,
            phone.world.clinic,
            session.get_one(Patient, phone.patient.id),
            kind="reminder",
            programme="reminders",
            body="Hello",
            dedupe="x",
        )


def test_cancel_stops_texts_and_asks_a_human_to_call(phone: Phone) -> None:
    visit = phone.visit()
    remind()
    outcome = phone.answers("CANCEL")
    assert (outcome.handled, outcome.reply_key) == (True, None)
    assert state_of(visit) == "change_asked"
    [summary] = phone.items()
    assert "please call" in summary


def test_stop_alone_changes_no_visit(phone: Phone) -> None:
    visit = phone.visit()
    remind()
    assert phone.answers("STOP") == replies.A_HUMAN
    assert state_of(visit) == "booked"
    assert phone.items() == []


def test_a_crisis_is_never_handled_here(phone: Phone) -> None:
    visit = phone.visit()
    remind()
    assert phone.answers("Y but I want to kill myself") == replies.A_HUMAN
    assert state_of(visit) == "booked"


def test_two_patients_on_one_number_are_told_apart_by_a_human(phone: Phone) -> None:
    visit = phone.visit()
    phone.world.patient(number=NUMBER, first_name="Lena")
    remind()
    assert phone.answers("Y") == replies.A_HUMAN
    assert state_of(visit) == "booked"


def test_a_patient_who_wants_generic_texts_is_answered_generically(world: World) -> None:
    phone = Phone(world, world.patient(number=NUMBER, privacy="generic"))
    phone.visit()
    remind()
    text = worded(phone.answers("Y"), phone)
    assert text
    assert "10:00" not in text


def test_an_answer_is_spanish_for_whoever_reads_spanish(world: World) -> None:
    phone = Phone(world, world.patient(number=NUMBER, language="es"))
    phone.visit()
    remind()
    assert worded(phone.answers("si"), phone) == (
        "Gracias, Rosa. Le esperamos: mañana, 10:00 am. ¡Nos vemos! - Larkspur Clinic"
    )


def test_an_answer_is_worded_as_the_clinic_has_published_it(phone: Phone) -> None:
    say(phone.world.clinic, "confirmed", "See you {day}, {first_name}!")
    phone.visit()
    remind()
    assert worded(phone.answers("Y"), phone) == "See you tomorrow, Rosa!"


def test_consent_is_left_to_the_ledger(phone: Phone) -> None:
    phone.visit()
    remind()
    phone.answers("CANCEL")
    with db.unit_of_work(db.EVERY) as session:
        assert ledger.state(session, phone.world.clinic, NUMBER)["reminders"] == "granted"
