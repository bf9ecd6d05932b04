"""What happened at the clinic, one line after the other without a gap: what to read after an outage."""

from api import cursors, pages
from api.operations import Call, Operation
from api.pages import Page
from api.shapes import Listing, Moment, Shape
from config.audit import Actor, AuditEntry
from messaging.programs import events


class Event(Shape):
    """That something happened to something: `type` is the act, `subject` "<kind>:<id>", `by` the kind of who did it."""

    id: int
    type: str
    subject: str
    by: str
    at: Moment


def _list(call: Call, query: Listing) -> Page[Event]:
    """List what happened, in the order in which it was committed: none is ever put in before the cursor."""
    after = cursors.read(call.clinic.id, "events", query.after) if query.after is not None else 0
    rows = events.after(call.session, call.clinic.id, after, limit=query.limit + 1)
    shown = rows[: query.limit]
    more = len(rows) > query.limit
    return pages.cut(call, "events", [row.seq or 0 for row in shown], [_shown(row) for row in shown], more)


def _shown(entry: AuditEntry) -> Event:
    by = Actor(entry.actor).kind
    return Event(id=entry.seq or 0, type=entry.act, subject=entry.about, by=by, at=entry.at)


OPERATIONS = (
    Operation("events.list", "GET", "/events", _list, "events.read", "audit_entry", {200: Page[Event]}, query=Listing),
)
