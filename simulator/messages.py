"""What was sent and received: the account's messages, and what a phone keeps of them."""

import itertools
import uuid
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from simulator import clock, segments

MEDIA_BYTES_KEPT = 64 * 1024 * 1024
_order = itertools.count(1)


@dataclass(frozen=True)
class Media:
    """One attachment of a text from a phone."""

    content_type: str
    content: bytes
    sid: str = field(default_factory=lambda: new_sid("ME"))


@dataclass(kw_only=True)
class Message:
    """A message of the account. `direction`: "outbound-api", "outbound-reply" (the carrier's own) or "inbound"."""

    direction: str
    sender: str
    to: str
    body: str
    status: str
    sid: str = field(default_factory=lambda: new_sid("SM"))
    order: int = field(default_factory=lambda: next(_order))
    created_at: datetime = field(default_factory=clock.now)
    updated_at: datetime | None = None
    sent_at: datetime | None = None
    error_code: int | None = None
    media: dict[str, Media] = field(default_factory=dict)
    media_urls: list[str] = field(default_factory=list)
    service_sid: str | None = None
    status_callback: str | None = None
    validity_s: int | None = None
    num_segments: int = 1

    def __post_init__(self) -> None:
        self.num_segments = segments.count(self.body).segments

    @property
    def on_its_way(self) -> bool:
        """Whether the carrier still waits for news of it; after an hour without news Twilio stops waiting."""
        if self.status == "sent":
            return (clock.now() - self.created_at).total_seconds() < 3600
        return self.status in {"queued", "sending"}

    @property
    def num_media(self) -> int:
        """How many attachments it has, in either direction."""
        return len(self.media) or len(self.media_urls)


@dataclass(frozen=True)
class Text:
    """A message as the phone has it: redacting or deleting it at the carrier does not take it off the phone.

    `webhook_id` is the webhook that carried a text from the phone to the clinic, None if it was lost; `taken` says that
    the clinic has it from before, without one.
    """

    message: Message
    body: str
    webhook_id: str | None = None
    taken: bool = False

    @property
    def outgoing(self) -> bool:
        """Whether the phone sent it."""
        return self.message.direction == "inbound"

    @property
    def phone(self) -> str:
        """The phone that has it."""
        return self.message.sender if self.outgoing else self.message.to

    @property
    def other(self) -> str:
        """The clinic's number."""
        return self.message.to if self.outgoing else self.message.sender


class Store:
    """The account's newest `keep` messages, found by sid and by number. Not locked: the network is."""

    def __init__(self, keep: int) -> None:
        self._keep = keep
        self._all: OrderedDict[str, Message] = OrderedDict()
        self._of: dict[str, dict[str, Message]] = {}
        self._with_media: OrderedDict[str, int] = OrderedDict()

    def add(self, message: Message) -> None:
        """Remember a message; the oldest ones make room for it."""
        self._all[message.sid] = message
        for number in (message.sender, message.to):
            self._of.setdefault(number, {})[message.sid] = message
        if message.media:
            self._with_media[message.sid] = sum(len(media.content) for media in message.media.values())
            self._shed_media()
        while len(self._all) > self._keep:
            self.remove(next(iter(self._all)))

    def get(self, sid: str) -> Message | None:
        """The message with this sid."""
        return self._all.get(sid)

    def remove(self, sid: str) -> None:
        """Forget a message."""
        message = self._all.pop(sid)
        self._with_media.pop(sid, None)
        for number in (message.sender, message.to):
            of = self._of.get(number, {})
            of.pop(sid, None)
            if not of:
                self._of.pop(number, None)

    def newest(self, *, to: str | None = None, sender: str | None = None) -> Iterator[Message]:
        """The messages to or from a number (or all), newest first."""
        number = to or sender
        messages: Iterable[Message] = (self._all if number is None else self._of.get(number, {})).values()
        for message in reversed(list(messages)):
            if (to is None or message.to == to) and (sender is None or message.sender == sender):
                yield message

    def _shed_media(self) -> None:
        while sum(self._with_media.values()) > MEDIA_BYTES_KEPT and len(self._with_media) > 1:
            sid, _ = self._with_media.popitem(last=False)
            self._all[sid].media.clear()


def new_sid(prefix: str) -> str:
    """A fresh identifier in Twilio's form: two letters and 32 hex digits."""
    return prefix + uuid.uuid4().hex
