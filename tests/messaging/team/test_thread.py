"""A patient's thread among colleagues: sealed, asked and answered, corrected and never changed, never sent."""

from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import func, select

from config import audit, clock, db
from messaging.inbox import items, notes_and_calls
from messaging.inbox.models import Contact, InboxItem
from messaging.retention import what_ages
from messaging.team import files, mentions, readers, thread
from messaging.team.models import TeamFile

both = pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)
PICTURE = files.Upload("rash.exe", b"\x89PNG\r\n\x1a\n" + b"x" * 2000)


@both
def test_a_note_is_sealed_written_down_and_leads_to_no_phone(team):
    team.note("Hard of hearing", people=[team.ben], pinned=True, uploads=[PICTURE])
    team.drain()
    team.drain(timedelta(days=3))
    assert team.texts() == 0
    with db.unit_of_work(team.clinic.id) as session:
        [note] = thread.pinned(session, team.patient.id)
        assert (note.words, note.key_id, note.pinned_by) == ("Hard of hearing", team.patient.key_id, team.rosa.id)
        assert b"hearing" not in (note.words_ct or b"")
        acts = set(session.scalars(select(audit.AuditEntry.act)))
        assert {"note.written", "note.pinned", "mention.made", "team_file.kept"} <= acts
        details = " ".join(str(entry.detail) for entry in session.scalars(select(audit.AuditEntry)))
        assert "hearing" not in details
        assert "rash" not in details


@both
def test_who_is_mentioned_has_an_item_with_a_clock_and_its_author_sees_when_it_was_read(team):
    team.note(people=[team.ben, team.ben, team.rosa])
    [item], [mention] = team.asked(), team.mentions()
    assert (item.owner_id, item.kind, item.patient_id, mention.read_at) == (
        team.ben.id,
        "mention",
        team.patient.id,
        None,
    )
    assert item.answer_by > clock.now()
    team.do(mentions.read, team.rosa, team.patient.id)
    assert team.mentions()[0].read_at is None
    team.do(mentions.read, team.ben, team.patient.id)
    assert (team.mentions()[0].read_by, team.item(item.id).state) == (team.ben.id, "open")


def test_whoever_covers_has_it_and_reads_it_in_their_name(team, new_staff):
    cleo = new_staff("Cleo Ruiz")
    team.away(team.ben, cleo)
    team.note(people=[team.ben])
    [item] = team.asked()
    assert (item.owner_id, item.reason) == (cleo.id, ["covering:Ben Okafor"])
    team.do(mentions.read, cleo, team.patient.id)
    assert team.mentions()[0].read_by == cleo.id


def test_an_answer_closes_what_asked_and_stands_under_the_note(team):
    note = team.note(people=[team.ben])
    answer = team.note("I will", author=team.ben, answers=note)
    team.note("Thank you", answers=answer)
    [item] = team.asked()
    assert (item.state, item.disposition, item.done_by) == ("done", "mention_answered", team.ben.id)
    with db.unit_of_work(team.clinic.id) as session:
        [(shown, answers)] = thread.page(session, team.patient).notes
        assert [each.words for each in (shown, *answers)] == ["Call her daughter", "I will", "Thank you"]


@both
def test_a_reply_answers_whoever_was_asked_in_an_answer_too(team):
    head = team.note("She asks about side effects", author=team.ben)
    team.note("Could you look?", answers=head, people=[team.ben])
    team.note("I have", author=team.ben, answers=head)
    [item] = team.asked()
    assert (item.state, item.disposition, item.done_by) == ("done", "mention_answered", team.ben.id)


@both
def test_somebody_who_may_not_see_the_patient_is_refused_with_who_could_and_nothing_is_kept(team, new_staff):
    desk = new_staff("Dana Price", role="front_desk")
    gone = new_staff("Old Hand")
    with db.unit_of_work(team.clinic.id) as session:
        session.merge(gone).active = False
    with pytest.raises(readers.MayNotSee) as refused:
        team.note(people=[team.ben, desk], uploads=[PICTURE])
    assert (refused.value.name, refused.value.could) == (desk.name, [team.ben.name])
    with db.unit_of_work(team.clinic.id) as session:
        assert session.scalar(select(func.count()).select_from(Contact)) == 0
        assert session.scalar(select(func.count()).select_from(InboxItem)) == 0


@both
def test_a_correction_leaves_the_note_readable_asks_anew_and_takes_pin_and_files_along(team):
    note = team.note("Alergic to penicilin", people=[team.ben], pinned=True, uploads=[PICTURE])
    with time_machine.travel(clock.now() + timedelta(days=40), tick=False):
        fresh = team.do(thread.correct, team.clinic, team.rosa, note, thread.Draft("Allergic to penicillin"))
    old, new = team.contact(note.id), team.contact(fresh.id)
    assert (old.words, old.struck_by, old.pinned_at) == ("Alergic to penicilin", team.rosa.id, None)
    assert (new.words, new.corrects_id, new.pinned_by) == ("Allergic to penicillin", note.id, team.rosa.id)
    before, after = team.asked()
    assert (before.state, before.disposition) == ("done", "withdrawn")
    assert (after.state, after.owner_id, after.about) == ("open", team.ben.id, f"contact:{fresh.id}")
    with db.unit_of_work(team.clinic.id) as session:
        [kept] = files.of_contacts(session, [fresh.id])[fresh.id]
        assert (kept.type, kept.content) == ("image/png", PICTURE.content)
    with pytest.raises(notes_and_calls.MayNotStrike):
        team.do(thread.correct, team.clinic, team.rosa, note, thread.Draft("again"))
    with pytest.raises(notes_and_calls.MayNotStrike):
        team.do(thread.correct, team.clinic, team.ben, fresh, thread.Draft("not his"))


