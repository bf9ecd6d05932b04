"""Colleagues read of a handoff what is meant, by the ways that hold for them, and once."""

from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import select

from config import db
from messaging import jobs
from messaging.inbox.models import InboxItem
from messaging.mail.models import Mail
from messaging.models import Staff
from reminders import handoffs
from tests.reminders.conftest import NOW, World
from tests.reminders.handoff.kit import NUMBER, accepted, act, after, ask, decide, ended, told, wait
from tests.reminders.test_handoff_nudges import mailed

OFFER = "Warmthread: someone is waiting for you"


@pytest.fixture(autouse=True)
def _now() -> object:
    with time_machine.travel(NOW, tick=False):
        yield


def all_told(staff: Staff, minute: float) -> list[str]:
    """What a colleague has been texted, after the inbox has routed what is new."""
    with time_machine.travel(after(minute), tick=False):
        jobs.fire_timers()
    return told(staff)


def test_before_they_leave_a_colleague_reads_so_once_and_not_that_someone_waits(world: World) -> None:
    handoff, ana, _ = accepted(world, world.patient(number=NUMBER))
    before = set(told(ana))
    for minute in (10, 50):
        wait(after(minute))
    assert sorted(body.partition(".")[0] for body in set(all_told(ana, 50)) - before) == [
        "Warmthread: the person to be met is not there yet",
        "Warmthread: the person you are to meet is not there, and will leave soon",
    ]
    with db.unit_of_work(db.EVERY) as session:
        leaving = session.scalars(
            select(InboxItem).where(InboxItem.dedupe.like(f"handoff:{handoff.id}:leaving%"))
        ).one()
        assert leaving.notified_at == after(50)


def test_how_it_ended_is_asked_as_a_reply_that_rings_no_phone(world: World) -> None:
    handoff, ana, _ = accepted(world, world.patient(number=NUMBER))
    act(handoffs.arrive, handoff, f"staff:{ana.id}")
    before = len(told(ana))
    wait(after(60))
    assert len(all_told(ana, 60)) == before
    with db.unit_of_work(db.EVERY) as session:
        how = session.scalars(select(InboxItem).where(InboxItem.dedupe.like(f"handoff:{handoff.id}:ended%"))).one()
        assert (how.kind, how.owner_id) == ("reply", ana.id)


def test_instead_of_a_video_a_colleague_is_asked_to_call(world: World) -> None:
    decide(world, video="https://video.example.org/{room}")
    _, ana, _ = accepted(world, world.patient(), wishes=handoffs.Wishes(modality="video"))
    wait(after(5))
    assert any("did not come to the video. Please call them now" in body for body in all_told(ana, 5))


@pytest.mark.parametrize(("outcome", "words"), [("met", "you are not needed for the handoff"), (None, "taken back")])
def test_whoever_was_asked_reads_why_they_are_not_needed(world: World, outcome: str | None, words: str) -> None:
    decide(world, at_once=2)
    ana, doctor = world.staff("Ana"), world.staff("Doctor", role="clinician")
    ben = world.staff("Ben")
    handoff = ask(world, world.patient(), requested_by=f"staff:{doctor.id}")
    act(ended(outcome) if outcome else handoffs.cancel, handoff, doctor if outcome is None else f"staff:{ben.id}")
    assert any(words in body for body in told(ana))
    assert any("taken back" in body for body in told(ana)) is (outcome is None)


def test_whose_phone_takes_nothing_is_mailed_that_the_patient_is_there(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    handoff, ana, _ = accepted(world, world.patient(number=NUMBER))
    mailed(world, monkeypatch, ana)
    with db.unit_of_work(db.EVERY) as session:
        session.get_one(Staff, ana.id).phone_fault = "stopped"
    act(handoffs.arrive, handoff, "api:front_desk")
    with db.unit_of_work(db.EVERY) as session:
        assert [mail.kind for mail in session.scalars(select(Mail)) if mail.kind != "confirm"] == ["handoff"]


def test_what_comes_before_everyone_says_that_a_handoff_needs_them(world: World) -> None:
    ana = world.staff("Ana", hours={"wed": ["08:00", "17:00"]})
    ask(world, world.patient())
    assert not any(body.startswith(OFFER) for body in all_told(ana, 0))
    with time_machine.travel(NOW + timedelta(days=1), tick=False):
        ask(world, world.patient())
    assert any(body.startswith(OFFER) for body in told(ana))
