"""What came of it is one act: for all that was shown, with its note and the next contact, and taken back as one."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from config import clock, db
from messaging.inbox import items, outcomes, undoing
from messaging.inbox.models import Contact, InboxItem
from messaging.inbox.outcomes import Outcome

both = pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture
def pair(clinic, new_patient):
    """A crisis text and a positive screen of one patient."""
    patient = new_patient()
    with db.unit_of_work(clinic.id) as session:
        facts = {"about": "x:1", "summary": "x", "patient_id": patient.id}
        return [items.open_item(session, clinic, kind=kind, dedupe=kind, **facts) for kind in ("safety", "screen")]


def record(clinic, staff, pair, outcome):
    with db.unit_of_work(clinic.id) as session:
        reasons = [session.get_one(InboxItem, item.id) for item in pair]
        return outcomes.record(session, clinic, staff, reasons, outcome)


def notes(clinic):
    with db.unit_of_work(clinic.id) as session:
        kept = session.scalars(select(Contact)).all()
        db.load_keys(session, (contact.key_id for contact in kept))
        return [(contact.kind, contact.words, contact.next_try_at, contact.struck_at is None) for contact in kept]


@both
def test_one_act_acknowledges_what_belongs_together_and_undo_takes_it_all_back(clinic, desk, new_staff, pair):
    alba, tomorrow = new_staff(), clock.now() + timedelta(days=1)
    said = Outcome("assessed_plan", "Her sister stays tonight.", tomorrow)
    line = record(clinic, alba, pair, said)
    assert [desk.item(item.id).disposition for item in pair] == ["assessed_plan"] * 2
    assert all(desk.item(item.id).acknowledged_by == alba.id for item in pair)
    assert notes(clinic) == [("note", "Her sister stays tonight.", None, True)]
    with db.unit_of_work(clinic.id) as session:
        undone = undoing.undo(session, clinic.id, alba, line.id)
    assert (set(undone.item_ids), undone.left, undone.together) == ({item.id for item in pair}, 0, True)
    assert [desk.item(item.id).acknowledged_at for item in pair] == [None, None]
    assert notes(clinic) == [("note", "Her sister stays tonight.", None, False)]
    assert {"route", "escalate"} == {timer.kind for timer in desk.timers(pair[0].id)}


@both
def test_an_assessment_without_a_note_and_a_try_without_an_hour_change_nothing(clinic, desk, new_staff, pair):
    alba = new_staff()
    far = clock.now() + timedelta(hours=9)
    for outcome, why in (
        (Outcome("assessed_low"), "note_owed"),
        (Outcome("could_not_reach", "No answer twice."), "next_try"),
        (Outcome("could_not_reach", "No answer twice.", far), "next_try"),
    ):
        with pytest.raises(items.Refused) as refused:
            record(clinic, alba, pair, outcome)
        assert refused.value.why == why
    with pytest.raises(ValueError, match="choose"):
        record(clinic, alba, pair, Outcome("handled"))
    assert [desk.item(item.id).disposition for item in pair] == [None, None]
    assert notes(clinic) == []


def test_the_next_try_is_kept_without_a_word_too(clinic, new_staff, pair):
    later = clock.now() + timedelta(minutes=20)
    record(clinic, new_staff(), pair, Outcome("could_not_reach", next_at=later))
    assert notes(clinic) == [("note", None, later, True)]


@pytest.mark.parametrize("off", [timedelta(minutes=-1), timedelta(days=401)])
def test_a_next_contact_that_cannot_be_is_refused_with_nothing_done(clinic, desk, new_staff, pair, off):
    with pytest.raises(items.Refused, match="next_unread"):
        record(clinic, new_staff(), pair, Outcome("reached_by_phone", next_at=clock.now() + off))
    assert desk.item(pair[0].id).acknowledged_at is None
