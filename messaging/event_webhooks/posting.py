"""One POST to a receiver: to an address that was judged, never redirected, never for long, the answer not kept."""

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache

from messaging.event_webhooks import guard
from messaging.event_webhooks.guard import Resolve, Target

CONNECT_SECONDS, ALL_SECONDS = 5.0, 15.0
MOST_READ = 4096
AGENT = "Warmthread-Webhooks/1"


@dataclass(frozen=True)
class Way:
    """How a receiver is reached: who says a name's addresses, whom TLS trusts, and whether this machine is allowed."""

    loopback: bool = False
    resolve: Resolve = guard.system
    trust: ssl.SSLContext | None = None


@dataclass(frozen=True)
class Answer:
    """What became of one try. `error` is a word where no status came; `retry_after` in seconds, None if not asked."""

    status: int | None
    error: str | None
    milliseconds: int
    retry_after: int | None = None

    @property
    def taken(self) -> bool:
        """Whether the receiver has it: 2xx and nothing else."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def gone(self) -> bool:
        """Whether the receiver wants nothing any more."""
        return self.status == 410


def post(url: str, headers: Mapping[str, str], body: bytes, way: Way) -> Answer:
    """Post a body once and say what became of it; raises nothing for whatever the other side does."""
    begun, status, retry_after, error = time.monotonic(), None, None, None
    try:
        target = guard.read(url, loopback=way.loopback)
        found = guard.resolved(target, way.resolve, loopback=way.loopback)
        with _connected(target, found, way.trust or _trust(), begun + ALL_SECONDS) as connected:
            status, retry_after = _asked(connected, target, headers, body, begun + ALL_SECONDS)
    except guard.Refused as refused:
        error = f"refused_{refused.why}"
    except (OSError, http.client.HTTPException, ValueError) as failed:
        error = _word(failed, time.monotonic() - begun)
    return Answer(status, error, int((time.monotonic() - begun) * 1000), retry_after)


def _word(failed: Exception, seconds: float) -> str:
    if isinstance(failed, TimeoutError) or seconds >= ALL_SECONDS:
        return "timeout"
    if isinstance(failed, ssl.SSLError):
        return "certificate" if isinstance(failed, ssl.SSLCertVerificationError) else "tls"
    return "connect" if isinstance(failed, OSError) else "answer"


def _asked(
    connected: socket.socket, target: Target, headers: Mapping[str, str], body: bytes, ends: float
) -> tuple[int, int | None]:
    """Return the status and, in seconds, for how long the receiver wants to be left alone."""
    connection = http.client.HTTPConnection(target.host, target.port)
    connection.sock = connected
    connection.request("POST", target.path, body, {"Host": target.host_header, "User-Agent": AGENT, **headers})
    answer = connection.getresponse()
    if time.monotonic() >= ends:
        raise TimeoutError  # broken off within its head: that is no answer, whatever it began with
    with suppress(OSError, http.client.HTTPException):  # the status has come; a broken body changes nothing
        answer.read(MOST_READ)
    return answer.status, _seconds(answer.headers.get("Retry-After"))


@contextmanager
def _connected(target: Target, found: list[str], trust: ssl.SSLContext, ends: float) -> Iterator[socket.socket]:
    """Within: a connection to the first of the judged addresses that answers; the name is only said in TLS and Host.

    At `ends` it breaks off, also where a byte comes now and then.
    """
    connected = [_socket(target, found, ends)]
    timer = threading.Timer(_left(ends), _shut, [connected])
    timer.daemon = True
    timer.start()
    try:
        if target.tls:
            # The handshake comes after: wrapping leaves the first socket without a connection to break off.
            wrapped = trust.wrap_socket(connected[0], server_hostname=target.host, do_handshake_on_connect=False)
            connected[0] = wrapped
            wrapped.do_handshake()
        yield connected[0]
    finally:
        timer.cancel()
        connected[0].close()


def _socket(target: Target, found: list[str], ends: float) -> socket.socket:
    failed: OSError = TimeoutError()
    for address in found[:3]:
        try:
            made = socket.create_connection((address, target.port), min(CONNECT_SECONDS, _left(ends)))
        except OSError as error:
            failed = error
            continue
        made.settimeout(_left(ends))
        return made
    raise failed


def _left(ends: float) -> float:
    return max(0.01, ends - time.monotonic())


def _shut(connected: list[socket.socket]) -> None:
    with suppress(OSError):
        socket.socket.shutdown(connected[0], socket.SHUT_RDWR)


@cache
def _trust() -> ssl.SSLContext:
    return ssl.create_default_context()


def _seconds(header: str | None) -> int | None:
    """Read Retry-After where it is a number of seconds; a date is not worth believing a foreign clock."""
    return int(header) if header and header.isascii() and header.isdigit() and len(header) < 7 else None