def test_a_retracted_note_asks_nobody_any_more(team):
    note = team.note(people=[team.ben], pinned=True)
    team.do(thread.retract, note, team.rosa)
    [item] = team.asked()
    assert (item.state, item.disposition, item.done_by) == ("done", "withdrawn", team.rosa.id)
    assert team.contact(note.id).words == "Call her daughter"
    with db.unit_of_work(team.clinic.id) as session:
        assert thread.pinned(session, team.patient.id) == []
    with pytest.raises(thread.Refused):
        team.do(thread.pin, note, team.rosa)


def test_one_form_sent_twice_is_one_note_with_one_item_and_one_file(team):
    once = db.new_id()
    for _ in range(2):
        team.note(people=[team.ben], uploads=[PICTURE], once=once)
    assert len(team.asked()) == 1
    with db.unit_of_work(team.clinic.id) as session:
        assert session.scalar(select(func.count()).select_from(TeamFile)) == 1


@pytest.mark.parametrize(
    ("uploads", "why"),
    [
        ([files.Upload("scan.pdf", b"%PDF-" + b"x" * (20 * 1024 * 1024))], "file_large"),
        ([files.Upload("empty.txt", b"")], "file_empty"),
        ([PICTURE] * 6, "file_many"),
    ],
)
def test_a_file_that_cannot_be_kept_is_refused_with_nothing_kept(team, uploads, why):
    with pytest.raises(files.Refused) as refused:
        team.note(people=[team.ben], uploads=uploads)
    assert refused.value.why == why
    assert team.asked() == []


def test_no_more_than_eight_facts_are_pinned(team):
    for number in range(8):
        team.note(f"fact {number}", pinned=True)
    with pytest.raises(thread.Refused) as refused:
        team.note("a ninth", pinned=True)
    assert refused.value.why == "pin_many"


@both
def test_one_of_eight_pinned_facts_is_corrected_and_stays_pinned(team):
    notes = [team.note(f"fact {number}", pinned=True) for number in range(8)]
    team.do(thread.correct, team.clinic, team.rosa, notes[3], thread.Draft("a better fact"))
    with db.unit_of_work(team.clinic.id) as session:
        words = [note.words for note in thread.pinned(session, team.patient.id)]
    assert len(words) == 8
    assert "a better fact" in words


@both
def test_a_correction_sent_twice_corrects_once(team):
    note, once = team.note(people=[team.ben]), db.new_id()
    draft = thread.Draft("Call her son", once=once)
    first, second = (team.do(thread.correct, team.clinic, team.rosa, note, draft) for _ in range(2))
    assert first.id == second.id == once
    assert [item.state for item in team.asked()] == ["done", "open"]


def test_the_notes_written_beside_cases_before_are_its_beginning(team):
    with db.unit_of_work(team.clinic.id) as session:
        clinic, rosa = session.merge(team.clinic), session.merge(team.rosa)
        about = {"kind": "reply", "about": "x:1", "dedupe": "d", "summary": "s", "patient_id": team.patient.id}
        item = items.open_item(session, clinic, **about)
        for words, item_id in (("beside a case", item.id), ("on the page", None)):
            notes_and_calls.write_note(session, clinic, rosa, words=words, patient_id=team.patient.id, item_id=item_id)
        notes_and_calls.log_call(session, clinic, rosa, patient_id=team.patient.id, outcome="no_answer")
        page = thread.page(session, session.merge(team.patient))
        assert sorted(note.words or "" for note in page.every()) == ["beside a case", "on the page"]


@both
def test_old_notes_are_emptied_with_their_files_but_a_pinned_fact_holds(team):
    long_ago = clock.now() - timedelta(days=8 * 366)
    with time_machine.travel(long_ago, tick=False):
        note, pinned = team.note("old words", uploads=[PICTURE]), team.note("deaf", pinned=True)
        waited = team.note("to be read", people=[team.ben])
    terms = what_ages.Terms(clock.now() - timedelta(days=7 * 366), clock.now().date(), 7)
    start = db.new_id().__class__(int=0)
    assert team.do(what_ages.notes, team.clinic, terms, start).emptied == 0  # something still waits to be read
    item = next(each for each in team.asked())
    team.do(items.resolve, item, team.ben, "mention_read")
    assert team.do(what_ages.notes, team.clinic, terms, start).emptied == 2
    assert [team.contact(each.id).words for each in (note, pinned, waited)] == ["", "deaf", ""]
    with db.unit_of_work(team.clinic.id) as session:
        assert session.scalar(select(func.count()).select_from(TeamFile)) == 0


def test_names_behind_an_at_are_read_as_whole_names_or_as_the_only_first_name(team, new_staff):
    ben, ann, anna = new_staff("Ben Carter"), new_staff("Ann Lee"), new_staff("Ann Leeds")
    here = [team.rosa, team.ben, ben, ann, anna]
    named = readers.named("@rosa delgado, please. @Ann Leeds too; @Ben? write to x@rosa.example, @Nobody", here)
    assert [each.id for each in named.people] == [team.rosa.id, anna.id]
    assert named.unknown == ["Ben", "Nobody"]
