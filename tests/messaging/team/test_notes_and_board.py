"""Notes between two colleagues and the clinic's board: read by whom, until when."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import time_machine

from config import clock, db
from messaging.inbox import items, reopening, role_inboxes, snoozing
from messaging.team import board, colleague_notes

both = pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)
HOUR = timedelta(hours=1)


@both
def test_a_note_waits_for_its_reader_is_read_and_answered(team):
    note = team.do(colleague_notes.send, team.clinic, team.rosa, team.ben, "Can you take Friday?")
    item = team.item(note.item_id)
    assert (item.kind, item.owner_id, item.patient_id) == ("note", team.ben.id, None)
    team.do(colleague_notes.read, note, item, team.rosa)
    assert team.do(colleague_notes.find, team.rosa, note.id)[0].read_at is None
    team.do(colleague_notes.send, team.clinic, team.ben, team.rosa, "Yes", answers=note)
    found, done = team.do(colleague_notes.find, team.rosa, note.id)
    assert (found.read_by, done.state, done.disposition) == (team.ben.id, "done", "mention_answered")
    assert b"Friday" not in found.words_ct
    assert team.texts() == 0


def test_nobody_else_reads_it_but_who_covers(team, new_staff):
    cleo = new_staff("Cleo Ruiz")
    note = team.do(colleague_notes.send, team.clinic, team.rosa, team.ben, "Between us")
    assert team.do(colleague_notes.find, cleo, note.id) is None
    team.away(team.ben, cleo)
    team.drain()
    assert team.do(colleague_notes.find, cleo, note.id) is not None


ACTS = {
    "take": lambda session, item, ben, cleo: items.claim(session, item, cleo),
    "take as shown": lambda session, item, ben, cleo: items.claim_as_shown(session, item, cleo, ben.id),
    "reassign": lambda session, item, ben, cleo: items.hand_over(session, item, cleo, cleo),
    "pass on": lambda session, item, ben, cleo: items.hand_over(session, item, ben, cleo),
    "close": lambda session, item, ben, cleo: items.resolve(session, item, cleo),
    "acknowledge": lambda session, item, ben, cleo: items.acknowledge(session, item, cleo, "mention_read"),
    "snooze": lambda session, item, ben, cleo: snoozing.snooze(session, item, cleo, clock.now() + HOUR),
}


@both
@pytest.mark.parametrize("act", ACTS)
def test_a_note_between_two_is_taken_moved_and_closed_by_nobody_else(team, new_staff, act):
    cleo = new_staff("Cleo Ruiz")
    note = team.do(colleague_notes.send, team.clinic, team.rosa, team.ben, "Between us")
    with pytest.raises(items.Refused) as refused:
        team.do(ACTS[act], team.item(note.item_id), team.ben, cleo)
    assert refused.value.why == "note_private"
    assert team.do(colleague_notes.find, cleo, note.id) is None
    team.do(items.resolve, team.item(note.item_id), team.ben)
    with pytest.raises(items.Refused):
        team.do(reopening.reopen, team.item(note.item_id), cleo)


def test_a_note_is_no_role_s_and_whom_it_is_for_answers_it_though_somebody_covers(team, new_staff):
    cleo = new_staff("Cleo Ruiz")
    note = team.do(colleague_notes.send, team.clinic, team.rosa, team.ben, "Between us")
    with pytest.raises(items.Refused):
        team.do(role_inboxes.hand_over, team.clinic, team.item(note.item_id), team.ben, "care_manager")
    team.away(team.ben, cleo)
    team.drain()
    assert team.item(note.item_id).owner_id == cleo.id
    team.do(colleague_notes.send, team.clinic, team.ben, team.rosa, "From the train: yes", answers=note)
    assert (team.item(note.item_id).state, team.item(note.item_id).done_by) == ("done", team.ben.id)


@pytest.mark.parametrize(("role", "words", "why"), [("auditor", "x", "note_to"), (None, " ", "note_empty")])
def test_a_note_to_nobody_or_without_words_is_refused(team, new_staff, role, words, why):
    to = new_staff("Odd One", role=role) if role else team.ben
    with pytest.raises(colleague_notes.Refused) as refused:
        team.do(colleague_notes.send, team.clinic, team.rosa, to, words)
    assert refused.value.why == why
    with pytest.raises(colleague_notes.Refused):
        team.do(colleague_notes.send, team.clinic, team.rosa, team.rosa, "to myself")


@both
def test_an_announcement_stands_until_it_is_read_or_its_hour_is_over(team):
    row = team.do(board.announce, team.clinic, team.rosa, "The afternoon clinic is cancelled", clock.now() + 4 * HOUR)
    unread = lambda staff: [each.id for each in team.do(board.unread, staff)]  # noqa: E731
    assert (unread(team.ben), unread(team.rosa)) == ([row.id], [])
    for _ in range(2):
        team.do(board.read, row, team.ben)
    assert unread(team.ben) == []
    assert team.do(board.readers, [row.id])[row.id] == [team.rosa.id, team.ben.id]
    with time_machine.travel(clock.now() + 5 * HOUR, tick=False):
        assert team.do(board.standing, team.clinic.id) == []
        assert [each.words for each in team.do(board.ended, team.clinic.id)] == ["The afternoon clinic is cancelled"]


def test_two_windows_that_read_it_at_once_have_read_it_once(team):
    row = team.do(board.announce, team.clinic, team.rosa, "Fire drill at noon", clock.now() + HOUR)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: team.do(board.read, row, team.ben), range(2)))
    assert team.do(board.readers, [row.id])[row.id].count(team.ben.id) == 1


def test_taken_down_it_ends_at_once_and_says_by_whom(team):
    row = team.do(board.announce, team.clinic, team.rosa, "Fire drill", clock.now() + HOUR)
    team.do(board.take_down, row, team.ben)
    assert team.do(board.standing, team.clinic.id) == []
    assert team.do(board.find, team.clinic.id, row.id).ended_by == team.ben.id


@pytest.mark.parametrize(
    ("words", "ends", "field"),
    [("", HOUR, "words"), ("x" * 301, HOUR, "words"), ("x", None, "ends"), ("x", -HOUR, "ends")],
)
def test_what_cannot_stand_on_the_board_is_refused(team, words, ends, field):
    with pytest.raises(board.Refused) as refused:
        team.do(board.announce, team.clinic, team.rosa, words, clock.now() + ends if ends else None)
    assert refused.value.field == field


def test_another_clinics_board_is_not_found(team):
    row = team.do(board.announce, team.clinic, team.rosa, "Fire drill", clock.now() + HOUR)
    assert team.do(board.find, db.new_id(), row.id) is None
