"""The only way out: whom we may not text, and that one reason sends one text."""

from datetime import timedelta

import pytest
from sqlalchemy import delete, func, select

from config import clock, db
from messaging import conversations, outbox
from messaging.consent import ledger
from messaging.models import ConsentEntry, Conversation, Message, Patient, PatientNumber
from messaging.wording import text_templates

both = pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)
NUMBER = "+13035550117"
STOP_WORDS = text_templates.texts("en")["welcome_suffix"]


def refused(desk, patient, **more) -> str:
    with pytest.raises(outbox.MayNotText) as refusal:
        desk.text(patient, **more)
    with db.unit_of_work(db.EVERY) as session:
        assert session.scalar(select(func.count()).select_from(Message)) == 0
    return refusal.value.reason


def say(clinic, event, **more) -> None:
    with db.unit_of_work(clinic.id) as session:
        ledger.record(session, clinic, NUMBER, event, source="text", actor="patient:x", **more)


def body(desk, message) -> str | None:
    with db.unit_of_work(db.EVERY) as session:
        return session.get_one(Message, message.id).body


@both
def test_a_text_waits_in_its_lane(desk, new_patient):
    patient = new_patient()
    message = desk.text(patient, lane="urgent")
    assert (message.state, message.lane, message.direction) == ("queued", "urgent", "out")
    assert message.patient_id == patient.id
    assert message.try_after <= clock.now()


def test_a_text_may_wait_for_its_time(desk, new_patient):
    moment = clock.now() + timedelta(hours=4)
    assert desk.text(new_patient(), not_before=moment).try_after == moment


def test_who_has_opted_out_is_not_texted(desk, new_patient, clinic):
    patient = new_patient(number=NUMBER)
    say(clinic, "revoked")
    assert refused(desk, patient) == "opted out"


def test_who_has_opted_out_of_one_programme_still_gets_the_others(desk, new_patient, clinic):
    patient = new_patient(number=NUMBER)
    say(clinic, "revoked", programmes=("screening",))
    assert refused(desk, patient, programme="screening") == "opted out of questionnaires"
    assert desk.text(patient).state == "queued"


def test_who_came_back_is_texted_again(desk, new_patient, clinic):
    patient = new_patient(number=NUMBER)
    say(clinic, "revoked")
    say(clinic, "granted")
    assert desk.text(patient).state == "queued"


def test_who_said_no_or_never_agreed_is_not_texted(desk, new_patient):
    patient = new_patient(consent=False)
    assert refused(desk, patient) == "opted out"
    with db.unit_of_work(db.EVERY) as session:
        session.execute(delete(ConsentEntry))
    assert refused(desk, patient) == "no consent"


@pytest.mark.parametrize(
    ("line", "reason"),
    [("landline", "landline"), ("dead", "dead number"), ("wrong_person", "wrong person")],
)
def test_a_number_of_no_use_is_not_texted(desk, new_patient, line, reason):
    patient = new_patient(number=NUMBER)
    desk.learn(NUMBER, line)
    assert refused(desk, patient) == reason


def test_who_has_no_number_is_not_texted(desk, new_patient):
    assert refused(desk, new_patient(number=None)) == "no number"


@pytest.mark.parametrize("state", ["inactive", "deceased"])
def test_who_is_no_longer_a_patient_is_not_texted(desk, new_patient, state):
    patient = new_patient()
    with db.unit_of_work(db.EVERY) as session:
        session.get_one(Patient, patient.id).state = state
    assert refused(desk, patient) == "inactive"


@both
def test_the_same_reason_sends_one_text(desk, new_patient):
    patient = new_patient()
    first = desk.text(patient, dedupe="visit:1")
    second = desk.text(patient, body="Other words.", dedupe="visit:1")
    assert first.id == second.id
    with db.unit_of_work(db.EVERY) as session:
        assert session.scalar(select(func.count()).select_from(Message)) == 1


def test_the_first_automatic_text_says_how_to_end_texts_and_the_second_does_not(desk, new_patient):
    patient = new_patient()
    first, second = desk.text(patient, body="One."), desk.text(patient, body="Two.")
    assert (body(desk, first), body(desk, second)) == (f"One. {STOP_WORDS}", "Two.")


def test_it_says_so_in_the_patient_s_language(desk, new_patient):
    message = desk.text(new_patient(language="es"), body="Uno.")
    assert body(desk, message) == f"Uno. {text_templates.texts('es')['welcome_suffix']}"


def test_it_does_not_say_so_twice(desk, new_patient):
    assert body(desk, desk.text(new_patient(), body=f"One. {STOP_WORDS}")) == f"One. {STOP_WORDS}"


def test_a_person_s_own_words_are_left_alone(desk, new_patient):
    message = desk.text(new_patient(), body="Hello, this is Alba.", kind="reply", programme="care_team")
    assert body(desk, message) == "Hello, this is Alba."


