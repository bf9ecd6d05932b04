"""Submissions: every answer kept, every alert told in the same transaction, nothing lost and nothing doubled."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from config import audit, db
from intake_links import finding, links, progress, scoring, submissions
from intake_links.models import IntakeLink, Screen
from messaging.inbox import items
from messaging.inbox.models import InboxItem, Timer
from messaging.models import Staff


@pytest.fixture
def screen(ward, session):
    clinic, patient = ward.both(session)
    link, _ = links.issue(session, clinic, patient, ["phq9"])
    return submissions.begin(session, clinic, link, 0)


@pytest.fixture
def answer(ward, session, screen):
    clinic, _ = ward.both(session)
    return lambda index, value: submissions.accept_answer(session, clinic, screen, index, value)


def inbox(session):
    return session.scalars(select(InboxItem).order_by(InboxItem.id)).all()


def kinds(session):
    return [item.kind for item in inbox(session)]


def test_answers_and_scores_are_sealed_where_they_lie(ward, session, screen, answer):
    answer(0, 3)
    session.flush()
    assert finding.answers_of(screen)[0] == 3
    assert b"null" not in screen.answers_ct
    assert screen.result_ct is None
    assert "answers" not in screen.detail
    assert "3" not in json.dumps(screen.detail.get("given"))


@pytest.mark.parametrize("bad", [True, False, 1.0, "1", 4, -1, 10**30])
def test_an_answer_the_instrument_does_not_have_changes_nothing(session, screen, answer, bad):
    answer(0, 2)
    with pytest.raises(scoring.BadAnswer):
        answer(8, bad)
    assert finding.answers_of(screen) == (2, *[None] * 8)
    assert kinds(session) == []


@pytest.mark.parametrize("index", [-1, 9, True, 0.0, "0"])
def test_a_question_the_instrument_does_not_have_changes_nothing(screen, answer, index):
    with pytest.raises(scoring.BadAnswer):
        answer(index, 1)
    assert finding.answers_of(screen) == (None,) * 9


@pytest.mark.parametrize("value", [1, 2, 3])
def test_item_nine_alone_on_an_unfinished_form_makes_a_safety_item_with_its_timers(
    ward, session, screen, answer, value
):
    answer(8, value)
    (item,) = inbox(session)
    assert (item.kind, item.about, item.dedupe) == (
        "safety",
        f"screen:{screen.id}",
        f"screen:{screen.id}:safety",
    )
    assert item.patient_id == ward.patient_id
    assert "form not finished" in item.summary
    assert screen.owed == "safety"
    assert screen.state == "started"
    assert set(session.scalars(select(Timer.kind))) == {"route", "escalate"}


def test_a_rolled_back_answer_leaves_no_item_and_a_committed_one_leaves_both(ward):
    link_id, _ = ward.issue()

    def save():
        with db.unit_of_work(db.EVERY) as session:
            clinic, _ = ward.both(session)
            screen = submissions.begin(session, clinic, session.get(IntakeLink, link_id), 0)
            submissions.accept_answer(session, clinic, screen, 8, 2)
            yield
        yield

    walk = save()
    next(walk)
    with pytest.raises(KeyboardInterrupt):
        walk.throw(KeyboardInterrupt)
    count = select(func.count(Screen.id)), select(func.count(InboxItem.id))
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        assert [session.scalar(statement) for statement in count] == [0, 0]
    assert list(save()) == [None, None]
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        assert [session.scalar(statement) for statement in count] == [1, 1]


def test_no_other_item_alerts_and_a_zero_does_not(session, answer):
    for index in range(8):
        answer(index, 3)
    answer(8, 0)
    assert kinds(session) == []


def test_an_alert_stays_when_its_answer_is_taken_back_and_says_so(ward, session, screen, answer):
    answer(8, 3)
    answer(8, 0)
    (item,) = inbox(session)
    assert item.summary.startswith("Answered item 9 on the PHQ-9: nearly every day; later changed to: not at all")
    assert screen.owed == "safety"
    submissions.submit(session, ward.both(session)[0], screen)
    assert "not finished" not in item.summary
    assert "nearly every day" in item.summary
    assert len(inbox(session)) == 1


def test_a_graver_answer_rewrites_an_item_nobody_has_taken_and_opens_another_after_it_was(ward, session, answer):
    answer(8, 1)
    answer(8, 2)
    (item,) = inbox(session)
    assert "more than half the days" in item.summary
    items.acknowledge(session, item, session.get(Staff, ward.staff_id), "reached_by_phone")
    answer(8, 3)
    assert kinds(session) == ["safety", "safety"]
    assert "nearly every day" in inbox(session)[1].summary
    answer(0, 1)
    assert len(inbox(session)) == 2


def test_submitting_scores_and_seals_the_result(ward, session, screen, answer):
    for index in range(9):
        answer(index, 1 if index < 8 else 0)
    submissions.submit(session, ward.both(session)[0], screen)
    result = json.loads(screen.result)
    assert (result["total"], result["band"], result["positive"], result["missing"]) == (8, "mild", False, 0)
    assert screen.state == "submitted"
    assert screen.scored_at
    assert screen.owed is None
    assert kinds(session) == []


def test_a_positive_screen_makes_one_item_however_often_it_is_submitted(ward, session, screen, answer):
    clinic, _ = ward.both(session)
    for index in range(8):
        answer(index, 2)
    answer(8, 0)
    for _ in range(3):
        submissions.submit(session, clinic, screen)
    (item,) = inbox(session)
    assert (item.kind, screen.owed) == ("screen", "screen")
    assert item.summary == "Positive screen on the PHQ-9. Total 16, moderately severe"


def test_a_positive_screen_with_a_safety_item_makes_no_second_item(ward, session, screen, answer):
    for index in range(9):
        answer(index, 3)
    submissions.submit(session, ward.both(session)[0], screen)
    (item,) = inbox(session)
    assert item.kind == "safety"
    assert item.summary == "Answered item 9 on the PHQ-9: nearly every day. Total 27, severe"


def test_a_cut_once_reached_counts_with_answers_missing(ward, session, screen, answer):
    for index in range(4):
        answer(index, 3)
    submissions.submit(session, ward.both(session)[0], screen)
    (item,) = inbox(session)
    assert item.summary == "Positive screen on the PHQ-9. No total: 5 of 9 questions not answered"
    assert json.loads(screen.result)["total"] is None


def test_an_answer_that_makes_others_meaningless_takes_them_along_and_asks_them_again_later(ward, session):
    clinic, patient = ward.both(session)
    link, _ = links.issue(session, clinic, patient, ["audit_c"])
    screen = submissions.begin(session, clinic, link, 0)
    for index, value in [(0, 2), (1, 3), (2, 1)]:
        submissions.accept_answer(session, clinic, screen, index, value)
    submissions.accept_answer(session, clinic, screen, 0, 0)
    assert finding.answers_of(screen) == (0, None, None)
    assert progress.place(session, link).question is None
    submissions.accept_answer(session, clinic, screen, 0, 1)
    assert progress.place(session, link).question == 1


def test_an_answer_after_submitting_is_kept_beside_and_the_same_one_is_not(ward, session, screen, answer):
    answer(0, 1)
    submissions.submit(session, ward.both(session)[0], screen)
    answer(0, 1)
    assert kinds(session) == []
    answer(8, 2)
    assert finding.answers_of(screen) == (1, *[None] * 8)
    assert sorted(kinds(session)) == ["reply", "safety"]


def test_the_version_of_an_instrument_fits_its_column_and_tells_instruments_apart():
    versions = {submissions.version(name) for name in scoring.instruments()}
    assert len(versions) == len(scoring.instruments())
    assert all(len(version) == 12 for version in versions)


def test_every_act_on_a_screen_is_in_the_audit_log_without_its_answers(ward, session, screen, answer):
    answer(8, 3)
    submissions.submit(session, ward.both(session)[0], screen)
    session.flush()
    entries = select(audit.AuditEntry).where(audit.AuditEntry.about == f"screen:{screen.id}")
    acts = session.scalars(entries.order_by(audit.AuditEntry.id)).all()
    assert sorted(entry.act for entry in acts) == ["screen.alerted", "screen.started", "screen.submitted"]
    assert {"self_harm", "phq9"} >= {value for entry in acts for value in entry.detail.values()}


@settings(max_examples=25, deadline=None)
@given(steps=st.lists(st.tuples(st.integers(0, 8), st.none() | st.integers(0, 3)), max_size=12))
def test_whatever_is_answered_in_whatever_order_the_last_answers_stand_and_item_nine_is_told_once(ward, steps):
    with db.unit_of_work(db.EVERY) as session:
        clinic, patient = ward.both(session)
        link, _ = links.issue(session, clinic, patient, ["phq9"])
        screen = submissions.begin(session, clinic, link, 0)
        for index, value in steps:
            submissions.accept_answer(session, clinic, screen, index, value)
        assert finding.answers_of(screen) == tuple(dict(steps).get(index) for index in range(9))
        about = select(func.count(InboxItem.id)).where(InboxItem.about == f"screen:{screen.id}")
        rang = any(index == 8 and value for index, value in steps)
        assert session.scalar(about) == (1 if rang else 0)
        assert (screen.owed == "safety") == rang
