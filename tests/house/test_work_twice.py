"""Every lane is drained twice: what has been done once is not done again."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from config import audit, clock, db, queue
from messaging import outbox
from messaging.consent import ledger
from messaging.inbox import items
from messaging.models import Clinic, Patient, Staff
from reminders import appointments
from service import lanes
from webhooks import receipts

LANES = [lane.name for lane in lanes.ALL]
both = pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)
NOON = datetime(2026, 7, 1, 18, tzinfo=UTC)


@pytest.fixture
def _at_noon():
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def seeded(
    _at_noon: None, clinic: Clinic, new_staff: Callable[..., Staff], new_patient: Callable[..., Patient]
) -> None:
    """A clinic in which something waits in every kind of lane."""
    new_staff()
    maya = new_patient()
    number = "+13035550110"
    with db.unit_of_work(clinic.id) as session:
        ledger.record(session, clinic, number, "granted", source="import", actor="operator")
        for hours in (3, 30, 80):
            visit = appointments.VisitRecord(
                external_id=f"V{hours}",
                record=maya.record or "",
                starts_at=NOON + timedelta(hours=hours),
                zone="America/Denver",
                booked_at=NOON - timedelta(days=20),
            )
            appointments.save(session, clinic, maya, visit)
        for kind in ("safety", "reply"):
            items.open_item(
                session, clinic, kind=kind, about="test:1", dedupe=kind, summary="words", patient_id=maya.id
            )
        for lane in ("urgent", "bulk"):
            outbox.text_patient(
                session,
                clinic,
                maya,
                kind="reply",
                programme="care_team",
                body="Hello",
                dedupe=lane,
                lane=lane,
            )
    for text in ("Y", "I want to die", "STOP"):
        payload = {"From": number, "To": clinic.number, "Body": text, "MessageSid": f"SM{len(text):032x}"}
        for lane in ("urgent", "default"):
            receipts.receive("twilio.sms", f"{lane}{text}", payload, priority=lane, clinic=clinic)


def rows() -> dict[str, list[str]]:
    """Return every row of every table as text."""
    with db.unit_of_work(db.EVERY) as session:
        return {
            table.name: sorted(str(tuple(row)) for row in session.execute(table.select()))
            for table in db.Base.metadata.sorted_tables
        }


@both
@pytest.mark.parametrize("lane", LANES)
def test_a_lane_with_nothing_to_do_does_nothing(house, clinic: Clinic, lane: str):
    audit.seal()
    queue.lanes()[lane].drain()  # one that looks around every minute has looked now
    audit.seal()
    before = rows()
    assert queue.lanes()[lane].drain() == 0
    assert rows() == before


@both
@pytest.mark.parametrize("lane", LANES)
def test_a_lane_drained_twice_does_its_work_once(house, seeded: None, lane: str):
    drain = queue.lanes()[lane].drain
    drain()
    before = rows()
    drain()
    assert rows() == before


@both
def test_what_waits_says_since_when_and_what_is_done_waits_no_more(house, seeded: None):
    for _ in range(4):
        for lane in queue.lanes().values():
            lane.drain()
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        waiting = {lane.name: lane.oldest(session, clock.now()) for lane in queue.lanes().values()}
    # No carrier answers here: a text waits for it as long as it is worth sending, and everything else is done.
    assert {lane for lane, since in waiting.items() if since} <= {"deliver_urgent", "deliver_bulk"}


def test_a_drain_empties_the_lane_it_was_rung_for(house, seeded: None):
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        waited = {name for name, lane in queue.lanes().items() if lane.oldest(session, clock.now())}
    assert {"timers", "deliver_urgent", "deliver_bulk", "audit", "receipts", "receipts_urgent"} <= waited
