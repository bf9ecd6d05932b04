"""The latest of a row's moments, reckoned by either database."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from config import db
from config.db import latest
from messaging.models import Message
from messaging.people import directory

MONDAY = datetime(2027, 3, 15, 12, tzinfo=UTC)
TIMES = (Message.created_at, Message.sent_at, Message.delivered_at, Message.emptied_at)


@pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)
def test_what_has_not_come_is_left_out(house):
    told = {"queued": None, "sent": MONDAY + timedelta(hours=1), "back": MONDAY - timedelta(hours=1)}
    with db.unit_of_work(db.EVERY) as session:
        clinic = directory.add_clinic(session, name="Cedar", zone="America/Denver", number="+12015550100")
        for name, sent_at in told.items():
            session.add(
                Message(
                    clinic_id=clinic.id, key_id=clinic.key_id, direction="out", kind="reply", lane="bulk", body="Hi.",
                    state="queued", media=[], reading=[], dedupe=name, try_after=MONDAY, created_at=MONDAY,
                    sent_at=sent_at,
                )
            )  # fmt: skip
    with db.unit_of_work(db.EVERY) as session:
        changed = dict(session.execute(select(Message.dedupe, latest.latest(TIMES))).all())
        since = select(Message.dedupe).where(latest.latest(TIMES) > MONDAY)
        assert changed == {"queued": MONDAY, "sent": MONDAY + timedelta(hours=1), "back": MONDAY}
        assert session.scalars(since).all() == ["sent"]
        assert session.scalar(select(latest.latest([Message.created_at])).limit(1)) == MONDAY
