"""Two hundred open inboxes that poll each second: how much of one core they cost, and how long they wait.

Colleagues of eight clinics, each looking at a case and going on to another every half minute, every tenth one writing;
an item somewhere each second. Measured are the web processes and Valkey, beside a server that answers 304 to
everything.
"""

import asyncio
import itertools
import random
import statistics
import time
from collections import Counter
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy.orm import Session

from bench import stage
from config import db
from messaging.inbox import items
from messaging.models import Clinic
from messaging.people import directory
from service import child_settings, start
from service.embedded.valkey import ValkeyServer
from web import sessions

CLINICS, EACH, SECONDS, WARM, GOAL = 8, 25, 30, 5, 0.5


@dataclass
class Page:
    """An open inbox: its cookie, its clinic's cases, and what it has been told."""

    cookie: str
    cases: list[tuple[str, UUID]]
    etags: list[str] = field(default_factory=lambda: ['"new"', '"new"'])


@dataclass
class Found:
    """What came of a round: answers by status, seconds each took, CPU seconds a second; `silent` without Redis."""

    answers: Counter[int]
    waits: list[float]
    silent: int = 0
    web: float = 0
    valkey: float = 0


def measure() -> str:
    """Return cores used and the 95th percentile of the wait, ours and the floor's."""
    floor, ours = _round("bench.baseline:app"), _round("service.wsgi:app")
    pages, unchanged = CLINICS * EACH, ours.answers[304] / ours.answers.total()
    return (
        f"polls: {pages} open inboxes cost {_cores(ours):.2f} cores at a poll a second each (goal {GOAL}; "
        f"Valkey's part {_cores(ours) * ours.valkey / (ours.web + ours.valkey):.2f}), {unchanged:.0%} answered 304, "
        f"{ours.silent} without Redis, p95 {_p95(ours):.0f} ms; "
        f"where everything is a 304 it is {_cores(floor):.2f} cores, p95 {_p95(floor):.0f} ms; "
        f"ratio {_cores(ours) / _cores(floor):.1f} ({ours.answers.total() / SECONDS:.0f} and "
        f"{floor.answers.total() / SECONDS:.0f} polls/s were made, {SECONDS} s each, SQLite)"
    )


def _cores(tally: Found) -> float:
    """Return what a poll costs, times the polls of a second: the same on a machine that does much else besides."""
    return (tally.web + tally.valkey) * SECONDS / tally.answers.total() * CLINICS * EACH


def _p95(tally: Found) -> float:
    return 1000 * statistics.quantiles(tally.waits, n=20)[-1]


def _round(target: str) -> Found:
    with stage.folder() as folder, ValkeyServer(folder / "valkey") as valkey:
        loaded = stage.begin(folder / "data")
        env = child_settings.environment(loaded, valkey.url)
        start.use(loaded.model_copy(update={"redis_url": valkey.url}), "bench")
        clinics = [_clinic(number) for number in range(CLINICS)]
        pages = [page for clinic in clinics for page in _pages(clinic)]
        argv = ["-m", "bench.server", target]
        with stage.serving(argv, env, f"http://127.0.0.1:{loaded.port}/healthz") as server:
            watched = {"web": stage.family(server), "valkey": [valkey.pid or 0]}
            return asyncio.run(_poll(loaded.port, pages, clinics, watched))


def _clinic(number: int) -> Clinic:
    with db.unit_of_work(db.EVERY) as session:
        return directory.add_clinic(
            session, name=f"Clinic {number}", zone="America/Denver", number=f"+1201555{100 + number:04}"
        )


def _pages(clinic: Clinic) -> list[Page]:
    with db.unit_of_work(clinic.id) as session:
        cases = [_item(session, clinic, f"case {number}") for number in range(EACH)]
        pages = []
        for number in range(EACH):
            staff = directory.add_staff(
                session, clinic, name=f"Colleague {number}", email=f"c{number}@{clinic.id}.example"
            )
            pages.append(Page(f"{sessions.cookie_name()}={sessions.start(session, staff)}", cases))
    return pages


def _item(session: Session, clinic: Clinic, dedupe: str) -> tuple[str, UUID]:
    item = items.open_item(session, clinic, kind="reply", about="bench:1", dedupe=dedupe, summary="Can I come at four?")
    return item.thread, item.id


async def _poll(port: int, pages: list[Page], clinics: list[Clinic], watched: dict[str, list[int]]) -> Found:
    tally = Found(Counter(), [])
    end = time.monotonic() + WARM + SECONDS
    tasks = [asyncio.create_task(_open(port, page, end, tally)) for page in pages]
    await asyncio.sleep(WARM)
    tally.answers.clear()
    tally.waits.clear()
    tally.silent = 0
    before, began = {name: stage.processor_seconds(pids) for name, pids in watched.items()}, time.monotonic()
    for number in range(SECONDS):
        await asyncio.to_thread(_happen, random.choice(clinics), f"news {number}")
        await asyncio.sleep(max(0, began + number + 1 - time.monotonic()))
    took = time.monotonic() - began
    for name, pids in watched.items():
        setattr(tally, name, (stage.processor_seconds(pids) - before[name]) / took)
    await asyncio.gather(*tasks)
    if set(tally.answers) - {200, 304}:
        raise RuntimeError(f"polls were answered with {dict(tally.answers)}")
    return tally


def _happen(clinic: Clinic, dedupe: str) -> None:
    with db.unit_of_work(clinic.id) as session:
        _item(session, clinic, dedupe)


async def _open(port: int, page: Page, end: float, tally: Found) -> None:
    """Poll once a second over one connection, from a moment of its own, until `end`."""
    await asyncio.sleep(random.random())
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    place, mode = random.choice(page.cases), _mode()
    for turn in itertools.count(random.randrange(5)):
        began, rows = time.monotonic(), int(turn % 5 == 0)
        if began > end:
            break
        if random.random() < 1 / 30:
            place, mode = random.choice(page.cases), _mode()
        writer.write(
            f"GET /inbox/poll?unattended=1&thread={place[0]}&item={place[1]}{mode}{'&rows=1' * rows} HTTP/1.1\r\n"
            f"Host: x\r\nCookie: {page.cookie}\r\nIf-None-Match: {page.etags[rows]}\r\n\r\n".encode()
        )
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        fields = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
        body = await reader.readexactly(int(fields.get("content-length", 0)) if "200 ok" in head else 0)
        tally.silent += b'"list":"event ' in body
        page.etags[rows] = fields.get("etag", page.etags[rows])
        tally.answers[int(head.split()[1])] += 1
        tally.waits.append(time.monotonic() - began)
        await asyncio.sleep(max(0, began + 1 - time.monotonic()))
    writer.close()


def _mode() -> str:
    return "&mode=writing" if random.random() < 0.1 else ""
