"""One row that cannot be read: it ends before a human, and every other text leaves at once, in every clinic."""

from datetime import date, timedelta

import pytest
import time_machine
from sqlalchemy import delete, update

from config import clock, db, keys, runtime
from messaging.delivery import deliver
from messaging.models import Clinic, Conversation, Message, Staff
from messaging.people import directory
from service import health

both = pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)


def spoil_key(key_id) -> None:
    """A key whose wrapping does not open, as after a disk error or a hand in the table."""
    with db.unit_of_work(db.EVERY) as session:
        session.execute(update(db.DataKey).where(db.DataKey.id == key_id).values(wrapped=b"\x01" + b"x" * 60))
    runtime.forget("db.keys")


def lose_key(key_id) -> None:
    with db.unit_of_work(db.EVERY) as session:
        session.execute(delete(db.DataKey).where(db.DataKey.id == key_id))
    runtime.forget("db.keys")


@both
@pytest.mark.parametrize("harm", [spoil_key, lose_key])
def test_one_patient_s_key_that_does_not_open_stops_no_urgent_text(network, desk, new_patient, new_staff, harm):
    sick, well, colleague = new_patient(), new_patient(), new_staff()
    bad = desk.text(sick, lane="urgent", kind="crisis", programme="care_team")
    good = desk.text(well, lane="urgent", kind="crisis", programme="care_team")
    alert = desk.alert(colleague, f"alert:{db.new_id()}:0:{colleague.id}")
    harm(sick.key_id)
    deliver.deliver("urgent")
    assert desk.state(bad, good, alert) == ["held", "sent", "sent"]
    assert desk.now(bad).last_error == "unreadable"
    assert [item.patient_id for item in desk.items()] == [sick.id]


def test_words_moved_from_another_row_are_held_and_the_others_leave(network, desk, new_patient):
    bad, good = desk.text(new_patient()), desk.text(new_patient())
    with db.unit_of_work(db.EVERY) as session:
        session.execute(update(Message).where(Message.id == bad.id).values(body_ct=good.body_ct))
    deliver.deliver("bulk")
    assert desk.state(bad, good) == ["held", "sent"]
    assert len(desk.items()) == 1


def test_a_colleague_s_number_that_does_not_open_climbs_and_holds_up_nobody(network, desk, new_staff):
    sick, well = new_staff(), new_staff("Ben Okafor")
    bad, good = (desk.alert(staff, f"alert:{db.new_id()}:0:{staff.id}") for staff in (sick, well))
    with db.unit_of_work(db.EVERY) as session:
        session.execute(update(Staff).where(Staff.id == sick.id).values(number_ct=b"\x01" + b"y" * 40))
    deliver.deliver("urgent")
    assert desk.state(bad, good) == ["held", "sent"]


def test_a_conversation_whose_number_does_not_open_holds_up_nobody(network, desk, new_patient):
    bad, good = desk.text(new_patient()), desk.text(new_patient())
    with db.unit_of_work(db.EVERY) as session:
        whose = update(Conversation).where(Conversation.id == bad.conversation_id)
        session.execute(whose.values(number_ct=b"\x02garbage"))
    deliver.deliver("bulk")
    assert desk.state(bad, good) == ["held", "sent"]


@pytest.fixture
def elsewhere(house) -> Clinic:
    """Another clinic, whose master key is taken out of the ring."""
    ring, other = runtime.once("keys.ring", keys._load_ring), keys.new_master_line("gone")
    runtime._made["keys.ring"] = keys.parse_ring(f"{other},{_line(ring)}")
    with db.unit_of_work(db.EVERY) as session:
        made = directory.add_clinic(
            session, name="Birch Clinic", zone="America/Denver", number="+17205550100", phone="+17205550101"
        )
        patient, _ = directory.save_patient(
            session,
            made,
            directory.PatientRecord(
                first_name="Ana",
                last_name="Reed",
                record="B1",
                number="+17205550110",
                birth_date=date(1980, 3, 9),
            ),
        )
        made.waits = _queue(session, made, patient)
    runtime._made["keys.ring.whole"] = runtime._made["keys.ring"]
    runtime._made["keys.ring"] = ring
    runtime.forget("db.keys")
    return made


def _line(ring: keys.Ring) -> str:
    import base64

    return ",".join(f"{name}:{base64.b64encode(key).decode()}" for name, key in ring._master.items())


def _queue(session, clinic, patient):
    from messaging import outbox

    text = {"kind": "reply", "programme": "care_team", "body": "Hello.", "dedupe": "hello", "lane": "urgent"}
    return outbox.text_patient(session, clinic, patient, **text)


def test_a_clinic_whose_master_key_is_gone_waits_in_sight_and_leaves_when_it_is_back(
    network, desk, new_patient, elsewhere
):
    good = desk.text(new_patient(), lane="urgent")
    deliver.deliver("urgent")
    assert desk.state(good, elsewhere.waits) == ["sent", "queued"]
    assert any("message" in problem and "opened" in problem for problem in health._rows())
    runtime._made["keys.ring"] = runtime._made["keys.ring.whole"]
    with time_machine.travel(clock.now() + timedelta(seconds=31), tick=False):
        deliver.deliver("urgent")
    assert desk.state(elsewhere.waits) == "sent"


def test_a_batch_that_fails_is_worked_off_one_by_one_and_says_what_failed_alone():
    failed: list[tuple[int, str]] = []

    def halve(numbers):
        return [10 // number for number in numbers]

    done = db.apart("number", [5, 0, 2], halve, lambda number, error: failed.append((number, type(error).__name__)))
    assert done == [[2], [5]]
    assert failed == [(0, "ZeroDivisionError")]
