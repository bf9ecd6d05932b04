"""SIU messages accepted durably a second: ours against the same server with signature check and one durable INSERT."""

import base64
import hashlib
import hmac
import time
from collections.abc import Sequence

from sqlalchemy import select

from bench import inbound, stage
from bench.fuzz_feeds import HEAD, PID, SCH
from config import db, settings
from interchange import sources
from interchange.models import Feed
from messaging.models import Clinic

GOAL = 0.7
PATH = "/webhooks/ehr/books"
# The floor knows it too.
SECRET = "whsec_" + base64.b64encode(b"a secret of the measurements, 32").decode()


def measure() -> str:
    """Return the ratio of the medians of three rounds each, floor and ours in turn."""
    floor, ours = inbound.race(PATH, _messages)
    return (
        f"siu: {ours:.0f} messages/s kept and acknowledged, floor {floor:.0f}/s, ratio {ours / floor:.2f} "
        f"(goal {GOAL}; {inbound.REQUESTS} messages, {inbound.CLIENTS} clients, SQLite, median of {inbound.ROUNDS})"
    )


def _messages(_loaded: settings.Settings) -> Sequence[inbound.Request]:
    feed_of(stage.clinic())
    return [signed(place) for place in range(inbound.REQUESTS)]


def feed_of(clinic: Clinic) -> None:
    """Let an EHR send to this clinic, signed with SECRET."""
    with db.unit_of_work(clinic.id) as session:
        own = session.get_one(Clinic, clinic.id)
        db.load_keys(session, [own.key_id])
        sources.add(session, own, "books", {}, "system:bench")
        session.flush()
        session.scalars(select(Feed)).one().secret = SECRET


def signed(place: int) -> inbound.Request:
    """Return the body and the headers of the message of a new visit."""
    filled = {
        "at": "20260301120000", "kind": "SIU^S12", "id": f"C{place}", "who": f"P{place}", "last": place % 60,
        "key": f"V{place}", "start": f"203006{1 + place % 28:02}{8 + place % 9:02}0000",
    }  # fmt: skip
    body = (HEAD + SCH + PID + "AIL|1||ROOM 2\r").format(**filled).encode()
    at = str(int(time.time()))
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    signature = base64.b64encode(hmac.new(key, f"msg_{place}.{at}.".encode() + body, hashlib.sha256).digest()).decode()
    headers = {"webhook-id": f"msg_{place}", "webhook-timestamp": at, "webhook-signature": f"v1,{signature}"}
    return body, headers | {"Content-Type": "application/hl7-v2"}
