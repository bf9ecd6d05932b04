"""Whoever is asked for a handoff is always texted; whoever asked hears how it ended by the ways they chose."""

import pytest
import time_machine
from pydantic import SecretStr
from sqlalchemy import select

from config import audit, clock, db, runtime
from messaging.mail import addresses
from messaging.mail.models import Mail
from messaging.models import Staff
from reminders import handoffs
from tests.reminders.conftest import NOW, World
from tests.reminders.handoff.kit import act, ask, ended, told


@pytest.fixture(autouse=True)
def _now() -> object:
    with time_machine.travel(NOW, tick=False):
        yield


def choose(staff: Staff, kind: str, **ways: bool) -> None:
    with db.unit_of_work(db.EVERY) as session:
        session.get_one(Staff, staff.id).notify = {kind: ways}


def mailed(world: World, monkeypatch: pytest.MonkeyPatch, staff: Staff) -> None:
    """From now on the service has a mail server, and this colleague has confirmed her address."""
    mail = {"smtp_url": SecretStr("smtp://127.0.0.1:9"), "mail_from": "warmthread@clinic.example"}
    monkeypatch.setattr(runtime, "_settings", runtime.settings().model_copy(update=mail))
    with db.unit_of_work(db.EVERY) as session:
        kept = session.get_one(Staff, staff.id)
        addresses.ask(session, kept)
        address = addresses.of(session, kept)
        assert address is not None
        addresses.confirm(session, address, kept, clock.now())


def mails() -> list[tuple[str, str]]:
    with db.unit_of_work(db.EVERY) as session:
        rows = session.scalars(select(Mail).where(Mail.kind != "confirm"))
        return [(mail.kind, mail.body or "") for mail in rows]


def a_handoff_that_ended(world: World, asker: Staff, met: Staff) -> None:
    handoff = ask(world, world.patient(), requested_by=audit.Actor.staff(asker.id))
    act(handoffs.accept, handoff, met)
    act(ended("met"), handoff, audit.Actor.staff(met.id))


def test_whoever_wants_no_text_of_how_it_ended_gets_none(world: World) -> None:
    asker, met = world.staff("Dr Lindqvist", role="clinician"), world.staff("Ana")
    choose(asker, "answered", text=False)
    choose(met, "handoff", text=False)
    a_handoff_that_ended(world, asker, met)
    assert told(asker) == []
    assert len(told(met)) == 1  # to be asked cannot be switched off


def test_whoever_reads_mail_is_mailed_how_it_ended_and_nobody_is_named(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    asker, met = world.staff("Dr Lindqvist", role="clinician"), world.staff("Ana")
    mailed(world, monkeypatch, asker)
    choose(asker, "answered", email=True)
    a_handoff_that_ended(world, asker, met)
    ((kind, body),) = mails()
    assert kind == "answered"
    assert "There is news on something that you asked for." in body
    assert len(told(asker)) == 1
