"""How handoffs went, counted: no share beyond the whole, and nobody owed before the clinic's days are over."""

from datetime import timedelta

import pytest
import time_machine

from config import db
from messaging.models import Clinic
from reminders import handoffs
from reminders.handoff import measures
from tests.reminders.conftest import NOW, World
from tests.reminders.handoff.kit import accepted, act, ask, ended, wait


@pytest.fixture(autouse=True)
def _now() -> object:
    with time_machine.travel(NOW, tick=False):
        yield


def counted(world: World, later: timedelta = timedelta()) -> measures.Report:
    with time_machine.travel(NOW + later, tick=False), db.unit_of_work(db.EVERY) as session:
        clinic = session.get_one(Clinic, world.clinic.id)
        return measures.report(session, clinic, NOW, NOW + timedelta(days=1))


def test_what_was_taken_back_or_is_open_is_in_no_share(world: World) -> None:
    handoff, ana, doctor = accepted(world, world.patient())
    act(handoffs.cancel, handoff, doctor)
    for outcome in ("met", "left"):
        another = ask(world, world.patient())
        act(handoffs.accept, another, ana)
        act(ended(outcome), another, f"staff:{ana.id}")
    act(handoffs.accept, ask(world, world.patient()), ana)
    warm = counted(world).warm
    assert (warm.asked, warm.cancelled, warm.open, warm.acceptance, warm.show_rate) == (4, 1, 1, 1.0, 0.5)


def test_a_contact_is_owed_when_its_days_are_over(world: World) -> None:
    handoff, ana, _ = accepted(world, world.patient())
    act(ended("left"), handoff, f"staff:{ana.id}")
    ask(world, world.patient(), wishes=handoffs.Wishes(modality="later"))  # type: ignore[arg-type]
    assert [counted(world, timedelta(days=6)).warm.owed, counted(world, timedelta(days=6)).later.owed] == [0, 0]
    wait(NOW + timedelta(days=7))
    week = counted(world, timedelta(days=7))
    assert [(each.owed, each.contacted) for each in (week.warm, week.later)] == [(1, 0), (1, 0)]


def test_referrals_are_counted_by_the_same_and_say_how_long_until_somebody_was_in_touch(world: World) -> None:
    doctor = world.staff("Doctor", role="clinician")
    later = {"requested_by": f"staff:{doctor.id}", "wishes": handoffs.Wishes(["sleep"], modality="later")}
    seen, unseen = (ask(world, world.patient(), **later) for _ in range(2))  # type: ignore[arg-type]
    with time_machine.travel(NOW + timedelta(days=2), tick=False):
        act(ended("met"), seen, f"staff:{doctor.id}")
    wait(NOW + timedelta(days=7))
    report = counted(world, timedelta(days=8))
    assert (report.later.asked, report.later.touch_rate, report.later.until_in_touch) == (2, 0.5, 2 * 24 * 60)
    for name, key in (("hour", "09"), ("requester", f"staff:{doctor.id}"), ("reason", "sleep"), ("site", "")):
        [(found, figures)] = report.later_by[name]
        assert (found, figures.asked, figures.met, figures.lost) == (key, 2, 1, 1)
    assert report.by["reason"] == []
    assert unseen.id != seen.id
