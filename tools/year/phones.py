"""The phone network of a simulated year: it takes texts in this process and remembers when, and says how they fared."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from config import clock
from messaging.gateways.base import (
    Attached,
    Came,
    Gateway,
    Listing,
    OutcomeUnknown,
    Outgoing,
    Taken,
    always,
)

LOST_EVERY, FAILED_EVERY = 60, 80


@dataclass(frozen=True)
class Sent:
    """A text that was taken: its id, to whom, from whom, its words, the token of its callback, and when."""

    sid: str
    to: str
    sender: str
    body: str
    token: str
    at: datetime


@dataclass(frozen=True)
class Typed:
    """A text that a phone sent to a clinic's number, and whether its webhook was lost on the way."""

    sid: str
    sender: str
    to: str
    body: str
    at: datetime
    lost: bool


@dataclass
class Phones(Gateway):
    """All phones and the carrier between. Every sixtieth text to us is lost on its way and stands in the list alone;
    every eightieth of ours does not arrive."""

    sent: list[Sent] = field(default_factory=list)
    typed: list[Typed] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def send(self, text: Outgoing, still: Callable[[], object] = always) -> str:
        """Take a text."""
        still()
        with self._lock:
            sid = f"SM{len(self.sent):032x}"
            token = text.callback.rpartition("/")[2]
            self.sent.append(Sent(sid, text.to, text.sender, text.body, token, clock.now()))
        return sid

    def type(self, sender: str, to: str, body: str) -> Typed:
        """Let a phone write to a clinic."""
        count = len(self.typed)
        typed = Typed(f"SM{'f' * 8}{count:024x}", sender, to, body, clock.now(), count % LOST_EVERY == LOST_EVERY - 1)
        self.typed.append(typed)
        return typed

    def fared(self, sent: Sent) -> tuple[str, int]:
        """Return the final status of a text and its error code, 0 for none."""
        failed = int(sent.sid[2:], 16) % FAILED_EVERY == FAILED_EVERY - 1
        return ("undelivered", 30003) if failed else ("delivered", 0)

    def find(self, to: str, since: datetime) -> list[Taken]:
        """Return what was taken for a phone."""
        return [self._taken(sent) for sent in self.sent if sent.to == to and sent.at >= since]

    def went(self, sender: str, _service_sid: str | None, since: datetime) -> list[Taken]:
        """Return what left from a number."""
        return [self._taken(sent) for sent in self.sent if sent.sender == sender and sent.at >= since]

    def fetch(self, sid: str) -> Taken | None:
        """Return how one text fared."""
        number = int(sid[2:], 16)
        return self._taken(self.sent[number]) if number < len(self.sent) else None

    def came(self, to: str | None, since: datetime, until: datetime, limit: int) -> Listing:
        """Return what came for a clinic's number, newest first."""
        texts: list[Came] = []
        for typed in reversed(self.typed):
            if typed.at < since:
                break
            if typed.at <= until and to in (None, typed.to):
                texts.append(Came(typed.sid, typed.sender, typed.body, 0, typed.at, typed.to))
        return Listing(texts[:limit], texts[limit - 1].created_at if len(texts) > limit else None)

    def empty(self, sid: str) -> None:
        """The oracles compare what was said: nothing is emptied."""

    def attached(self, _sid: str) -> list[Attached]:
        """No phone here sends pictures."""
        return []

    def attachment(self, sid: str, _attached_sid: str, _most: int) -> bytes:
        """Nobody can have asked for one."""
        raise OutcomeUnknown(sid)

    def delete_attachment(self, sid: str, attached_sid: str) -> None:
        """Nothing is to be forgotten."""

    def _taken(self, sent: Sent) -> Taken:
        status, code = self.fared(sent)
        return Taken(sent.sid, sent.body, status, code or None, sent.at, sent.to)
