"""The webhooks of this network: signed, sent in order by a few threads, remembered so that each can be replayed."""

import queue
import threading
import time
import zlib
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from urllib.parse import urldefrag, urlencode

from simulator import clock, messages, settings, signing
from simulator.delivery import Line, Outcome, Patience

LANES = 16
WAIT_S = 31.0  # longer than Twilio's patience with one retry


@dataclass(kw_only=True)
class Webhook:
    """One webhook: `kind` is "inbound" or "status", `about` the message sid, `key` names what must stay in order.

    `status` is the HTTP status answered, None while there is none; `error` says why.
    """

    kind: str
    url: str
    about: str
    key: str
    headers: dict[str, str]
    body: bytes
    id: str = field(default_factory=lambda: messages.new_sid("WH"))
    at: datetime = field(default_factory=clock.now)
    status: int | None = None
    attempts: int = 0
    error: str | None = None
    done: threading.Event = field(default_factory=threading.Event)


class Webhooks:
    """Makes, sends and remembers webhooks. Those with the same key leave one after the other."""

    def __init__(self, auth_token: str, keep: int) -> None:
        self._auth_token = auth_token
        self._keep = keep
        self._lock = threading.Lock()
        self.answered = 0
        self._sent: OrderedDict[str, Webhook] = OrderedDict()
        self._lanes: list[queue.SimpleQueue[Webhook]] = [queue.SimpleQueue() for _ in range(LANES)]
        for at, lane in enumerate(self._lanes):
            threading.Thread(target=self._work, args=(lane,), name=f"webhooks-{at}", daemon=True).start()

    def make(
        self,
        kind: str,
        url: str,
        parameters: Sequence[tuple[str, str]],
        about: str,
        key: str,
        *,
        forged: bool,
    ) -> Webhook:
        """Return a signed webhook, remembered but not yet sent. A forged one carries a wrong signature."""
        token = self._auth_token + ("?" if forged else "")
        headers = {
            "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8",
            "X-Twilio-Signature": signing.sign(token, url, parameters),
            "I-Twilio-Idempotency-Token": messages.new_sid("")[:32],
            "User-Agent": "TwilioProxy/1.1 (simulated)",
            "Accept": "*/*",
        }
        webhook = Webhook(
            kind=kind, url=url, about=about, key=key, headers=headers, body=urlencode(parameters).encode()
        )
        self._remember(webhook)
        return webhook

    def twin(self, webhook: Webhook) -> Webhook:
        """The same bytes as a webhook of its own, as when a carrier sends one twice."""
        twin = replace(webhook, id=messages.new_sid("WH"), done=threading.Event())
        self._remember(twin)
        return twin

    def send(self, webhook: Webhook) -> None:
        """Queue a webhook. One that would leave this machine is refused instead, and says so."""
        if not settings.points_here(webhook.url):
            webhook.error = "refused: the simulator calls addresses on this machine only"
            webhook.done.set()
            return
        self._lanes[zlib.crc32(webhook.key.encode()) % LANES].put(webhook)

    def replay(self, webhook_id: str) -> Webhook | None:
        """Send the exact bytes of a webhook once more and wait for the answer; None if it is not remembered."""
        webhook = self.get(webhook_id)
        if webhook is not None:
            webhook.done.clear()
            self.send(webhook)
            webhook.done.wait(WAIT_S)
        return webhook

    def get(self, webhook_id: str | None) -> Webhook | None:
        """The webhook with this id."""
        with self._lock:
            return self._sent.get(webhook_id) if webhook_id else None

    def all(self) -> list[Webhook]:
        """Every webhook remembered, oldest first."""
        with self._lock:
            return list(self._sent.values())

    def clear(self) -> None:
        """Forget all; what waits in a lane is not sent."""
        with self._lock:
            self._sent.clear()

    def _remember(self, webhook: Webhook) -> None:
        with self._lock:
            self._sent[webhook.id] = webhook
            while len(self._sent) > self._keep:
                self._sent.popitem(last=False)

    def _work(self, lane: "queue.SimpleQueue[Webhook]") -> None:
        line = Line()
        while True:
            webhook = lane.get()
            if self.get(webhook.id) is not None:
                outcome = _deliver(line, webhook)
                webhook.status, webhook.error = outcome.status, outcome.error
                with self._lock:
                    self.answered += 1
            webhook.done.set()


def _deliver(line: Line, webhook: Webhook) -> Outcome:
    patience = Patience.of(webhook.url)
    url = urldefrag(webhook.url).url
    ends = time.monotonic() + patience.total_s
    for tried in range(patience.retries + 1):
        webhook.attempts += 1
        left = ends - time.monotonic()
        outcome = line.post(url, webhook.headers, webhook.body, patience, left)
        if tried == patience.retries or not patience.tries_again(outcome) or ends - time.monotonic() < 0.05:
            break
    return outcome
