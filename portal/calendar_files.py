"""Writes a visit as a calendar file (iCalendar, RFC 5545): when it is, and as little else as the patient wants."""

from dataclasses import dataclass
from datetime import datetime

from messaging.wording import icalendar

STATUS = {"cancelled": "CANCELLED", "change_asked": "TENTATIVE"}


@dataclass(frozen=True, slots=True)
class Entry:
    """What a calendar is told. `uid` stays the same for the life of a visit, `revision` grows with each change of it.

    `starts_at` and `changed_at` are aware; `state` is a visit's own; `title` names no specialty; `place` may be "".
    """

    uid: str
    revision: int
    starts_at: datetime
    changed_at: datetime
    state: str
    title: str
    place: str = ""


def write(entry: Entry) -> bytes:
    """Return the file: with the same `uid` and a higher revision, a calendar replaces what it has, or takes it out."""
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Warmthread//Appointments//EN",
        f"METHOD:{'CANCEL' if entry.state == 'cancelled' else 'PUBLISH'}",
        "BEGIN:VEVENT",
        f"UID:{icalendar.escaped(entry.uid)}",
        f"SEQUENCE:{entry.revision}",
        f"DTSTAMP:{icalendar.moment(entry.changed_at)}",
        f"DTSTART:{icalendar.moment(entry.starts_at)}",
        f"SUMMARY:{icalendar.escaped(entry.title)}",
        *([f"LOCATION:{icalendar.escaped(entry.place)}"] if entry.place else []),
        f"STATUS:{STATUS.get(entry.state, 'CONFIRMED')}",
        "CLASS:PRIVATE",
        "END:VEVENT",
        "END:VCALENDAR",
    ]
    return icalendar.file(lines)
