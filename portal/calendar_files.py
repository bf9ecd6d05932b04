"""Writes a visit as a calendar file (iCalendar, RFC 5545): when it is, and as little else as the patient wants."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

LONGEST = 75  # octets of a line, without its end (RFC 5545, 3.1)
STATUS = {"cancelled": "CANCELLED", "change_asked": "TENTATIVE"}
# RFC 5545 3.1 and 3.3.11: no control character but the tab belongs in a text; line breaks are written as \n.
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x85\u2028\u2029]")


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
        f"UID:{escaped(entry.uid)}",
        f"SEQUENCE:{entry.revision}",
        f"DTSTAMP:{_moment(entry.changed_at)}",
        f"DTSTART:{_moment(entry.starts_at)}",
        f"SUMMARY:{escaped(entry.title)}",
        *([f"LOCATION:{escaped(entry.place)}"] if entry.place else []),
        f"STATUS:{STATUS.get(entry.state, 'CONFIRMED')}",
        "CLASS:PRIVATE",
        "END:VEVENT",
        "END:VCALENDAR",
    ]
    return b"".join(folded(line) for line in lines)


def escaped(text: str) -> str:
    """Return `text` as a TEXT value (RFC 5545, 3.3.11): a backslash before what would otherwise mean something."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = CONTROL.sub("", text.encode("utf-8", "ignore").decode())
    return re.sub(r"([\\;,])", r"\\\1", text).replace("\n", "\\n")


def folded(line: str) -> bytes:
    """Return a content line with its end, folded after at most 75 octets, never within a character (RFC 5545, 3.1)."""
    pieces, piece = [], b""
    for letter in line:
        octets = letter.encode()
        if len(piece) + len(octets) > LONGEST:
            pieces.append(piece)
            piece = b" "
        piece += octets
    return b"\r\n".join([*pieces, piece]) + b"\r\n"


def _moment(at: datetime) -> str:
    """Return an instant in UTC, the form that needs no definition of a time zone (RFC 5545, 3.3.5)."""
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"
