"""Forms that come whole, from a vendor or from paper: kept once, alerted whatever they total, refused whole."""

from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import func, select

from config import clock
from intake_links import finding, progress, scoring, submissions
from intake_links.models import Screen
from tests.intake_links.test_submissions import inbox, kinds


def accept(ward, session, answers, instrument="phq9", source="vendor", event="e1", **more):
    clinic, patient = ward.both(session)
    return submissions.accept(
        session,
        clinic,
        patient,
        instrument=instrument,
        answers=answers,
        language="en",
        source=source,
        event=event,
        **more,
    )


def test_the_cut_of_the_patients_sex_is_used(ward, session):
    patient = ward.both(session)[1]
    patient.sex = "male"
    accept(ward, session, [3, 0, 0], "audit_c", event="m")
    assert kinds(session) == []
    patient.sex = "female"
    accept(ward, session, [3, 0, 0], "audit_c", event="f")
    assert kinds(session) == ["screen"]


def test_a_whole_form_from_a_vendor_alerts_whatever_its_total(ward, session):
    screen = accept(ward, session, [0] * 8 + [1])
    assert (screen.state, screen.owed, kinds(session)) == ("submitted", "safety", ["safety"])


def test_the_same_event_again_is_the_first_one(ward, session):
    first = accept(ward, session, [1] * 9)
    assert accept(ward, session, [1] * 9) is first
    assert accept(ward, session, [1] * 9, event="e2") is not first
    assert accept(ward, session, [1] * 9, source="other") is not first
    assert len(inbox(session)) == 3


def test_the_same_event_with_other_answers_is_kept_beside_the_first_and_a_person_asked(ward, session):
    first = accept(ward, session, [0] * 9)
    for _ in range(2):
        assert accept(ward, session, [0] * 8 + [3]) is first
    screens = session.scalars(select(Screen).order_by(Screen.id)).all()
    assert [finding.answers_of(s) for s in screens] == [(0,) * 9, (0,) * 8 + (3,)]
    assert screens[1].detail == {"again": str(first.id)}
    assert sorted(kinds(session)) == ["reply", "safety"]


@pytest.mark.parametrize("answers", [[0] * 8, [0] * 10, [True] + [0] * 8, ["0"] * 9, "000000000"])
def test_a_form_that_does_not_fit_is_refused_whole(ward, session, answers):
    with pytest.raises(scoring.BadAnswer):
        accept(ward, session, answers)
    assert session.scalar(select(func.count(Screen.id))) == 0


def test_a_vendor_cannot_pass_for_our_own_pages(ward, session):
    with pytest.raises(ValueError, match="our own"):
        accept(ward, session, [0] * 9, source=progress.LINK)


def test_the_time_a_form_was_written_is_kept_but_never_lies_ahead(ward, session):
    then = clock.now() - timedelta(days=2)
    assert accept(ward, session, [0] * 9, authored_at=then).submitted_at == then
    ahead = accept(ward, session, [0] * 9, event="e2", authored_at=clock.now() + timedelta(days=2))
    assert ahead.submitted_at <= clock.now()


def test_deadlines_run_from_now_whenever_the_form_was_written(ward, session):
    with time_machine.travel(clock.now(), tick=False):
        accept(ward, session, [0] * 8 + [1], authored_at=clock.now() - timedelta(days=30))
        assert inbox(session)[0].answer_by > clock.now()
