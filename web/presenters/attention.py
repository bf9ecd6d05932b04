"""Who is on an item, whose time on it is over, and to whom it came: in words, for rows, cases and the red bar."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from config import clock
from messaging.inbox import on_it as holding
from messaging.inbox.models import InboxItem
from messaging.models import Staff
from web import times, words

Names = Mapping[UUID | None, str]


def on_it(item: InboxItem | None, names: Names, staff: Staff, zone: str) -> str:
    """Return who is on it, how, and until when; empty where nobody is."""
    if item is None or item.held_until is None or not holding.is_held(item, clock.now()):
        return ""
    whose = "mine" if item.held_by == staff.id else "theirs"
    how = words.say("on_it_ways", item.held_how)
    return words.say("on_it", whose, who=names.get(item.held_by, ""), how=how, until=_time(item.held_until, zone))


def over(item: InboxItem, names: Names, staff: Staff, zone: str) -> str:
    """Return whose time on it is over with nothing said of what came of it; empty where that is not so."""
    if item.held_until is None or not holding.is_over(item, clock.now()):
        return ""
    whose = "over_mine" if item.held_by == staff.id else "over_theirs"
    return words.say("on_it", whose, who=names.get(item.held_by, ""), until=_time(item.held_until, zone))


def came_to(item: InboxItem, told: Mapping[UUID, datetime], names: Names, staff: Staff, zone: str) -> str:
    """Return when the escalation brought the item to the reader and whose it is; empty where it did not."""
    at = told.get(item.id)
    if at is None or item.acknowledged_at is not None or item.state == "done" or item.owner_id == staff.id:
        return ""
    owner = names.get(item.owner_id, "").partition(" ")[0]
    key = "held" if holding.is_held(item, clock.now()) else "owned" if owner else "unowned"
    return words.say("came", key, at=_time(at, zone), owner=owner)


def _time(at: datetime, zone: str) -> str:
    return times.moment(at, clock.now(), zone, running=True).removeprefix("today ")
