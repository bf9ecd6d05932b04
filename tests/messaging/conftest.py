"""The phone network as a real process, the service's own SDK pointed at it, and verbs that a test would repeat."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from http.client import HTTPConnection
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import UUID

import pytest
from sqlalchemy import select

from config import db, runtime, settings
from messaging import delivery, outbox, people
from messaging.gateways import twilio
from messaging.inbox.models import InboxItem, ItemEvent, Timer
from messaging.models import Attempt, Clinic, Message, Patient, Staff

ROOT = Path(__file__).parents[2]
ACCOUNT, TOKEN = "AC" + "0" * 32, "a token for tests"


def _answers(port: int) -> bool:
    line = HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        line.request("GET", "/healthz")
        return line.getresponse().status == 200
    except OSError:
        return False
    finally:
        line.close()


@pytest.fixture(scope="session")
def network_url() -> Iterator[str]:
    """The address of a simulated phone network, one process per test process. Its callbacks go nowhere."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    environ = {k: v for k, v in os.environ.items() if not k.startswith(("TWILIO", "SIMULATOR"))}
    environ |= {"TWILIO_ACCOUNT_SID": ACCOUNT, "TWILIO_AUTH_TOKEN": TOKEN}
    given = ("--port", str(port), "--sms-url", "http://127.0.0.1:9/", "--status-delay-ms", "5")
    process = subprocess.Popen(
        [sys.executable, "-m", "simulator", *given], cwd=ROOT, env=environ, stdout=subprocess.DEVNULL
    )
    ends = time.monotonic() + 30
    while not _answers(port):
        assert time.monotonic() < ends, "the simulator did not start"
        time.sleep(0.02)
    yield f"http://127.0.0.1:{port}"
    process.terminate()
    process.wait(timeout=10)


@dataclass
class Network:
    """The phone network as a test sees it."""

    url: str

    def ask(self, method: str, path: str, given: Any = None) -> Any:
        """Speak with the simulator's own interface."""
        data = None if given is None else json.dumps(given).encode()
        asked = urllib.request.Request(
            self.url + path, data, {"Content-Type": "application/json"}, method=method
        )
        with urllib.request.urlopen(asked, timeout=10) as answer:
            content = answer.read()
        return json.loads(content) if content else None

    def faults(self, *rules: dict[str, Any]) -> None:
        """Put these faults in force, in place of those before."""
        self.ask("PUT", "/sim/faults", list(rules))

    def accepted(self, to: str = "") -> list[dict[str, Any]]:
        """Every text accepted, oldest first."""
        found: list[dict[str, Any]] = self.ask("GET", f"/sim/messages?to={quote(to)}")["messages"]
        return found

    def asked(self) -> int:
        """How many creates reached the network, accepted or not."""
        return int(self.ask("GET", "/sim/messages?limit=0")["requests"]["asked"])

    def settled(self, sid: str, status: str) -> None:
        """Wait until a text has come to `status`."""
        ends = time.monotonic() + 8
        while not any(one["sid"] == sid and one["status"] == status for one in self.accepted()):
            assert time.monotonic() < ends, f"{sid} never came to {status}"
            time.sleep(0.01)


@pytest.fixture
def network(house: settings.Settings, network_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Network]:
    """An empty phone network, and a house that sends through it; what is in doubt settles after four seconds."""
    monkeypatch.setattr(twilio, "TIMEOUT_SECONDS", 0.7)
    monkeypatch.setattr(
        runtime, "_settings", house.model_copy(update={"twilio_api_url": network_url, "settle_seconds": 4})
    )
    found = Network(network_url)
    found.ask("DELETE", "/sim")
    yield found
    found.ask("DELETE", "/sim/faults")
    made = runtime._made.get("gateways.twilio")
    if isinstance(made, twilio.TwilioGateway):
        made._client.http_client.session.close()


@dataclass
class Desk:
    """A clinic's desk: queues texts, and looks at what became of them, each in a transaction of its own."""

    clinic: Clinic
    serial: Iterator[int] = field(default_factory=count)

    def text(self, patient: Patient, body: str = "See you on Monday.", **more: Any) -> Message:
        """Queue a reminder, unless told otherwise."""
        given: dict[str, Any] = {
            "kind": "reminder",
            "programme": "reminders",
            "body": body,
            "dedupe": f"text:{next(self.serial)}",
        }
        with db.unit_of_work(self.clinic.id) as session:
            return outbox.text_patient(session, self.clinic, patient, **(given | more))

    def alert(self, staff: Staff, dedupe: str) -> Message | None:
        """Queue a text to a colleague."""
        with db.unit_of_work(self.clinic.id) as session:
            return outbox.text_staff(session, self.clinic, staff, body="An item waits.", dedupe=dedupe)

    def now(self, message: Message) -> Message:
        """The message as it is now."""
        with db.unit_of_work(db.EVERY) as session:
            return session.get_one(Message, message.id)

    def state(self, *messages: Message) -> Any:
        """The state of a message now, or of several."""
        states = [self.now(one).state for one in messages]
        return states[0] if len(states) == 1 else states

    def attempts(self, message: Message) -> list[Attempt]:
        """Every try to send it, oldest first."""
        with db.unit_of_work(db.EVERY) as session:
            return list(
                session.scalars(
                    select(Attempt).where(Attempt.message_id == message.id).order_by(Attempt.started_at)
                )
            )

    def items(self, kind: str = "delivery") -> list[InboxItem]:
        """What waits for a human."""
        with db.unit_of_work(db.EVERY) as session:
            found = list(session.scalars(select(InboxItem).where(InboxItem.kind == kind)))
            for one in found:
                _ = one.summary  # opened here: it needs its session
            return found

    def item(self, item_id: UUID) -> InboxItem:
        """One item as it is now."""
        with db.unit_of_work(db.EVERY) as session:
            return session.get_one(InboxItem, item_id)

    def events(self, item_id: UUID) -> list[str]:
        """What happened to an item, oldest first."""
        with db.unit_of_work(db.EVERY) as session:
            rows = select(ItemEvent.event).where(ItemEvent.item_id == item_id)
            return list(session.scalars(rows.order_by(ItemEvent.at, ItemEvent.id)))

    def timers(self, item_id: UUID, state: str = "waiting") -> list[Timer]:
        """The timers of an item in a state."""
        with db.unit_of_work(db.EVERY) as session:
            return list(session.scalars(select(Timer).where(Timer.item_id == item_id, Timer.state == state)))

    def alerts(self) -> list[Message]:
        """Every text to a colleague, oldest first."""
        with db.unit_of_work(db.EVERY) as session:
            return list(
                session.scalars(
                    select(Message).where(Message.kind == "staff_alert").order_by(Message.created_at)
                )
            )

    def learn(self, number: str, line: str) -> None:
        """What is known of a number from now on."""
        with db.unit_of_work(self.clinic.id) as session:
            people.learn_line(session, self.clinic, number, line, "operator")

    def callback(self, address: str, status: str, sid: str, code: int | None = None) -> None:
        """Take in a status as the door for the carrier does, from the address that the text was sent with."""
        with db.unit_of_work(db.EVERY) as session:
            attempt = delivery.attempt_by_token(session, address.rsplit("/", 1)[1])
            assert attempt is not None
            delivery.record_status(session, attempt, status, sid, code)


@pytest.fixture
def desk(clinic: Clinic) -> Desk:
    """The desk of the clinic."""
    return Desk(clinic)


@pytest.fixture
def at() -> Callable[[datetime], Any]:
    """Travel to a moment that stands still."""
    import time_machine

    return lambda moment: time_machine.travel(moment, tick=False)
