"""One connection to an interface engine: a message in a frame of MLLP, and its acknowledgement (no database).

Engines are not exact: an answer may come in many packets, without its frame, without the last byte of it, or be that of
an earlier message, which counts for nothing here.
"""

import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from socket import socket

from config import public_internet
from interchange.hl7 import framing, telling
from interchange.hl7.framing import Frames
from interchange.hl7.telling import Answer
from interchange.polling.asking import Trouble
from messaging.event_webhooks import posting
from messaging.event_webhooks.posting import Way

ACK_SECONDS, SILENCE_SECONDS = 20.0, 1.0
CHUNK, LONGEST_ANSWER = 64 * 1024, 256 * 1024
CLOSED = framing.END + b"\r"


class Line:
    """A connection, and what has come on it. An acknowledgement is waited for `seconds`."""

    def __init__(self, connected: socket, seconds: float) -> None:
        self._connected, self._seconds = connected, seconds

    def say(self, message: bytes, control_id: str) -> Answer:
        """Send a message and return what is answered to it. Raises Trouble where it is not known whether the engine has
        taken it."""
        ends = time.monotonic() + self._seconds
        try:
            self._connected.settimeout(self._seconds)
            self._connected.sendall(framing.START + message + CLOSED)
        except OSError:  # some of it may have arrived
            raise Trouble("no_ack") from None
        for frame in self._heard(ends):
            answer = telling.answered(frame)
            if answer is not None and answer.control_id == control_id:
                return answer
        raise Trouble("no_ack")

    def _heard(self, ends: float) -> Iterator[bytes]:
        """What comes until then, frame by frame; in the end what came without any."""
        frames, bare, data = Frames(), b"", b" "
        while data and len(bare) < LONGEST_ANSWER and (left := ends - time.monotonic()) > 0:
            self._connected.settimeout(min(left, SILENCE_SECONDS))
            try:
                data = self._connected.recv(CHUNK)
            except TimeoutError:
                yield from frames.silence()
                continue
            except OSError:
                data = b""
            bare += data
            yield from frames.feed(data) if data else frames.silence()
        if framing.START not in bare:
            yield bare


@contextmanager
def opened(url: str, trust: ssl.SSLContext | None, way: Way, seconds: float) -> Iterator[Line]:
    """Within: a connection to the engine at an address of https or http (without TLS), for so many seconds at most.

    Raises Trouble where there is none.
    """
    ends = time.monotonic() + seconds
    try:
        with posting.line(url, replace(way, trust=way.trust or trust), ends) as (_, connected):
            yield Line(connected, way.seconds or ACK_SECONDS)
    except public_internet.Refused as refused:
        raise Trouble("connect" if refused.why == "resolve" else "address") from None
    except OSError as failed:
        raise Trouble(posting.word(failed, over=time.monotonic() >= ends)) from None
