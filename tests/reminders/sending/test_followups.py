"""A link that goes unanswered: one more text, then a human, never more, and nothing where nothing is owed."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from config import clock, db
from intake_links import links, submissions
from intake_links.models import IntakeLink
from messaging import outbox
from messaging.consent import ledger
from messaging.inbox.models import InboxItem
from messaging.models import Message, Patient
from messaging.people import directory
from messaging.wording import text_templates
from reminders import appointments, reasons, withdrawing
from reminders.models import Appointment, FollowUp
from reminders.sending import followups
from tests.reminders.conftest import NOW, World

# The link leaves at nine in the morning in Denver, so its follow-up is due at half past five the next day.
AGAIN = datetime(2026, 3, 5, 0, 30, tzinfo=UTC)
BOTH = pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture(autouse=True)
def _now() -> object:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def maya(world: World) -> Patient:
    return world.patient()


def send_link(world: World, patient: Patient, visit: Appointment | None = None) -> str:
    """Text a link as the pages for staff do, have it delivered, and return its address."""
    with db.unit_of_work(world.clinic.id) as session:
        patient = session.get_one(Patient, patient.id)
        ledger.record(session, world.clinic, "+13035550101", "granted", source="import", actor="operator")
        link, url = links.issue(session, world.clinic, patient, ["phq9"], appointment_id=visit.id if visit else None)
        message = outbox.text_patient(
            session,
            world.clinic,
            patient,
            kind="automatic",
            programme="screening",
            body=f"Questions: {url}",
            dedupe=f"form:{link.id}",
        )
        followups.expect(session, world.clinic, patient, link, message)
        message.state = "delivered"
    return url


def drain(at: datetime) -> None:
    with time_machine.travel(at, tick=False):
        followups.drain()


def row() -> FollowUp | None:
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        return session.scalar(select(FollowUp))


def texts() -> list[str]:
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        sent = session.scalars(select(Message).where(Message.dedupe.startswith("followup:"))).all()
        db.load_keys(session, {message.key_id for message in sent})
        return [message.body or "" for message in sent]


def tasks() -> list[str]:
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        items = session.scalars(select(InboxItem).where(InboxItem.kind == "delivery")).all()
        db.load_keys(session, {item.key_id for item in items})
        return [item.summary or "" for item in items]


@BOTH
def test_one_more_text_at_another_time_of_day_then_a_human_and_never_more(world: World, maya: Patient) -> None:
    send_link(world, maya)
    drain(AGAIN - timedelta(minutes=1))
    assert texts() == []
    drain(AGAIN)
    assert len(texts()) == 1
    assert tasks() == []
    drain(AGAIN + timedelta(hours=24))
    assert len(tasks()) == 1
    assert "call" in tasks()[0]
    drain(AGAIN + timedelta(days=30))
    assert (len(texts()), len(tasks())) == (1, 1)


def test_either_address_opens_the_same_link(world: World, maya: Patient) -> None:
    first = send_link(world, maya).rsplit("/", 1)[1]
    drain(AGAIN)
    second = texts()[0].split("/i/")[1].split()[0]
    assert second != first
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        link, other = links.by_token(session, first), links.by_token(session, second)
        assert link is not None
        assert link is other
        assert links.is_open(link, clock.now())


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("privacy", ["generic", "clinic", "details"])
def test_the_text_names_nothing_and_is_in_the_patients_language(world: World, language: str, privacy: str) -> None:
    send_link(world, world.patient(language=language, privacy=privacy))
    drain(AGAIN)
    body = texts()[0]
    assert text_templates.lint(body.split("http")[0]) == []
    assert ("le esperan" in body) == (language == "es")
    assert ("Larkspur" in body) == (privacy != "generic")


def stop(world: World, at: datetime) -> None:
    with time_machine.travel(at, tick=False), db.unit_of_work(world.clinic.id) as session:
        ledger.record(session, world.clinic, "+13035550101", "revoked", source="text", actor="x")


def test_whoever_stopped_hears_nothing_and_nobody_is_asked(world: World, maya: Patient) -> None:
    send_link(world, maya)
    stop(world, NOW + timedelta(hours=1))
    drain(AGAIN)
    assert (texts(), tasks()) == ([], [])


def test_whoever_stopped_after_the_second_text_is_no_task_either(world: World, maya: Patient) -> None:
    send_link(world, maya)
    drain(AGAIN)
    stop(world, AGAIN + timedelta(hours=1))
    drain(AGAIN + timedelta(days=2))
    assert tasks() == []


def wrong_person(session: Session, world: World, _patient: Patient) -> None:
    directory.learn_line(session, world.clinic, "+13035550101", "wrong_person", "x")


def inactive(_session: Session, _world: World, patient: Patient) -> None:
    patient.state = "inactive"


def taken_in_clinic(session: Session, world: World, patient: Patient) -> None:
    answers = [0] * 9
    given = {"language": "en", "source": "staff.aloud", "event": "e1"}
    submissions.accept(session, world.clinic, patient, instrument="phq9", answers=answers, **given)


def withdrawn(session: Session, _world: World, _patient: Patient) -> None:
    links.withdraw(session, session.scalars(select(IntakeLink)).one())


def answered(session: Session, _world: World, _patient: Patient) -> None:
    session.execute(update(IntakeLink).values(state="answered"))


def never_left(session: Session, _world: World, _patient: Patient) -> None:
    session.execute(update(Message).values(state="failed"))


def alerted(session: Session, world: World, _patient: Patient) -> None:
    screen = submissions.begin(session, world.clinic, session.scalars(select(IntakeLink)).one(), 0)
    submissions.accept_answer(session, world.clinic, screen, 8, 1)


@pytest.mark.parametrize("happens", [wrong_person, inactive, taken_in_clinic, withdrawn, answered, never_left, alerted])
def test_nothing_follows_where_nothing_is_owed(
    world: World, maya: Patient, happens: Callable[[Session, World, Patient], None]
) -> None:
    send_link(world, maya)
    later = time_machine.travel(NOW + timedelta(hours=1), tick=False)
    with later, db.unit_of_work(world.clinic.id) as session:
        happens(session, world, session.get_one(Patient, maya.id))
    drain(AGAIN)
    drain(AGAIN + timedelta(days=3))
    assert (texts(), tasks()) == ([], [])
    assert row() is not None


def test_a_landline_is_a_humans_at_once(world: World, maya: Patient) -> None:
    send_link(world, maya)
    with db.unit_of_work(world.clinic.id) as session:
        directory.learn_line(session, world.clinic, "+13035550101", "landline", "x")
    drain(AGAIN)
    assert (len(texts()), len(tasks())) == (0, 1)


def test_the_visit_decides_when_it_is_too_late(world: World, maya: Patient) -> None:
    visit = world.visit(maya, AGAIN + timedelta(hours=8))
    send_link(world, maya, visit)
    with db.unit_of_work(world.clinic.id) as session:
        moved = session.get_one(Appointment, visit.id)
        moved.starts_at = AGAIN + timedelta(hours=2, minutes=59)
    drain(AGAIN)
    assert (texts(), tasks()) == ([], [])
    assert reasons.kept([row().why]) == ["too late for a text"]  # type: ignore[union-attr]


def test_the_human_is_asked_before_the_visit_and_told_which(world: World, maya: Patient) -> None:
    visit = world.visit(maya, AGAIN + timedelta(hours=18))
    send_link(world, maya, visit)
    drain(AGAIN)
    drain(AGAIN + timedelta(hours=15))
    assert len(texts()) == 1
    assert "ask at the visit of" in tasks()[0]


@pytest.mark.parametrize("act", [appointments.cancel, appointments.arrive, withdrawing.quiet])
def test_a_visit_that_will_not_be_or_is_now_or_must_be_quiet_ends_it(
    world: World, maya: Patient, act: Callable[[Session, Appointment, str], None]
) -> None:
    visit = world.visit(maya, AGAIN + timedelta(hours=18))
    send_link(world, maya, visit)
    with db.unit_of_work(world.clinic.id) as session:
        act(session, session.get_one(Appointment, visit.id), "x")
    drain(AGAIN)
    assert (texts(), tasks()) == ([], [])


def test_whoever_is_answering_now_is_left_alone_for_an_hour(world: World, maya: Patient) -> None:
    send_link(world, maya)
    with time_machine.travel(AGAIN - timedelta(minutes=5), tick=False), db.unit_of_work(db.EVERY) as session:
        links.let_in(session, session.scalars(select(IntakeLink)).one())
    drain(AGAIN)
    assert texts() == []
    drain(AGAIN + timedelta(hours=1))
    assert len(texts()) == 1


def test_after_an_outage_it_waits_for_the_morning(world: World, maya: Patient) -> None:
    send_link(world, maya)
    night = datetime(2026, 3, 5, 5, 0, tzinfo=UTC)  # ten in the evening in Denver
    drain(night)
    assert texts() == []
    drain(datetime(2026, 3, 5, 15, 0, tzinfo=UTC))
    assert len(texts()) == 1
