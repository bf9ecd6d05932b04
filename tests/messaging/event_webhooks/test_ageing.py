"""What is over is kept for its days and forgotten then; what waits is never forgotten."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from config import clock, db
from messaging.event_webhooks import ageing, schedule
from messaging.event_webhooks.models import WebhookAttempt, WebhookDelivery
from tests.messaging.event_webhooks.conftest import Program


@pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)
def test_deliveries_that_are_over_are_forgotten_with_their_tries(
    program: Callable[..., Program], happens: Callable[..., None], drained: Callable[[], int]
) -> None:
    there, kept = program(), schedule.shipped().kept
    happens("patient:a", "patient:b")
    drained()
    there.behaves(status=500)
    happens("patient:c")
    drained()
    assert ageing.drain() == 0
    old, _, waiting = there.deliveries()
    for row, ended in ((old, clock.now() - kept - timedelta(hours=1)), (waiting, None)):
        with db.unit_of_work(db.EVERY) as session:
            session.execute(update(WebhookDelivery).where(WebhookDelivery.id == row.id).values(ended_at=ended))
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        assert ageing.oldest(session, clock.now()) is not None
    assert ageing.drain() == 1
    assert sorted(there.states()) == ["delivered", "waiting"]
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        assert ageing.oldest(session, clock.now()) is None
        assert session.scalar(select(func.count()).select_from(WebhookAttempt)) == 2
