"""What an EHR tells by itself, signed: the notices of an event platform, with ids and nothing more, and whatever else
is sent as they are."""

import hashlib
import hmac
import json
import secrets
import threading
import time
import urllib.error
import urllib.request
from collections import deque
from dataclasses import dataclass
from itertools import count
from typing import Any, Literal

from simulator import clock, settings
from simulator.ehrs.charts import Chart

KEPT = 500
APPOINTMENT = "urn:athenahealth:athenanet:appointment"
Topic = Literal["schedule", "cancel", "reschedule", "check-in", "check-out", "update"]


@dataclass(frozen=True)
class Told:
    """One notice as it was sent: its bytes, its signature, what was answered and how fast in milliseconds."""

    number: int
    event: str
    body: bytes
    signature: str
    status: int | None
    milliseconds: int


class Events:
    """What was told, so that it can be told again, byte for byte."""

    def __init__(self) -> None:
        self._numbers, self._lock = count(1), threading.Lock()
        self._told: deque[Told] = deque(maxlen=KEPT)

    def tell(self, chart: Chart, topic: Topic, numbers: list[str], *, forged: bool = False) -> Told:
        """Send one notice of these visits. Raises ValueError where the address is not on this machine."""
        event = secrets.token_hex(12)
        return self.send(chart, _bundle(topic, numbers, chart.client.practice, event), forged=forged)

    def send(self, chart: Chart, bundle: dict[str, Any], *, forged: bool = False) -> Told:
        """Send a bundle to where this EHR tells. Raises ValueError where the address is not on this machine."""
        body = json.dumps(bundle, indent=1).encode()
        secret = chart.client.events_secret + ("?" if forged else "")
        signature = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        return self._sent(chart, str(bundle["id"]), body, signature)

    def again(self, chart: Chart, number: int) -> Told | None:
        """Send the very bytes of a notice once more; None where it is not kept."""
        with self._lock:
            known = next((told for told in self._told if told.number == number), None)
        return self._sent(chart, known.event, known.body, known.signature) if known else None

    def told(self) -> list[Told]:
        """Return what was told, the newest first."""
        with self._lock:
            return list(reversed(self._told))

    def clear(self) -> None:
        """Forget it all."""
        with self._lock:
            self._told.clear()

    def _sent(self, chart: Chart, event: str, body: bytes, signature: str) -> Told:
        url = chart.client.events_url
        if not settings.points_here(url):
            raise ValueError("events go to an address on this machine only")
        headers = {"Content-Type": "application/json", "X-Hub-Signature": signature}
        began, status = time.monotonic(), None
        try:
            with urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=30) as answer:  # noqa: S310
                status = answer.status
        except urllib.error.HTTPError as error:
            status = error.code
            error.close()
        except OSError:
            status = None
        told = Told(next(self._numbers), event, body, signature, status, int((time.monotonic() - began) * 1000))
        with self._lock:
            self._told.append(told)
        return told


def _bundle(topic: Topic, numbers: list[str], practice: str, event: str) -> dict[str, Any]:
    """A bundle as the platform sends it: a SubscriptionStatus first, counted within the bundle."""
    notices = [
        {
            "eventNumber": str(place),
            "id": f"{event}-{place}",
            "timestamp": clock.now().isoformat(timespec="milliseconds"),
            "focus": {"identifier": {"system": f"{APPOINTMENT}:{practice}", "value": number}},
        }
        for place, number in enumerate(numbers, 1)
    ]
    status = {
        "resourceType": "SubscriptionStatus",
        "status": "active",
        "type": "event-notification",
        "eventsSinceSubscriptionStart": str(len(notices)),
        "notificationEvent": notices,
        "subscription": {"reference": f"Subscription/{topic}"},
        "topic": f"https://api.platform.athenahealth.com/fhir/r4/SubscriptionTopic/Appointment.{topic}",
    }
    return {
        "resourceType": "Bundle",
        "id": event,
        "type": "history",
        "timestamp": clock.now().isoformat(timespec="milliseconds"),
        "entry": [{"fullUrl": f"urn:uuid:{event}", "resource": status}],
    }
