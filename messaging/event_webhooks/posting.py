"""One request to somebody else: to an address that was judged, never redirected, never for long."""

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache

from config import public_internet
from messaging.event_webhooks import guard
from messaging.event_webhooks.guard import Target

CONNECT_SECONDS, ALL_SECONDS = 5.0, 15.0
MOST_READ = 4096
AGENT = "Warmthread-Webhooks/1"


@dataclass(frozen=True)
class Way:
    """How a receiver is reached: who says a name's addresses, whom TLS trusts, whether this machine is allowed, which
    networks of the operator's own are, and how long the whole of it may take."""

    loopback: bool = False
    resolve: public_internet.Resolve = public_internet.system
    trust: ssl.SSLContext | None = None
    own: public_internet.Networks = ()
    seconds: float | None = None


@dataclass(frozen=True)
class Answer:
    """What became of one try. `error` is a word where no status came; `retry_after` in seconds, None if not asked.
    `body` is what was answered, where it was asked for, and `location` where else it may be found."""

    status: int | None
    error: str | None
    milliseconds: int
    retry_after: int | None = None
    body: bytes = field(default=b"", repr=False)
    location: str = field(default="", repr=False)

    @property
    def taken(self) -> bool:
        """Whether the receiver has it: 2xx and nothing else."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def gone(self) -> bool:
        """Whether the receiver wants nothing any more."""
        return self.status == 410


def post(url: str, headers: Mapping[str, str], body: bytes, way: Way) -> Answer:
    """Post a body once and say what became of it, the answer not kept; raises nothing whatever the other side does."""
    return ask("POST", url, headers, body, way)


def ask(method: str, url: str, headers: Mapping[str, str], body: bytes | None, way: Way, most: int = 0) -> Answer:
    """Ask once and say what became of it. With `most` the answer is kept, whole: one that is longer is none."""
    begun = time.monotonic()
    ends = begun + (way.seconds or ALL_SECONDS)
    try:
        with line(url, way, ends) as (target, connected):
            answer = _asked(connected, target, method, headers, body, ends)
            said = _whole(answer, most, ends) if most else _left_unread(answer)
    except public_internet.Refused as refused:
        return Answer(None, f"refused_{refused.why}", _since(begun))
    except (OSError, http.client.HTTPException, ValueError) as failed:
        return Answer(None, word(failed, over=time.monotonic() >= ends), _since(begun))
    after, location = _seconds(answer.headers.get("Retry-After")), answer.headers.get("Location", "")
    return Answer(answer.status, None, _since(begun), after, said, location)


def _since(begun: float) -> int:
    return int((time.monotonic() - begun) * 1000)


def word(failed: Exception, *, over: bool) -> str:
    """Return in a word why nothing was said or answered; `over`: its time was."""
    if isinstance(failed, TimeoutError) or over:
        return "timeout"
    if isinstance(failed, ssl.SSLError):
        return "certificate" if isinstance(failed, ssl.SSLCertVerificationError) else "tls"
    return "connect" if isinstance(failed, OSError) else "answer"


def _asked(
    connected: socket.socket, target: Target, method: str, headers: Mapping[str, str], body: bytes | None, ends: float
) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection(target.host, target.port)
    connection.sock = connected
    connection.request(method, target.path, body, {"Host": target.host_header, "User-Agent": AGENT, **headers})
    answer = connection.getresponse()
    if time.monotonic() >= ends:
        raise TimeoutError  # broken off within its head: that is no answer, whatever it began with
    return answer


def _left_unread(answer: http.client.HTTPResponse) -> bytes:
    with suppress(OSError, http.client.HTTPException):  # the status has come; a broken body changes nothing
        answer.read(MOST_READ)
    return b""


def _whole(answer: http.client.HTTPResponse, most: int, ends: float) -> bytes:
    said = answer.read(most + 1)
    if len(said) > most:
        raise ValueError("longer than is taken")
    if time.monotonic() >= ends:
        raise TimeoutError
    if answer.length:
        raise http.client.IncompleteRead(said)
    return said


@contextmanager
def line(url: str, way: Way, ends: float) -> Iterator[tuple[Target, socket.socket]]:
    """Within: where an address leads, and a connection there that was judged; at `ends` (monotonic) it breaks off.

    Raises public_internet.Refused, and OSError where there is none.
    """
    target = guard.read(url, loopback=way.loopback, own=way.own)
    found = guard.resolved(target, way.resolve, loopback=way.loopback, own=way.own)
    with _connected(target, found, way.trust or _trust(), ends) as connected:
        yield target, connected


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
