"""Each oracle of the simulated year sees what it is there to see; and a short life has nothing for them to find."""

from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest

from config import clock, db
from messaging.inbox import items
from messaging.models import Message
from messaging.people import directory
from tools.year import oracles, turning
from tools.year.__main__ import told
from tools.year.oracles import Judge, Known
from tools.year.phones import Phones, Sent, Typed
from tools.year.town import Town

NOON, NIGHT = datetime(2027, 3, 16, 19, tzinfo=UTC), datetime(2027, 3, 16, 9, tzinfo=UTC)  # 13:00 and 3:00 in Denver
PHONE, CLINIC = "+12015550101", "+12015550100"


@pytest.fixture
def judge() -> Judge:
    return Judge(Town(Phones()))


def sent(at: datetime, body: str = "See you tomorrow") -> Sent:
    return Sent("SM1", PHONE, CLINIC, body, "token", at)


def known(kind: str = "reminder", **facts) -> Known:
    return Known(**({"message_id": uuid4(), "kind": kind, "patient_id": None, "dedupe": "x"} | facts))


def seen(judge: Judge, text: Sent, row: Known | None) -> list[str]:
    return [f"{finding.oracle} {finding.kind}" for finding in judge._of_sent(text, row)]


def test_a_reminder_by_day_is_well_and_one_at_night_is_not(judge):
    assert seen(judge, sent(NOON), known()) == []
    assert seen(judge, sent(NIGHT, "other words"), known()) == ["night wrong"]
    assert seen(judge, sent(NIGHT, "an answer"), known("automatic")) == []


def test_night_is_where_the_patient_lives(judge):
    patient = uuid4()
    judge.town.zones[patient] = "Pacific/Honolulu"
    early = datetime(2027, 3, 16, 16, tzinfo=UTC)  # 10:00 in Denver, 6:00 in Honolulu
    assert seen(judge, sent(early), known(patient_id=patient)) == ["night wrong"]


def test_a_row_that_leaves_twice_and_a_reminder_said_twice(judge):
    row = known()
    assert seen(judge, sent(NOON), row) == []
    assert "O5 doubled" in seen(judge, sent(NOON + timedelta(hours=1), "other"), row)
    assert seen(judge, sent(NOON + timedelta(hours=2)), known()) == ["O5 doubled"]


def test_a_text_without_a_row(judge):
    assert seen(judge, sent(NOON), None) == ["O5 wrong"]


@pytest.mark.parametrize(("kind", "wrong"), [("reminder", True), ("automatic", True), ("stopped", False)])
def test_what_leaves_after_a_revocation(judge, kind, wrong):
    judge.heard(Typed("SM2", PHONE, CLINIC, "STOP", NOON, False))
    assert ("O8 wrong" in seen(judge, sent(NOON + timedelta(hours=1)), known(kind))) is wrong
    judge.heard(Typed("SM3", PHONE, CLINIC, "START", NOON, False))
    assert seen(judge, sent(NOON + timedelta(hours=2), "again"), known(kind)) == []


def test_an_alert_that_nobody_was_texted_or_has_seen_within_a_minute_is_lost(house, judge):
    now = clock.now()
    judge._items_until = now - timedelta(hours=1)
    with db.unit_of_work(db.EVERY) as session:
        clinic = directory.add_clinic(session, name="Cedar", zone="America/Denver", number=CLINIC)
        texted, acknowledged, forgotten = (
            items.open_item(session, clinic, kind="safety", about=f"screen:{uuid4()}", dedupe=name, summary="Positive.")
            for name in ("texted", "acknowledged", "forgotten")
        )
        acknowledged.acknowledged_at = clock.now()
        session.add(
            Message(
                clinic_id=clinic.id, key_id=clinic.key_id, direction="out", kind="staff_alert", lane="urgent",
                body="Look.", state="sent", created_at=now, media=[], reading=[], try_after=now, sent_at=clock.now(),
                dedupe=f"alert:{texted.id}:0",
            )
        )  # fmt: skip
    with db.unit_of_work(db.EVERY) as session:
        [finding] = judge._of_alerts(session)
    assert str(forgotten.created_at) in finding.what


def test_a_few_days_of_two_clinics_leave_nothing_to_find():
    year = turning.run(3, 2, 2, date(2027, 3, 13))
    assert not year.findings, told(year)
    assert len(year.judge.typed) >= 1
    assert len(year.town.submitted) >= 1
    assert oracles.clock.shifted() == timedelta(0)
