"""Notes and calls: kept, sealed, struck by their author, never sent and never closing anything."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from config import audit, clock, db
from messaging import conversations
from messaging.inbox import items, notes_and_calls
from messaging.inbox.models import Contact, InboxItem
from messaging.models import Clinic, Message, Patient, Staff

both = pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)


@both
def test_a_note_is_sealed_under_the_patients_key_and_sends_nothing(
    clinic: Clinic, new_staff: Callable[..., Staff], new_patient: Callable[..., Patient]
) -> None:
    patient, rosa = new_patient(), new_staff()
    with db.unit_of_work(clinic.id) as session:
        note = notes_and_calls.write_note(session, clinic, rosa, words=" call after three ", patient_id=patient.id)
        assert (note.key_id, note.words, note.kind) == (patient.key_id, "call after three", "note")
        assert b"three" not in (note.words_ct or b"")
        assert session.scalar(select(func.count()).select_from(Message)) == 0
        entry = session.scalars(select(audit.AuditEntry).where(audit.AuditEntry.act == "note.written")).one()
        assert "three" not in str(entry.detail)


def test_a_note_about_a_number_of_nobody_is_sealed_under_its_conversation(
    clinic: Clinic, new_staff: Callable[..., Staff]
) -> None:
    rosa = new_staff()
    with db.unit_of_work(clinic.id) as session:
        conversation = conversations.of_number(session, clinic, "+13035550190")
        note = notes_and_calls.write_note(session, clinic, rosa, words="who?", conversation_id=conversation.id)
        assert note.key_id == conversation.key_id


def test_a_note_without_words_and_a_call_without_an_end_are_refused(
    clinic: Clinic, new_staff: Callable[..., Staff]
) -> None:
    rosa = new_staff()
    with db.unit_of_work(clinic.id) as session:
        with pytest.raises(ValueError):
            notes_and_calls.write_note(session, clinic, rosa, words="  ")
        with pytest.raises(ValueError):
            notes_and_calls.log_call(session, clinic, rosa, patient_id=None, outcome="made up")


def test_one_form_posted_twice_is_one_note_but_changed_words_are_another(
    clinic: Clinic, new_staff: Callable[..., Staff], new_patient: Callable[..., Patient]
) -> None:
    patient, rosa, once = new_patient(), new_staff(), db.new_id()
    with db.unit_of_work(clinic.id) as session:
        for words in ("first", "first", "second"):
            notes_and_calls.write_note(session, clinic, rosa, words=words, patient_id=patient.id, once=once)
        notes_and_calls.log_call(session, clinic, rosa, patient_id=patient.id, outcome="reached", once=once)
        contacts = notes_and_calls.of_thread(session, clinic, patient_id=patient.id, conversation_id=None)
        assert sorted(contact.words or contact.outcome or "" for contact in contacts) == ["first", "reached", "second"]


@pytest.mark.parametrize("outcome", ["reached", "voicemail", "no_answer", "wrong_number", "out_of_service"])
@pytest.mark.parametrize("kind", ["safety", "screen", "reply", "delivery"])
def test_a_call_by_itself_moves_no_item_of_any_kind(
    clinic: Clinic,
    new_staff: Callable[..., Staff],
    new_patient: Callable[..., Patient],
    kind: str,
    outcome: str,
) -> None:
    patient, rosa = new_patient(), new_staff()
    with db.unit_of_work(clinic.id) as session:
        item = items.open_item(session, clinic, kind=kind, about="x:1", dedupe="d", summary="s", patient_id=patient.id)
        before = (item.state, item.acknowledged_at, item.disposition, item.answer_by, item.owner_id)
        call = notes_and_calls.log_call(
            session, clinic, rosa, patient_id=patient.id, item_id=item.id, outcome=outcome, minutes=4
        )
        session.flush()
        session.refresh(item)
        assert (item.state, item.acknowledged_at, item.disposition, item.answer_by, item.owner_id) == before
        assert notes_and_calls.last_call(session, item) == call
        assert items.history(session, item)[-1].event == "called"


def test_only_its_author_strikes_a_line_and_only_within_a_day(
    clinic: Clinic, new_staff: Callable[..., Staff], new_patient: Callable[..., Patient]
) -> None:
    patient, rosa, ben = new_patient(), new_staff(), new_staff("Ben Carter")
    with db.unit_of_work(clinic.id) as session:
        fresh = notes_and_calls.write_note(session, clinic, rosa, words="a slip", patient_id=patient.id)
        old = notes_and_calls.write_note(session, clinic, rosa, words="long ago", patient_id=patient.id)
        old.at = clock.now() - timedelta(hours=24, seconds=1)
        for contact, staff in ((fresh, ben), (old, rosa)):
            with pytest.raises(notes_and_calls.MayNotStrike):
                notes_and_calls.strike(session, contact, staff)
        notes_and_calls.strike(session, fresh, rosa)
        with pytest.raises(notes_and_calls.MayNotStrike):
            notes_and_calls.strike(session, fresh, rosa)
        assert (fresh.struck_by, fresh.words) == (rosa.id, "a slip")
        acts = session.scalars(select(audit.AuditEntry.act)).all()
        assert "note.struck" in acts


def test_a_struck_call_leads_to_nothing(
    clinic: Clinic, new_staff: Callable[..., Staff], new_patient: Callable[..., Patient]
) -> None:
    patient, rosa = new_patient(), new_staff()
    with db.unit_of_work(clinic.id) as session:
        item = items.open_item(
            session, clinic, kind="reply", about="x:1", dedupe="d", summary="s", patient_id=patient.id
        )
        call = notes_and_calls.log_call(
            session, clinic, rosa, patient_id=patient.id, item_id=item.id, outcome="reached"
        )
        notes_and_calls.strike(session, call, rosa)
        assert notes_and_calls.last_call(session, session.get_one(InboxItem, item.id)) is None


def test_what_was_written_about_one_of_several_who_share_a_phone_is_not_shown_beside_another(
    clinic: Clinic, new_staff: Callable[..., Staff], new_patient: Callable[..., Patient]
) -> None:
    first, second = new_patient(number="+13035550188"), new_patient("Min", number="+13035550188")
    rosa = new_staff()
    with db.unit_of_work(clinic.id) as session:
        shared = conversations.of_number(session, clinic, "+13035550188").id
        notes_and_calls.write_note(session, clinic, rosa, words="hers", patient_id=first.id, conversation_id=shared)
        notes_and_calls.write_note(session, clinic, rosa, words="the phone's", conversation_id=shared)

        def read(patient: Patient | None) -> list[str | None]:
            patient_id = patient.id if patient else None
            contacts = notes_and_calls.of_thread(session, clinic, patient_id=patient_id, conversation_id=shared)
            return [contact.words for contact in contacts]

        assert read(first) == ["the phone's", "hers"]
        assert read(second) == ["the phone's"]
        assert read(None) == ["the phone's"]


def test_another_clinics_line_is_never_taken_for_ours(
    clinic: Clinic, new_staff: Callable[..., Staff], new_patient: Callable[..., Patient]
) -> None:
    patient, rosa, ben = new_patient(), new_staff(), new_staff("Ben Carter")
    with db.unit_of_work(clinic.id) as session:
        first = notes_and_calls.write_note(session, clinic, rosa, words="same", patient_id=patient.id)
        again = notes_and_calls.write_note(session, clinic, ben, words="same", patient_id=patient.id, once=first.id)
        assert again.id != first.id
        assert session.scalar(select(func.count()).select_from(Contact)) == 2
