"""The network itself: accepts the clinic's messages, carries them through their life, and carries what phones say back.

    queued -> sending -> sent -> delivered | undelivered (magic.toml says which numbers end otherwise)

Everything is in memory, under one lock, and bounded. Each change after the first is called back.
"""

import threading
from collections import Counter, OrderedDict, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from urllib.parse import urldefrag

from simulator import clock, fields, keywords, magic
from simulator.errors import ApiError
from simulator.faults import Fate, Faults, Plan
from simulator.messages import Media, Message, Store, Text
from simulator.settings import Settings
from simulator.timers import Timers
from simulator.webhooks import Webhook, Webhooks

TEXTS_PER_PHONE = 500


@dataclass
class Journey:
    """A message on its way: the steps ahead, its fate, and the callbacks held back to be sent in reverse."""

    message: Message
    ahead: list[tuple[str, int | None]]
    fate: Fate
    era: int
    held: list[Webhook] = field(default_factory=list)


class Network:
    """All state of the simulator. Public methods may be called from any thread."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.faults = Faults()
        self.webhooks = Webhooks(settings.auth_token, settings.keep)
        self._timers = Timers()
        self._lock = threading.RLock()
        self._era = 0  # a message on its way when everything is forgotten must not come back
        self.revision = 0  # rises with every change that a phone shows
        self._forget()

    def reset(self) -> None:
        """Forget everything: messages, phones, opt-outs, webhooks and faults."""
        with self._lock:
            self._timers.clear()
            self.webhooks.clear()
            self.faults.set(Plan())
            self._forget()

    def _forget(self) -> None:
        self.store = Store(self.settings.keep)
        self.creates: deque[Text] = deque(maxlen=self.settings.keep)
        self.requests: Counter[str] = Counter(asked=0, accepted=0)
        self._phones: OrderedDict[str, deque[Text]] = OrderedDict()
        self._blocked: set[tuple[str, str]] = set()
        self._services: dict[str, str] = {}
        self._busy: Counter[str] = Counter()
        self._names: dict[str, str] = {}
        self._era += 1
        self.revision += 1

    # -- the clinic's side -------------------------------------------------------------------------

    def knock(self, number: str) -> None:
        """Count a create that reached the network; raises ApiError(20429) while a busy number is busy."""
        busy = magic.effect(number).busy
        with self._lock:
            self.requests["asked"] += 1
            if busy:
                self._busy[number] += 1
                if self._busy[number] % (busy + 1):
                    raise ApiError(20429)

    def accept(self, message: Message, fate: Fate) -> Message:
        """Take a message of the clinic. Raises ApiError when its number refuses it or has opted out."""
        effect = magic.effect(message.to)
        with self._lock:
            if effect.refuse:
                raise ApiError(effect.refuse)
            if (message.to, message.sender) in self._blocked:
                raise ApiError(21610)
            if message.service_sid:
                self._services[message.sender] = message.service_sid
            text = self._keep(message)
            self.creates.append(text)
            self.requests["accepted"] += 1
        self._later(Journey(message, effect.steps(), fate, self._era))
        return message

    def redact(self, message: Message) -> None:
        """Empty the body of a message at the carrier; phones keep what they have. Raises ApiError(20009) too early."""
        self._only_when_settled(message)
        with self._lock:
            message.body, message.updated_at = "", clock.now()

    def delete(self, message: Message) -> None:
        """Delete a message at the carrier, with its media. Raises ApiError(20009) while it is on its way."""
        self._only_when_settled(message)
        with self._lock:
            self.store.remove(message.sid)

    def _only_when_settled(self, message: Message) -> None:
        # Twilio refuses until the carrier has reported, or an hour has passed (code-dot-org pull request 11188).
        if message.on_its_way:
            raise ApiError(20009)

    def found(self, sid: str) -> Message:
        """The message with this sid. Raises ApiError(20404)."""
        with self._lock:
            message = self.store.get(sid)
        if message is None:
            raise ApiError(20404)
        return message

    def newest(self, *, to: str | None = None, sender: str | None = None) -> list[Message]:
        """The account's messages, newest first, optionally to and from one number."""
        with self._lock:
            return list(self.store.newest(to=to, sender=sender))

    # -- the life of a message ---------------------------------------------------------------------

    def _later(self, journey: Journey) -> None:
        self._timers.after(self.settings.status_delay_ms / 1000, partial(self._step, journey))

    def _step(self, journey: Journey) -> None:
        message = journey.message
        with self._lock:
            if journey.era != self._era:
                return
            message.status, message.error_code = journey.ahead.pop(0)
            message.updated_at = clock.now()
            if message.status == "sent":
                message.sent_at = message.updated_at
            self.revision += 1
            self._call_back(journey)
            if journey.ahead:
                self._later(journey)

    def _call_back(self, journey: Journey) -> None:
        message, fate = journey.message, journey.fate
        if not message.status_callback or fate.callbacks == "lose":
            return
        says = fields.status(message, self.settings.account_sid)
        callback = self.webhooks.make(
            "status", message.status_callback, says, message.sid, message.sid, forged=fate.forged
        )
        leaving = [callback]
        if fate.callbacks == "duplicate":
            leaving.append(self.webhooks.twin(callback))
        if fate.callbacks == "reverse":
            journey.held.insert(0, callback)
            leaving = [] if journey.ahead else journey.held
        for webhook in leaving:
            self._send(webhook, fate.callbacks_delay_ms)

    def _send(self, webhook: Webhook, delay_ms: int) -> None:
        if delay_ms:
            self._timers.after(delay_ms / 1000, partial(self.webhooks.send, webhook))
        else:
            self.webhooks.send(webhook)

    # -- the phones' side --------------------------------------------------------------------------

    def say(
        self, phone: str, body: str, clinic: str | None, media: Sequence[Media], service: str | None = None
    ) -> tuple[Message, Webhook | None]:
        """Text the clinic from a phone; returns the message and its webhook, None when a fault loses it.

        The carrier acts on its own keywords first, and the text is forwarded all the same.
        """
        fate = self.faults.for_inbound(phone)
        with self._lock:
            to = clinic or self._last_other(phone)
            message = Message(
                direction="inbound",
                sender=f"rcs:{phone}" if to.startswith("rcs:") else phone,
                to=to,
                body=body,
                status="received",
                sent_at=clock.now(),
                media={attachment.sid: attachment for attachment in media},
                service_sid=service or self._services.get(to),
            )
            keyword = keywords.read(body)
            webhook = None if fate.lost else self._inbound(message, keyword, forged=fate.forged)
            self._keep(message, webhook)
            if keyword:
                self._heed(keyword, phone, to)
        if webhook:
            self.webhooks.send(webhook)
        return message, webhook

    def remember(self, phone: str, body: str, clinic: str | None, sent_at: datetime, sid: str) -> Message:
        """Put a text on a phone, and in the account's list, that was sent at `sent_at`; nothing is forwarded."""
        to = clinic or self._last_other(phone)
        message = Message(
            direction="inbound",
            sender=phone,
            to=to,
            body=body,
            status="received",
            sid=sid,
            created_at=sent_at,
            sent_at=sent_at,
        )
        with self._lock:
            self._keep(message, taken=True)
        return message

    def name(self, names: Mapping[str, str]) -> None:
        """Say whose these phones are; the pages show it."""
        with self._lock:
            self._names |= names
            self.revision += 1

    def name_of(self, phone: str) -> str | None:
        """Whose a phone is, if that was said."""
        return self._names.get(phone)

    def _heed(self, keyword: str, phone: str, clinic: str) -> None:
        pair = (phone, clinic)
        if keyword == "HELP":
            self._carrier_says(keyword, phone, clinic)
        elif keyword == "STOP" and pair not in self._blocked:
            self._blocked.add(pair)
            self._carrier_says(keyword, phone, clinic)
        elif keyword == "START" and pair in self._blocked:
            self._blocked.discard(pair)
            self._carrier_says(keyword, phone, clinic)

    def _carrier_says(self, keyword: str, phone: str, clinic: str) -> None:
        body, now = keywords.reply(keyword), clock.now()
        self._keep(
            Message(
                direction="outbound-reply",
                sender=clinic,
                to=phone,
                body=body,
                status="delivered",
                sent_at=now,
            )
        )

    def _inbound(self, message: Message, keyword: str | None, *, forged: bool) -> Webhook:
        settings = self.settings
        opt_out = keyword if settings.advanced_opt_out else None
        says = fields.inbound(message, settings.account_sid, settings.base_url, opt_out)
        return self.webhooks.make(
            "inbound", urldefrag(settings.sms_url).url, says, message.sid, message.sender, forged=forged
        )

    def _keep(self, message: Message, webhook: Webhook | None = None, *, taken: bool = False) -> Text:
        text = Text(message, message.body, webhook.id if webhook else None, taken)
        self.store.add(message)
        self._phones.setdefault(text.phone, deque(maxlen=TEXTS_PER_PHONE)).append(text)
        self._phones.move_to_end(text.phone)
        while len(self._phones) > self.settings.keep:
            self._phones.popitem(last=False)
        self.revision += 1
        return text

    def _last_other(self, phone: str) -> str:
        texts = self._phones.get(phone, ())
        received = (text.other for text in reversed(texts) if not text.outgoing)
        return next(received, self.settings.clinic_number)

    def texts(self, phone: str) -> list[Text]:
        """What a phone has, oldest first."""
        with self._lock:
            return list(self._phones.get(phone, ()))

    def phones(self, limit: int) -> list[str]:
        """The phones seen, the latest to be used first."""
        with self._lock:
            return [phone for phone, _ in zip(reversed(self._phones), range(limit), strict=False)]

    def ledger(self) -> tuple[list[Text], dict[str, int]]:
        """Every create accepted, oldest first, whatever was deleted since; and how many were asked for and accepted."""
        with self._lock:
            return list(self.creates), dict(self.requests)

    def blocked(self, phone: str) -> list[str]:
        """The clinic numbers a phone has opted out of."""
        with self._lock:
            return sorted(clinic for number, clinic in self._blocked if number == phone)
