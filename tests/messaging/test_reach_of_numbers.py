"""Numbers change hands, lines die, files repeat themselves: what may be texted after that, and what never again."""

import tomllib
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st

from config import clock, db
from messaging import conversations, number_owner, outbox
from messaging.consent import ledger as consent
from messaging.delivery import carrier_status, deliver
from messaging.models import PROGRAMMES, Message, Patient, PatientNumber
from messaging.people import directory

NUMBER, OTHER = "+13035550117", "+13035550118"
ERRORS = tomllib.loads((Path(__file__).parents[2] / "messaging" / "texts" / "carrier_errors.toml").read_text("utf-8"))
CODES = [(code, name) for name, codes in ERRORS.items() if name != "words" for code in codes]


def save(clinic, record="R1", number=NUMBER, **facts) -> Patient:
    fields = {"first_name": "Maya", "last_name": "Quill", "birth_date": None}
    with db.unit_of_work(clinic.id) as session:
        patient_record = directory.PatientRecord(record=record, number=number, **(fields | facts))
        return directory.save_patient(session, clinic, patient_record)[0]


def may_text(clinic, patient, programme="reminders") -> str:
    """ "yes", or why not."""
    with db.unit_of_work(clinic.id) as session:
        try:
            outbox.text_patient(
                session, clinic, session.get_one(Patient, patient.id), kind="reminder", programme=programme,
                body="See you.", dedupe=f"m{db.new_id()}",
            )  # fmt: skip
        except outbox.MayNotText as refused:
            return refused.reason
        return "yes"


def fail(clinic, patient, code: int) -> None:
    """A text to the patient fails for good with this code."""
    with db.unit_of_work(clinic.id) as session:
        message = outbox.text_patient(
            session, clinic, session.get_one(Patient, patient.id), kind="reminder", programme="reminders",
            body="See you.", dedupe=f"m{db.new_id()}",
        )  # fmt: skip
        carrier_status.final(session, message, "failed", code)


def lines(clinic, number=NUMBER) -> list[str]:
    with db.unit_of_work(clinic.id) as session:
        index = db.clinic_index(session, clinic.key_id, "number", number)
        return [row.line for row in session.query(PatientNumber).filter_by(number_index=index)]


@pytest.mark.parametrize(("code", "name"), CODES)
def test_every_code_of_the_carrier_teaches_what_it_says_and_nothing_else(clinic, code, name):
    patient = save(clinic)
    fail(clinic, patient, code)
    assert carrier_status.meaning(code) == name
    expected = {"landline": "landline", "dead": "dead number", "opt_out": "opted out"}.get(name, "yes")
    assert may_text(clinic, patient) == expected
    assert lines(clinic) == [name if name in ("landline", "dead") else "unknown"]


@pytest.mark.parametrize("code", [30005, 30006])
def test_a_dead_number_or_a_landline_given_again_is_not_texted_however_long_after(clinic, code):
    fail(clinic, save(clinic), code)
    with time_machine.travel(clock.now() + timedelta(days=31), tick=False):
        again = save(clinic)
        another = save(clinic, record="R2")
        assert may_text(clinic, again) != "yes"
        assert may_text(clinic, another) != "yes"


def test_somebody_who_was_spoken_with_on_a_dead_number_is_texted_there_again(clinic, new_staff):
    patient = save(clinic)
    fail(clinic, patient, 30005)
    other = save(clinic, record="R2")
    with db.unit_of_work(clinic.id) as session:
        row = session.get_one(Patient, other.id).numbers[0]
        directory.mark_number(session, clinic, row, "unknown", "staff:rosa")
    assert lines(clinic) == ["unknown", "unknown"]
    assert may_text(clinic, other) == "yes"


