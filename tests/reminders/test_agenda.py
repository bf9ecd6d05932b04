"""The books of a day and a week: counted and paged as they stand, each reading a range of one index."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from sqlalchemy import event, insert, text

from config import db
from reminders import agenda, appointments, unreached
from reminders.models import Appointment
from tests.reminders.conftest import NOW, World

both = pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)
TODAY = date(2026, 3, 3)


@pytest.fixture(autouse=True)
def _now() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


def at(day: int, hour: int) -> datetime:
    """An hour of a day in March, as the clinic in Denver reads it before the clocks change."""
    return datetime(2026, 3, day, tzinfo=UTC) + timedelta(hours=hour + 7)


@contextmanager
def overheard() -> Iterator[list[tuple[str, object]]]:
    statements: list[tuple[str, object]] = []

    def hear(_connection, _cursor, statement, given, _context, _many) -> None:
        statements.append((statement, given))

    event.listen(db.engine(), "before_cursor_execute", hear)
    yield statements
    event.remove(db.engine(), "before_cursor_execute", hear)


def plan(statement: str, given: object) -> str:
    """Return how the database goes about a statement."""
    with db.engine().connect() as connection:
        way = "EXPLAIN QUERY PLAN" if connection.dialect.name == "sqlite" else "EXPLAIN"
        return str(connection.exec_driver_sql(f"{way} {statement}", given).all())


def years_of_visits(world: World) -> Appointment:
    """Eight visits a day for three years of one patient, and what the database knows of them; return one of today."""
    booked = world.visit(world.patient(), at(3, 9))
    alike = {column.key: getattr(booked, column.key) for column in Appointment.__table__.columns}
    rows = [
        alike
        | {"id": db.new_id(), "external_id": f"X{number}", "starts_at": NOW + timedelta(hours=3 * number - 13_000)}
        for number in range(8_800)
    ]
    with db.unit_of_work(world.clinic.id) as session:
        session.execute(insert(Appointment), rows)
    with db.engine().begin() as connection:
        connection.execute(text("ANALYZE"))
    return booked


@both
def test_a_week_is_counted_by_day_and_state_and_says_who_and_where(world: World) -> None:
    for day, hour, clinician in (
        (3, 9, "Dr Lindqvist"),
        (3, 23, "Dr Okafor"),
        (4, 0, "Dr Okafor"),
        (11, 9, "Dr Later"),
    ):
        world.visit(world.patient(), at(day, hour), clinician=clinician, place="North")
    cancelled = world.visit(world.patient(), at(3, 10), clinician="Dr Nobody")
    confirmed = world.visit(world.patient(), at(5, 10), clinician="Dr Okafor", place="South")
    with db.unit_of_work(world.clinic.id) as session:
        appointments.cancel(session, session.merge(cancelled), "operator")
        appointments.confirm(session, session.merge(confirmed), "operator")
    with db.unit_of_work(world.clinic.id, read_only=True) as session:
        books = agenda.books(session, world.clinic, TODAY, 7, agenda.Wanted())
        okafors = agenda.books(session, world.clinic, TODAY, 7, agenda.Wanted(("Dr Okafor",), "North"))
    assert [tally.all for _, tally in books.days] == [2, 1, 1, 0, 0, 0, 0]
    assert books.days[2][1].states == {"confirmed": 1}
    assert (books.clinicians, books.places) == (["Dr Lindqvist", "Dr Okafor"], ["North", "South"])
    assert [tally.all for _, tally in okafors.days] == [1, 1, 0, 0, 0, 0, 0]
    assert okafors.clinicians == books.clinicians  # what else can be chosen stays to be chosen


@both
def test_pages_neither_skip_nor_repeat_visits_of_one_moment(world: World) -> None:
    for hour in (9, 10, 10, 10, 11):
        world.visit(world.patient(), at(3, hour))
    seen, after = [], None
    with db.unit_of_work(world.clinic.id, read_only=True) as session:
        begins, ends = unreached.span(world.clinic, TODAY)
        while True:
            listed = agenda.listed(session, world.clinic, begins, ends, agenda.Wanted(), after=after, limit=2)
            seen += [visit.id for visit in listed.visits]
            after = listed.after
            if after is None:
                break
    assert len(seen) == len(set(seen)) == 5


@both
def test_every_reading_is_a_range_of_an_index(world: World) -> None:
    booked = years_of_visits(world)
    begins, ends = unreached.span(world.clinic, TODAY)
    narrowed = agenda.Wanted(("Dr Okafor",), "North", ("booked",), "open")
    with overheard() as said, db.unit_of_work(world.clinic.id, read_only=True) as session:
        for wanted in (agenda.Wanted(), narrowed):
            agenda.listed(session, world.clinic, begins, ends, wanted, after=(booked.starts_at, booked.id))
            agenda.books(session, world.clinic, TODAY, 7, wanted)
        agenda.reschedules(session, world.clinic, begins, limit=20)
    # Where forms are counted the database may begin with the forms: here there are none.
    for way in (plan(*statement) for statement in said if "FROM appointment" in statement[0]):
        assert "Seq Scan on appointment" not in way, way
        assert "SCAN appointment" not in way, way
    ways = [plan(*statement) for statement in said if "FROM appointment \n" in statement[0]]
    assert len(ways) == 5
    assert all("ix_appointment_clinic_day" in way for way in ways[:2]), ways
    assert all("ix_appointment_" in way for way in ways), ways  # a rare place is looked up by its own index
    assert "ix_appointment_change_asked" in ways[-1]


def test_who_wants_another_time_stands_by_its_day_from_today_on(world: World) -> None:
    late, soon = world.visit(world.patient(), at(9, 9)), world.visit(world.patient(), at(4, 9))
    world.visit(world.patient(), at(5, 9))
    with db.unit_of_work(world.clinic.id) as session:
        for visit in (late, soon):
            appointments.ask_change(session, session.merge(visit), "operator")
        begins, _ = unreached.span(world.clinic, TODAY)
        listed = agenda.reschedules(session, world.clinic, begins, limit=20)
        assert [visit.id for visit in listed] == [soon.id, late.id]
        assert agenda.reschedules(session, world.clinic, begins + timedelta(days=7), limit=20) == []
