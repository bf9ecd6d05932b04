"""Whether staff's pages slow down: a large clinic against a small one, a long conversation against a short one.

Both clinics stand on one PostgreSQL server of the run's own, seen as the application's role sees them. What is timed
is the whole request inside the application: session, database, unsealing, template.
"""

import os
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, create_engine, select

from bench import crowd, postgresql, stage
from config import clock, db, runtime, settings
from messaging import conversations
from messaging.inbox import items, views
from messaging.models import Conversation, Message
from messaging.people import directory
from service import app as application
from service import start
from service.embedded.valkey import ValkeyServer
from web import sessions
from web.presenters import list_rows

ROUNDS, GOAL, GOAL_MS = 5, 1.3, 100
# How often in each round: what the day begins with, and what one looks at now and then.
REQUESTS, FEWER = 50, 12
# As many open as it takes for each view to fill its first page.
SMALL = crowd.Size(patients=1_000, messages=10_000, items=1_000, open=900)
SHORT, LONG = 20, 2_000
# Which patient of the crowd, with an item and a visit.
OPENED = 1
# The other pages, and words that stand in each so that an error page is not timed.
PAGES = {
    "/today": "Tomorrow",
    "/visits": "Given",
    "/visits?span=week": "Not confirmed",
    "/patients": "record number",
    "/handoffs": "andoff",
    "/board": "nassigned",
    "/clocks": "esponse",
    "/reach": "each",
    "/consents/drift": "mismatch",
    "/away": "way",
}


@dataclass(frozen=True)
class House:
    """One database as the application sees it, its clinic, and the addresses of a short and a long conversation."""

    loaded: settings.Settings
    owner: Engine
    crowd: crowd.Crowd
    talks: dict[int, str]


def measure() -> str:
    """Return the ratios of a large clinic to a small one, with a twentieth of the items open and with all of them."""
    large = asked_for()
    with ExitStack() as stack:
        folder = stack.enter_context(stage.folder())
        valkey = stack.enter_context(ValkeyServer(folder / "valkey"))
        server = stack.enter_context(postgresql.server())
        began = time.monotonic()
        postgresql.hasten(server, loading=True)
        pair = [furnish(folder, server, valkey.url, size) for size in (SMALL, large)]
        postgresql.hasten(server, loading=False)
        filled = time.monotonic() - began
        app = application.create_app()
        start.settled()
        print(f"inbox: filled in {filled:.0f} s", file=sys.stderr)
        measured = _pages(app, pair, views.VIEWS, f"{large.open:,} of {large.items:,} items open")
        measured += _talks(app, pair[1])
        measured += _others(app, pair) + _patients(app, pair)
        crowd.reopen_everything(pair[1].owner)
        waiting = [view for view in views.VIEWS if view not in ("done", "snoozed")]
        measured += _pages(app, pair, waiting, f"all {large.items:,} items open")
    return "\n".join(
        [
            f"inbox: {large.patients:,} patients, {large.messages:,} messages, {large.items:,} items against"
            f" {SMALL.patients:,}, {SMALL.messages:,}, {SMALL.items:,} on PostgreSQL, filled in {filled:.0f} s"
            f" (goal: p95 at most {GOAL} times the small one's and under {GOAL_MS} ms;"
            f" {ROUNDS * REQUESTS} requests of mine and of a case)",
            *(f"inbox: {line}" for line in measured),
        ]
    )


