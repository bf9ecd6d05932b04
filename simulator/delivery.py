"""Posting one webhook as Twilio does: how long it waits, when it tries again, over a connection it keeps."""

import http.client
import time
from dataclasses import dataclass
from urllib.parse import parse_qs, urldefrag, urlsplit

IDLE_S = 1.0  # a connection idle for longer is not trusted to be still open
_SHOWN_BYTES = 65_536


@dataclass(frozen=True)
class Patience:
    """Twilio's connection rules for one URL; a fragment such as `#rc=2&rp=5xx` overrides them.

    `again_on` holds "ct" (no connection), "rt" (no answer in time), "4xx", "5xx" or "all".
    """

    retries: int = 1
    again_on: frozenset[str] = frozenset({"ct"})
    connect_s: float = 5.0
    read_s: float = 15.0
    total_s: float = 15.0

    @classmethod
    def of(cls, url: str) -> "Patience":
        """Read the overrides in the fragment of `url`; what is missing or malformed keeps its default."""
        overrides = {name: values[0] for name, values in parse_qs(urldefrag(url).fragment).items()}
        default = cls()
        return cls(
            retries=int(_number(overrides.get("rc"), default.retries, 0, 5)),
            again_on=frozenset(overrides["rp"].split(",")) if overrides.get("rp") else default.again_on,
            connect_s=_number(overrides.get("ct"), default.connect_s * 1000, 100, 10_000) / 1000,
            read_s=_number(overrides.get("rt"), default.read_s * 1000, 100, 15_000) / 1000,
            total_s=_number(overrides.get("tt"), default.total_s * 1000, 100, 15_000) / 1000,
        )

    def tries_again(self, outcome: "Outcome") -> bool:
        """Whether this outcome is one the rules retry."""
        return bool(outcome.trouble) and bool({outcome.trouble, "all"} & self.again_on)


@dataclass(frozen=True)
class Outcome:
    """The HTTP status answered or None, the kind of trouble ("" when there is none) and an account of it."""

    status: int | None
    trouble: str = ""
    error: str | None = None


class Line:
    """One thread's connections, at most one per host, kept open between posts that follow each other closely."""

    def __init__(self) -> None:
        self._open: dict[str, tuple[http.client.HTTPConnection, float]] = {}

    def post(self, url: str, headers: dict[str, str], body: bytes, patience: Patience, left_s: float) -> Outcome:
        """Send once and read the answer."""
        ends = time.monotonic() + left_s
        try:
            connection = self._connect(url, min(patience.connect_s, left_s))
        except OSError as error:
            return Outcome(None, "ct", f"no connection: {error}")
        host = urlsplit(url).netloc
        try:
            assert connection.sock is not None
            connection.sock.settimeout(max(0.05, min(patience.read_s, ends - time.monotonic())))
            connection.request("POST", _target(url), body, headers)
            answer = connection.getresponse()
            answer.read(_SHOWN_BYTES)
            if answer.isclosed():
                self._open[host] = (connection, time.monotonic())
            else:
                connection.close()
            return _outcome(answer.status)
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            return Outcome(None, "rt", f"no answer: {type(error).__name__}")

    def _connect(self, url: str, timeout_s: float) -> http.client.HTTPConnection:
        parts = urlsplit(url)
        connection, used_at = self._open.pop(parts.netloc, (None, 0.0))
        if connection is not None:
            if connection.sock is not None and time.monotonic() - used_at < IDLE_S:
                return connection
            connection.close()
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        fresh = kind(parts.hostname or "", parts.port, timeout=timeout_s)
        fresh.connect()
        return fresh


def _outcome(status: int) -> Outcome:
    if status < 400:
        return Outcome(status)
    return Outcome(status, "5xx" if status >= 500 else "4xx", f"answered {status}")


def _target(url: str) -> str:
    parts = urlsplit(url)
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _number(text: str | None, default: float, low: float, high: float) -> float:
    return min(high, max(low, float(text))) if text and text.isdecimal() else default
