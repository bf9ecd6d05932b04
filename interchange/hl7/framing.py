"""Cuts what comes on a connection into frames of MLLP (release 1): 0x0B, the message, 0x1C 0x0D. Pure.

Senders are not exact, so neither is this: packets split a frame anywhere or join several, a 0x1C may come without its
0x0D, anything may stand between two frames, and an empty frame keeps a connection open.
"""

import re

from interchange.hl7.er7 import ENDS

START, END = b"\x0b", b"\x1c"
CLOSED = re.compile(rb"\x1c(?:\r|\n|(?=\x0b))")
# A sender that was cut off begins anew; a vertical tab within a note begins nothing.
BEGUN_ANEW = re.compile(rb"\x0b(?=MSH|FHS|BHS)")
LARGEST = 256 * 1024
# How much of a message that cannot be taken is told to its administrator: no more than of its first segment.
LARGEST_SEGMENT = 4096
# Bytes after which nobody waits any longer for the end of a frame, or for the beginning of one.
ENDLESS, MOST_BETWEEN = 32 * 1024 * 1024, 64 * 1024


class Frame(bytes):
    """What stood in a frame. `fault` is the key of texts/problems.toml that says why it cannot be taken."""

    fault: str | None = None


class CutFrame(Frame):
    """The first segment of what stood in a frame that was larger than is taken."""

    fault = "message_too_large"


class UnendedFrame(Frame):
    """The first segment of what stood in a frame that has not ended."""

    fault = "frame_without_end"


class BareMessage(Frame):
    """The first segment of a message that came without a frame."""

    fault = "message_without_frame"


class Frames:
    """The frames of one connection, as its bytes come."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._head: bytes | None = None
        self._searched = 0
        self._past = 0
        self._bare = b""
        self.is_open = False

    @property
    def is_waiting(self) -> bool:
        """Whether something has begun that should end soon: a frame, or a message that stands in none."""
        return self.is_open or bool(self.bare())

    @property
    def is_endless(self) -> bool:
        """Whether so much came without an end, or without a beginning, that nothing is to be hoped for."""
        return self._past > (ENDLESS if self.is_open else MOST_BETWEEN)

    @property
    def may_be_closed(self) -> bool:
        """Whether the frame is closed if nothing more comes now."""
        return self.is_open and self._buffer.endswith(END)

    def feed(self, data: bytes) -> list[Frame]:
        """Take what has come; return the frames that it completes."""
        self._buffer += data
        complete: list[Frame] = []
        while self._begun() and (closed := CLOSED.search(self._buffer, self._searched)):
            complete += self._completed(closed.start(), closed.end())
        self._bounded()
        return complete

    def silence(self) -> list[Frame]:
        """Nothing came for a moment: return the frame that has ended without its 0x0D."""
        return self._completed(len(self._buffer) - 1, len(self._buffer)) if self.may_be_closed else []

    def given_up(self) -> list[Frame]:
        """Nothing more is waited for: return what a person can be told of a frame that has not ended."""
        body = self._head if self._head is not None else bytes(self._buffer)
        segment = _whole_segment(BEGUN_ANEW.split(body)[-1]) if self.is_open else b""
        return [UnendedFrame(segment)] if segment else self.bare()

    def bare(self) -> list[Frame]:
        """Return what a person can be told of a message that stands between two frames."""
        segment = b"" if self.is_open else _whole_segment(self._bare)
        return [BareMessage(segment)] if segment else []

    def _begun(self) -> bool:
        if not self.is_open:
            at = self._buffer.find(START)
            self._bare = b"" if at >= 0 else (self._bare + self._buffer)[:LARGEST_SEGMENT]
            self._past += len(self._buffer) if at < 0 else 0
            del self._buffer[: at + 1 or len(self._buffer)]
            self.is_open, self._searched, self._head = at >= 0, 0, None
            self._past = 0 if self.is_open else self._past
        return self.is_open

    def _completed(self, end: int, after: int) -> list[Frame]:
        body = self._head if self._head is not None else bytes(self._buffer[:end])
        is_cut = self._head is not None or len(body) > LARGEST
        del self._buffer[:after]
        self.is_open, self._head, self._past = False, None, 0
        body = BEGUN_ANEW.split(body)[-1]
        if is_cut:
            return [CutFrame(_first_segment(body))]
        return [Frame(body)] if body.strip() else []

    def _bounded(self) -> None:
        """Of a frame that is too large only its beginning is held."""
        self._searched = max(0, len(self._buffer) - 1)
        if self.is_open and (self._head is not None or len(self._buffer) > LARGEST):
            self._head = bytes(self._buffer[:LARGEST]) if self._head is None else self._head
            self._past += self._searched
            del self._buffer[: self._searched]
            self._searched = 0


def _first_segment(body: bytes) -> bytes:
    return ENDS.split(body.lstrip().decode("latin-1"), maxsplit=1)[0][:LARGEST_SEGMENT].encode("latin-1")


def _whole_segment(body: bytes) -> bytes:
    """The MSH that a message begins with, b"" where there is none or its end has not come."""
    begun = body[: LARGEST_SEGMENT + 1].lstrip()
    segment = _first_segment(begun)
    return segment if begun.startswith(b"MSH") and len(segment) < len(begun) else b""
