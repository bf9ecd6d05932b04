"""Whether a password stands in the operator's own list of breached ones: a file of SHA-1 hashes in order.

That is how "Pwned Passwords" is handed out (`haveibeenpwned-downloader`): a line has 40 hexadecimal digits, and what
comes after them is not read. It may be as large as it likes: some thirty places of it are looked at, and no word of a
password leaves the machine.
"""

import hashlib
import os
from pathlib import Path
from typing import BinaryIO

DIGITS, LONGEST_LINE = 40, 80


def holds(file: Path, password: str) -> bool:
    """Whether the file lists the password. Raises OSError where it cannot be read."""
    wanted = hashlib.sha1(password.encode("utf-8", "replace"), usedforsecurity=False).hexdigest().upper().encode()
    with file.open("rb") as lines:
        low, high = 0, os.fstat(lines.fileno()).st_size
        while high - low > LONGEST_LINE:
            middle = (low + high) // 2
            if _first_from(lines, middle) < wanted:
                low = middle
            else:
                high = middle
        lines.seek(max(0, low - LONGEST_LINE))
        near = lines.read(4 * LONGEST_LINE).upper().split(b"\n")
    return any(line[:DIGITS] == wanted for line in near)


def _first_from(lines: BinaryIO, place: int) -> bytes:
    """Return the digits of the first line that begins at or after a place; after the last one, what sorts last."""
    lines.seek(max(0, place - 1))
    lines.readline(LONGEST_LINE)
    return lines.readline(LONGEST_LINE)[:DIGITS].upper() or b"~"