def asked_for() -> crowd.Size:
    """Return how large the large clinic is: as many patients as BENCH_PATIENTS says, each with ten texts."""
    patients = int(os.environ.get("BENCH_PATIENTS", "100000"))
    there_are = max(1_000, patients // 10)
    return crowd.Size(patients, patients * 10, there_are, max(900, there_are // 20))


def furnish(folder: Path, server: str, redis: str, size: crowd.Size) -> House:
    """Fill a database of its own on the server and return it as the application sees it."""
    url = postgresql.database(server, f"crowd_{size.patients}_{size.items}")
    stage.begin(folder, database=url, redis=redis)
    owner = create_engine(url)
    filled = crowd.fill(owner, size)
    _write_out(filled)
    talks = {length: f"/inbox/{_talk(filled, length)}?view=everyone" for length in (SHORT, LONG)}
    db.engine().dispose()
    loaded = stage.begin(folder, database=postgresql.as_application(url), redis=redis)
    db.engine().dispose()
    return House(loaded, owner, filled, talks)


def _write_out(there: crowd.Crowd) -> None:
    """Seal the number and words of the patient whose pages are opened: those of the crowd are filler."""
    with db.unit_of_work(db.EVERY) as session:
        db.load_keys(session, {there.clinic.key_id})
        for message in session.scalars(select(Message).where(Message.patient_id == crowd.patient_id(OPENED))):
            message.body = "See you then, thank you."
        for talk in session.scalars(select(Conversation).where(Conversation.patient_id == crowd.patient_id(OPENED))):
            talk.number = f"+1303555{100 + OPENED:04}"


def _talk(there: crowd.Crowd, length: int) -> str:
    """Hold a conversation of `length` texts with a patient of its own; return the id of the item it is open at."""
    number, now = f"+1201555{100 + length % 100:04}", clock.now()
    with db.unit_of_work(db.EVERY) as session:
        record = directory.PatientRecord(f"talk-{length}", "Teresa", "Quill", number, None)
        patient, _ = directory.save_patient(session, there.clinic, record)
        talk = conversations.of_number(session, there.clinic, number)
        for back in range(length):
            at = now - timedelta(minutes=7 * back + 1)
            session.add(
                Message(
                    clinic_id=there.clinic.id, key_id=talk.key_id, conversation_id=talk.id, patient_id=patient.id,
                    direction="out" if back % 2 else "in", kind="reply", lane="bulk", body="See you then, thank you.",
                    state="delivered" if back % 2 else "received", media=[], reading=[], try_after=at, created_at=at,
                    dedupe=f"talk:{length}:{back}", author_id=there.team[0].id if back % 2 else None,
                )
            )  # fmt: skip
        item = items.open_item(
            session, there.clinic, kind="reply", about=f"conversation:{talk.id}", dedupe=f"talk:{length}",
            summary="Says thank you.", patient_id=patient.id, conversation_id=talk.id, owner_id=there.team[0].id,
        )  # fmt: skip
        return str(item.id)


def _pages(app: Flask, pair: list[House], shown: Sequence[str], label: str) -> list[str]:
    lines = []
    for view in shown:
        took: list[list[float]] = [[], []]
        for _ in range(ROUNDS):
            for times, house in zip(took, pair, strict=True):
                times += _timed(
                    app, house, f"/inbox?view={view}", list_rows.PAGE, REQUESTS if view == "mine" else FEWER
                )
        lines.append(f"{label}, first page of {view}: {_ratio(took[1], took[0])}")
    return lines


def _others(app: Flask, pair: list[House], pages: dict[str, str] = PAGES) -> list[str]:
    lines = []
    for address, words in pages.items():
        took: list[list[float]] = [[], []]
        for _ in range(ROUNDS):
            for times, house in zip(took, pair, strict=True):
                times += _timed(app, house, address, 0, FEWER, words)
        lines.append(f"{address}: {_ratio(took[1], took[0])}")
    return lines


def _patients(app: Flask, pair: list[House]) -> list[str]:
    """A patient's parts, of somebody with an item and a visit."""
    known = crowd.patient_id(OPENED)
    parts = {"": "Given1", "/visits": "Given1", "/record": "Given1"}
    return _others(app, pair, {f"/patients/{known}{part}": words for part, words in parts.items()})


def _talks(app: Flask, house: House) -> list[str]:
    took: dict[int, list[float]] = {length: [] for length in house.talks}
    for _ in range(ROUNDS):
        for length, address in house.talks.items():
            took[length] += _timed(app, house, address, 1, REQUESTS)
    return [f"a conversation of {LONG:,} texts against one of {SHORT}: {_ratio(took[LONG], took[SHORT])}"]


def _timed(app: Flask, house: House, address: str, at_least: int, requests: int, words: str = "") -> list[float]:
    """Return how many milliseconds each of `requests` took, after a few that warm connections and plans."""
    with signed_in(app, house) as browser:
        took = []
        for _ in range(6 + requests):
            began = time.perf_counter()
            page = browser.get(address)
            took.append(1000 * (time.perf_counter() - began))
            shown = page.text.count("data-row=")
            if page.status_code != 200 or shown < at_least or words not in page.text:
                raise RuntimeError(f"{address} answered {page.status_code} with {shown} rows")
    return took[6:]


@contextmanager
def signed_in(app: Flask, house: House) -> Iterator[FlaskClient]:
    """Yield a browser of the care manager's, with this process configured for the house."""
    runtime.configure(house.loaded)
    with db.unit_of_work(db.EVERY) as session:
        token = sessions.start(session, house.crowd.team[0])
    browser = app.test_client()
    browser.set_cookie(sessions.cookie_name(), token)
    try:
        yield browser
    finally:
        db.engine().dispose()


def _ratio(ours: list[float], floor: list[float]) -> str:
    middle, slow = statistics.median(ours), _p95(ours)
    return (
        f"p50 {middle:.1f} ms, p95 {slow:.1f} ms; the small one {statistics.median(floor):.1f} and {_p95(floor):.1f};"
        f" ratio p50 {middle / statistics.median(floor):.2f}, p95 {slow / _p95(floor):.2f}"
    )


def _p95(times: list[float]) -> float:
    return statistics.quantiles(times, n=20)[-1]
