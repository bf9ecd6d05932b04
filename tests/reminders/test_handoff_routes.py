"""Who is asked to meet a patient is decided by the clinic's own rules
and the order of every item; the item says by which."""

from datetime import timedelta

import pytest
import time_machine

from config import db
from messaging.inbox.staff import absences
from messaging.models import Clinic, Staff
from tests.reminders.conftest import NOW, World
from tests.reminders.handoff.kit import PATIENCE, ask, being_asked, now_is, told, wait


@pytest.fixture(autouse=True)
def _now() -> object:
    with time_machine.travel(NOW, tick=False):
        yield


def ruled(world: World, *routes: dict[str, object], **more: object) -> None:
    with db.unit_of_work(db.EVERY) as session:
        session.get_one(Clinic, world.clinic.id).rules = {"routes": list(routes), **more}


def test_a_rule_of_the_clinic_decides_who_is_asked_and_the_item_says_so(world: World) -> None:
    world.staff("Ana", panels=["Dr Lindqvist"])
    zoe = world.staff("Zoe", role="clinician", email="zoe@clinic.example", languages=["es"])
    ruled(
        world,
        {"name": "Spanish to Zoe", "to": "people", "languages": ["es"], "people": ["zoe@clinic.example"]},
    )
    handoff, item = now_is(ask(world, world.patient(language="es", panel="Dr Lindqvist")))
    assert being_asked(handoff) == [zoe.id]
    assert item.reason == ["route:Spanish to Zoe", "language:es", "on_duty"]
    assert len(told(zoe)) == 1
    assert being_asked(ask(world, world.patient(panel="Dr Lindqvist"))) != [zoe.id]


def test_after_a_rule_the_order_of_every_item_goes_on(world: World) -> None:
    ana = world.staff("Ana")
    zoe = world.staff("Zoe", email="zoe@clinic.example")
    ruled(
        world,
        {"name": "All to Zoe", "to": "people", "kinds": ["handoff"], "people": ["zoe@clinic.example"]},
        {"name": "Never", "to": "panel", "kinds": ["safety"]},
    )
    handoff = ask(world, world.patient())
    assert being_asked(handoff) == [zoe.id]
    wait(NOW + PATIENCE)
    found, item = now_is(handoff)
    assert (being_asked(found), item.reason) == ([ana.id], ["language:en", "on_duty"])


def test_a_rule_that_finds_nobody_there_is_passed_over_and_said(world: World) -> None:
    ana = world.staff("Ana")
    world.staff("Zoe", email="zoe@clinic.example", hours={"wed": ["08:00", "17:00"]})
    ruled(world, {"name": "All to Zoe", "to": "people", "people": ["zoe@clinic.example"]})
    found, item = now_is(ask(world, world.patient()))
    assert (being_asked(found), item.reason) == ([ana.id], ["passed:All to Zoe", "language:en", "on_duty"])


def test_whoever_is_on_call_is_asked_after_those_at_work_and_before_the_fallback(world: World) -> None:
    off, always = {"wed": ["08:00", "17:00"]}, {"tue": ["00:00", "00:00"]}
    ana, ben = world.staff("Ana"), world.staff("Ben", hours=off)
    lead = world.staff("Lead", role="clinic_admin", email="lead@clinic.example")
    world.staff("Dana", role="clinic_admin")
    ruled(world, fallback=["lead@clinic.example"])
    with db.unit_of_work(db.EVERY) as session:
        session.get_one(Staff, ben.id).on_call = always
    handoff = ask(world, world.patient())
    asked: list[object] = []
    for place in range(3):
        wait(NOW + place * PATIENCE)
        asked += being_asked(handoff)
    assert asked == [ana.id, ben.id, lead.id]
    wait(NOW + 3 * PATIENCE)
    assert being_asked(handoff) == []


def test_an_offer_goes_only_to_whom_a_text_can_reach_and_to_who_covers(world: World) -> None:
    world.staff("Ana", number=None)
    zoe, ben = world.staff("Zoe", panels=["Dr Lindqvist"]), world.staff("Ben")
    with db.unit_of_work(db.EVERY) as session:
        mine, theirs = (session.get_one(Staff, colleague.id) for colleague in (zoe, ben))
        absences.plan(session, mine, theirs, NOW, NOW + timedelta(hours=8))
    found, item = now_is(ask(world, world.patient(panel="Dr Lindqvist")))
    assert being_asked(found) == [ben.id]
    assert item.reason == ["panel:Dr Lindqvist", "language:en", "covering:Zoe", "on_duty"]
