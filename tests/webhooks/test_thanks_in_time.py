"""The thanks for an answer name the visit's day as it is when they leave, or do not leave."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine

from config import db
from messaging.delivery import deliver
from messaging.people import directory
from reminders.models import Appointment
from tests.webhooks.test_handle_text import _visit


def _at(wall: str) -> datetime:
    return datetime.fromisoformat(wall).replace(tzinfo=ZoneInfo("America/Denver"))


@pytest.mark.parametrize(
    ("now", "says", "until"),
    [
        ("2027-03-09T18:00", "for tomorrow at 6:00 PM", "2027-03-10T00:00"),
        ("2027-03-08T23:30", "for Wednesday at 11:30 PM", "2027-03-09T00:00"),
        ("2027-03-09T23:50", "for Wed, Mar 10 at 11:50 PM", None),
    ],
)
def test_thanks_that_name_a_near_day_do_not_leave_once_it_is_another(
    world: Any, now: str, says: str, until: str | None
) -> None:
    with time_machine.travel(_at(now), tick=False):
        _visit(world, days=(datetime(2027, 3, 10).date() - _at(now).date()).days)
        world.text("Y")
        (thanks,) = world.outbound
        assert says in thanks.body
        assert thanks.expires_at == (_at(until) if until else None)
    if until:
        with time_machine.travel(_at(until), tick=False):
            deliver.deliver("urgent")
        (thanks,) = world.outbound
        assert (thanks.state, thanks.last_error) == ("held", "expired")
    assert [visit.state for visit in world.rows(Appointment)] == ["confirmed"]
    assert world.items == []


@pytest.mark.parametrize(("words", "privacy"), [("R", "place"), ("Y", "generic")])
def test_thanks_that_name_no_day_may_leave_at_any_time(world: Any, words: str, privacy: str) -> None:
    with db.unit_of_work(db.EVERY) as session:
        directory.find_by_record(session, world.clinic, "1").privacy = privacy
    with time_machine.travel(_at("2027-03-09T18:00"), tick=False):
        _visit(world, days=1)
        world.text(words)
    assert [text.expires_at for text in world.outbound] == [None]
