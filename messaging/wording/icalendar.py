"""Lines of a calendar file (iCalendar, RFC 5545): texts escaped, lines folded, moments in UTC. Pure."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime

LONGEST = 75  # octets of a line, without its end (RFC 5545, 3.1)
# RFC 5545 3.1 and 3.3.11: no control character but the tab belongs in a text; line breaks are written as \n.
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x85\u2028\u2029]")


def file(lines: Iterable[str]) -> bytes:
    """Return content lines as a file."""
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


def moment(at: datetime) -> str:
    """Return an instant in UTC, the form that needs no definition of a time zone (RFC 5545, 3.3.5)."""
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"
