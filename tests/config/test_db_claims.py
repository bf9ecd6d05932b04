"""Claims, on both databases: a row is one worker's at a time, and a worker may die at any instant."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
import time_machine
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from config import clock, db
from messaging.models import Clinic
from webhooks.models import Receipt

both = pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)
WAITING = Receipt.state == "received"
Add = Callable[..., list[UUID]]


@pytest.fixture
def add(clinic: Clinic) -> Add:
    """Adds so many rows that wait; returns their ids in the order in which they are due."""

    def add(number: int, since: timedelta = timedelta(seconds=30)) -> list[UUID]:
        start = clock.now() - since
        with db.unit_of_work(db.EVERY) as session:
            rows = [
                Receipt(
                    clinic_id=clinic.id,
                    key_id=clinic.key_id,
                    source="test",
                    event=str(db.new_id()),
                    lane="default",
                    state="received",
                    payload="words",
                    received_at=start,
                    try_after=start + timedelta(milliseconds=place),
                )
                for place in range(number)
            ]
            session.add_all(rows)
        return [row.id for row in rows]

    return add


def claim(limit: int = 200) -> list[db.Claim]:
    with db.unit_of_work(db.EVERY) as session:
        return db.claim(session, Receipt, WAITING, limit=limit)


def states() -> dict[UUID, str]:
    with db.unit_of_work(db.EVERY) as session:
        return {row.id: row.state for row in session.execute(select(Receipt.id, Receipt.state))}


def give_up(_session: Session, row: Receipt) -> None:
    row.state = "failed"


def settle(_session: Session, rows: list[Receipt]) -> None:
    for row in rows:
        row.state = "processed"


@both
def test_what_is_not_due_is_left_alone(house, add: Add):
    add(3, since=timedelta(minutes=-5))
    assert claim() == []


@both
def test_the_longest_waiting_come_first(house, add: Add):
    ids = add(5)
    assert {claimed.id for claimed in claim(limit=2)} == set(ids[:2])


@both
def test_two_claimers_never_share_a_row(house, add: Add):
    ids = add(80)

    def claim_all(_claimer: int) -> list[UUID]:
        mine: list[UUID] = []
        while claims := claim(limit=7):
            mine += [claimed.id for claimed in claims]
        return mine

    with ThreadPoolExecutor(4) as claimers:
        ids_claimed = [row_id for mine in claimers.map(claim_all, range(4)) for row_id in mine]
    assert len(ids_claimed) == len(ids)
    assert set(ids_claimed) == set(ids)


@both
def test_a_row_is_free_again_when_its_lease_has_run_out(house, add: Add):
    add(1)
    start = clock.now()
    assert len(claim()) == 1
    with time_machine.travel(start + timedelta(seconds=12), tick=False):
        assert claim() == []
    with time_machine.travel(start + timedelta(seconds=16), tick=False):
        assert len(claim()) == 1


@both
def test_the_late_write_of_a_worker_thought_dead_is_refused(house, add: Add):
    add(2)
    first = claim()
    with time_machine.travel(clock.now() + timedelta(seconds=65), tick=False):
        second = claim(limit=1)
        with db.unit_of_work(db.EVERY) as session:
            late = {row.id for row in db.still_mine(session, Receipt, first)}
            assert late == {claimed.id for claimed in first} - {claimed.id for claimed in second}
            assert [row.id for row in db.still_mine(session, Receipt, second)] == [second[0].id]


@both
def test_rows_come_back_in_the_order_claimed(house, add: Add):
    add(6)
    claims = sorted(claim(), key=lambda claimed: claimed.id.hex[::-1])
    with db.unit_of_work(db.EVERY) as session:
        assert [row.id for row in db.still_mine(session, Receipt, claims)] == [claimed.id for claimed in claims]


@both
def test_working_off_goes_on_until_nothing_waits(house, add: Add):
    add(25)
    assert db.work_off(Receipt, WAITING, settle, give_up=give_up, batch=10) == 25
    assert set(states().values()) == {"processed"}
    assert db.work_off(Receipt, WAITING, settle, give_up=give_up) == 0


@both
def test_a_poison_row_is_put_off_and_the_others_go_on(house, add: Add):
    ids = add(5)

    def choke(session: Session, rows: list[Receipt]) -> None:
        if any(row.id == ids[2] for row in rows):
            raise RuntimeError("Zenobia")
        settle(session, rows)

    assert db.work_off(Receipt, WAITING, choke, give_up=give_up) == 4
    with db.unit_of_work(db.EVERY) as session:
        poison = session.get_one(Receipt, ids[2])
        assert (poison.state, poison.last_error, poison.lease_until) == ("received", "RuntimeError", None)
        assert poison.attempts == 1
        assert poison.try_after > clock.now()
    assert list(states().values()).count("processed") == 4


@both
def test_what_was_half_done_with_a_poison_row_is_undone(house, add: Add):
    add(2)

    def choke(session: Session, rows: list[Receipt]) -> None:
        settle(session, rows)
        session.flush()
        raise RuntimeError

    assert db.work_off(Receipt, WAITING, choke, give_up=give_up) == 0
    assert set(states().values()) == {"received"}


@both
def test_a_poison_row_is_given_up_after_eight_tries_and_no_sooner(house, add: Add):
    add(1)
    given_up: list[int] = []

    def choke(_session: Session, _rows: list[Receipt]) -> None:
        raise RuntimeError

    def note(session: Session, row: Receipt) -> None:
        given_up.append(row.attempts)
        give_up(session, row)

    moment = datetime.now(UTC)
    for _ in range(12):
        moment += timedelta(hours=2)
        with time_machine.travel(moment, tick=False):
            db.work_off(Receipt, WAITING, choke, give_up=note)
    assert given_up == [8]
    assert set(states().values()) == {"failed"}


@both
def test_each_try_is_put_off_twice_as_long_but_never_more_than_an_hour(house, add: Add):
    (row_id,) = add(1)
    waits = []
    for attempts in (1, 2, 3, 11, 12, 40):
        with db.unit_of_work(db.EVERY) as session:
            row = session.get_one(Receipt, row_id)
            row.attempts = attempts
            db.retry_later(row, "error")
            waits.append(round((row.try_after - clock.now()).total_seconds()))
    assert waits == [2, 4, 8, 2048, 3600, 3600]


@both
def test_handled_rows_start_counting_anew_unless_they_were_put_off(house, add: Add):
    handled, put_off = add(2)
    with db.unit_of_work(db.EVERY) as session:
        session.execute(update(Receipt).values(attempts=4))

    def half(_session: Session, rows: list[Receipt]) -> None:
        for row in rows:
            if row.id == put_off:
                row.try_after = clock.now() + timedelta(minutes=5)
            else:
                row.state = "processed"

    db.work_off(Receipt, WAITING, half, give_up=give_up)
    with db.unit_of_work(db.EVERY) as session:
        assert session.get_one(Receipt, handled).attempts == 0
        assert session.get_one(Receipt, put_off).attempts == 5


@both
def test_a_worker_that_dies_between_claim_and_work_loses_nothing(house, add: Add):
    add(3)
    claim()  # and dies
    assert db.work_off(Receipt, WAITING, settle, give_up=give_up) == 0
    with time_machine.travel(clock.now() + timedelta(seconds=65), tick=False):
        assert db.work_off(Receipt, WAITING, settle, give_up=give_up) == 3


@both
def test_what_must_be_locked_first_is_taken_before_the_rows_each_time_they_are_tried(house, add: Add):
    ids = add(3)
    order: list[str] = []

    def first(session: Session, claims: Sequence[db.Claim]) -> None:
        assert not session.identity_map
        order.append(f"first of {len(claims)}")

    def choke(_session: Session, rows: list[Receipt]) -> None:
        order.append(f"{len(rows)} rows")
        if len(rows) > 1:
            raise ValueError("one by one, please")
        settle(_session, rows)

    assert db.work_off(Receipt, WAITING, choke, give_up=give_up, first=first) == len(ids)
    assert order == ["first of 3", "3 rows", *["first of 1", "1 rows"] * 3]