def test_a_number_that_was_somebody_else_s_is_usable_for_the_patient_who_gives_it_later(clinic, new_staff):
    first, rosa = save(clinic), new_staff()
    with db.unit_of_work(clinic.id) as session:
        row = session.get_one(Patient, first.id).numbers[0]
        number_owner.not_theirs(session, clinic, rosa, row, None)
    second = save(clinic, record="R2")
    assert may_text(clinic, first) == "wrong person"
    assert may_text(clinic, second) == "yes"
    with db.unit_of_work(clinic.id) as session:
        assert [patient.id for patient in directory.patients_with_number(session, clinic, NUMBER)] == [second.id]


def test_consent_is_vouched_for_each_patient_who_gives_the_number(clinic):
    first = save(clinic)
    second = save(clinic, record="R2")
    save(clinic, record="R2")
    with db.unit_of_work(clinic.id) as session:
        ledger = consent.ledger(session, clinic, NUMBER)
    whose = [line.patient_id for line in ledger]
    assert (whose.count(first.id), whose.count(second.id)) == (len(PROGRAMMES), len(PROGRAMMES))


def test_the_first_text_to_a_number_names_the_clinic_and_how_to_stop(clinic):
    from messaging.wording import text_templates

    patient = save(clinic)
    for language in text_templates.LANGUAGES:
        texts = text_templates.texts(language)
        assert all("{clinic}" in texts[key] for key in texts if key.startswith(("reminder", "form_link")))
    may_text(clinic, patient)
    with db.unit_of_work(clinic.id) as session:
        [message] = session.query(Message).all()
        assert (message.body or "").endswith("Reply STOP to end texts, HELP for help.")


def test_a_stranger_s_answer_does_not_open_the_details(clinic):
    patient = save(clinic, privacy="details")
    with db.unit_of_work(clinic.id) as session:
        mine = session.get_one(Patient, patient.id)
        assert directory.openness(session, mine) == "place"
        talk = conversations.of_number(session, clinic, OTHER)
        conversations.file_inbound(session, clinic, talk, body="hi", provider_sid="SM1", reading=[])
        assert directory.openness(session, mine) == "place"
        talk = conversations.of_number(session, clinic, NUMBER)
        conversations.file_inbound(session, clinic, talk, body="hi", provider_sid="SM2", reading=[])
        assert directory.openness(session, mine) == "details"
        directory.add_number(session, clinic, mine, OTHER)
        assert directory.openness(session, mine) == "place"  # a new number is nobody's until it answers


STEPS = st.lists(st.sampled_from(("stop", "file yes", "file no", "another's file", "file with a new name")), max_size=6)


@profile(max_examples=20, deadline=None)
@given(before=STEPS, after=STEPS)
def test_a_stop_outlives_every_file_and_nothing_leaves_after_it(clinic, before, after):
    number, own = f"+1{db.new_id().int % 10**10}", str(db.new_id())
    moment = clock.now()

    def step(what: str) -> None:
        nonlocal moment
        moment += timedelta(minutes=1)
        with time_machine.travel(moment, tick=False):
            if what == "stop":
                with db.unit_of_work(clinic.id) as session:
                    consent.record(session, clinic, number, "revoked", source="text", actor="conversation:x")
            else:
                facts = {"consent": what != "file no", "first_name": "Mayra" if "name" in what else "Maya"}
                save(clinic, f"{own}b" if "another" in what else own, number, **facts)

    step("file yes")
    patient = save(clinic, own, number)
    for what in before:
        step(what)
    waiting = [may_text(clinic, patient, programme) for programme in PROGRAMMES]
    for what in ("stop", *after):
        step(what)
    with db.unit_of_work(clinic.id) as session, time_machine.travel(moment, tick=False):
        assert set(consent.state(session, clinic, number).values()) == {"revoked"}
        talk = conversations.of_number(session, clinic, number)
        queued = session.query(Message).filter_by(conversation_id=talk.id, state="queued").all()
        assert len(queued) == waiting.count("yes")
        # The last look: what was queued while it was allowed does not leave any more, whatever its programme.
        assert deliver._intend(session, queued) == []
        assert {message.state for message in queued} <= {"held"}
    assert {may_text(clinic, patient, programme) for programme in PROGRAMMES} == {"opted out"}