def test_after_a_person_s_words_the_first_automatic_text_still_says_so(desk, new_patient):
    patient = new_patient()
    desk.text(patient, kind="reply", programme="care_team")
    assert body(desk, desk.text(patient, body="One.")) == f"One. {STOP_WORDS}"


def test_a_text_that_never_left_has_not_said_so(desk, new_patient):
    patient = new_patient()
    first = desk.text(patient)
    with db.unit_of_work(db.EVERY) as session:
        assert outbox.cancel(session, [first.id]) == 1
    assert body(desk, desk.text(patient, body="Two.")) == f"Two. {STOP_WORDS}"


def test_only_what_has_not_left_can_be_taken_back(desk, new_patient):
    first, second = desk.text(new_patient()), desk.text(new_patient())
    with db.unit_of_work(db.EVERY) as session:
        session.get_one(Message, second.id).state = "sending"
    with db.unit_of_work(db.EVERY) as session:
        assert outbox.cancel(session, [first.id, second.id]) == 1
        assert outbox.cancel(session, []) == 0
    assert desk.state(first, second) == ["cancelled", "sending"]


def answer(clinic, kind="automatic", author=None, programme="care_team", number=NUMBER) -> Message:
    with db.unit_of_work(clinic.id) as session:
        conversation = conversations.of_number(session, clinic, number)
        return outbox.text_conversation(
            session,
            clinic,
            conversation,
            kind=kind,
            programme=programme,
            body="Thank you.",
            dedupe=f"answer:{db.new_id()}",
            author_id=author.id if author else None,
        )


def test_a_number_of_nobody_may_be_answered(clinic):
    message = answer(clinic)
    assert (message.patient_id, message.lane) == (None, "urgent")


def test_a_colleague_may_answer_a_number_of_nobody(clinic, new_staff):
    assert answer(clinic, kind="reply", author=new_staff()).state == "queued"


def test_a_number_of_nobody_is_not_written_to_unasked(clinic):
    with pytest.raises(outbox.MayNotText, match="no consent"):
        answer(clinic, kind="reminder")


def test_a_number_that_stopped_is_not_answered_either(clinic):
    say(clinic, "revoked")
    with pytest.raises(outbox.MayNotText, match="opted out"):
        answer(clinic)


@pytest.mark.parametrize(("line", "reason"), [("landline", "landline"), ("dead", "dead number")])
def test_a_conversation_with_a_number_of_no_use_is_closed(clinic, new_patient, desk, line, reason):
    new_patient(number=NUMBER)
    desk.learn(NUMBER, line)
    with pytest.raises(outbox.MayNotText, match=reason):
        answer(clinic)


def test_a_conversation_with_an_inactive_patient_is_closed(clinic, new_patient):
    patient = new_patient(number=NUMBER)
    with db.unit_of_work(db.EVERY) as session:
        session.get_one(Patient, patient.id).state = "inactive"
    with pytest.raises(outbox.MayNotText, match="inactive"):
        answer(clinic)


def test_a_wrong_person_may_be_answered_but_not_reminded(clinic, new_patient, desk):
    new_patient(number=NUMBER)
    desk.learn(NUMBER, "wrong_person")
    assert answer(clinic).state == "queued"
    with pytest.raises(outbox.MayNotText, match="wrong person"):
        answer(clinic, kind="reminder", programme="reminders")


def test_a_shared_number_told_apart_is_open_for_whom_it_fits(clinic, new_patient):
    maya, milo = new_patient(number=NUMBER), new_patient("Milo", number=NUMBER)
    with db.unit_of_work(clinic.id) as session:
        row = session.scalars(select(PatientNumber).where(PatientNumber.patient_id == milo.id)).one()
        row.line = "wrong_person"
        conversations.attribute(session, clinic, NUMBER)
    assert answer(clinic, kind="reminder", programme="reminders").patient_id == maya.id


def test_a_conversation_says_why_it_is_closed(clinic):
    with db.unit_of_work(clinic.id) as session:
        conversation = conversations.of_number(session, clinic, NUMBER)
        assert outbox.closed(session, conversation) is None
        assert outbox.closed(session, conversation, answering=False) == "no consent"


def test_a_text_moves_its_conversation_up(clinic, desk, new_patient):
    before = clock.now()
    desk.text(new_patient(number=NUMBER))
    with db.unit_of_work(clinic.id) as session:
        assert session.scalars(select(Conversation)).one().last_at >= before


def test_a_colleague_is_texted_once_for_one_reason(desk, new_staff):
    staff = new_staff()
    first = desk.alert(staff, "alert:1")
    assert first is not None
    assert (first.lane, first.staff_id, first.conversation_id) == ("urgent", staff.id, None)
    assert desk.alert(staff, "alert:1").id == first.id


def test_a_colleague_without_a_number_or_who_has_left_is_not_texted(desk, new_staff):
    assert desk.alert(new_staff(number=None), "alert:1") is None
    left = new_staff()
    left.active = False
    assert desk.alert(left, "alert:2") is None
