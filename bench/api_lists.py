"""Whether the lists of /api/v1 slow down: their first pages and further ones in a large clinic and in a small one.

Both stand in PostgreSQL, as bench.inbox fills them. What is timed is the whole request inside the application: key,
throttle, database, unsealing, JSON, and the line of the audit log. BENCH_PATIENTS is how many patients the large one
has (100,000), each with ten texts.
"""

import statistics
import time
from contextlib import ExitStack
from dataclasses import dataclass

from flask import Flask
from flask.testing import FlaskClient

from api import catalogue
from bench import crowd, inbox, postgresql, stage
from bench.inbox import House
from config import db, runtime
from messaging.programs import keys, scopes
from service import app as application
from service import start
from service.embedded.valkey import ValkeyServer

GOAL_MS = 60
# A page and the ones after it, each of as many rows as a program gets that asks for nothing; WARM pages are not timed.
PAGES, WARM = 40, 4
# As many patients as are really sealed: no page shows filler.
SMALL = crowd.Size(patients=crowd.OPENED, messages=10 * crowd.OPENED, items=1_000, open=900)


@dataclass(frozen=True)
class Took:
    """The milliseconds of a list's pages, of them those of this process's own work, and how many rows there were.

    On a machine that others use, the second says what a page costs; the database's work is only in the first.
    """

    name: str
    times: list[float]
    own: list[float]
    rows: int


def measure() -> str:
    """Return for each list the p95 of its pages, in the large clinic and the small one."""
    large = inbox.asked_for()
    with ExitStack() as stack:
        folder = stack.enter_context(stage.folder())
        valkey = stack.enter_context(ValkeyServer(folder / "valkey"))
        server = stack.enter_context(postgresql.server())
        postgresql.hasten(server, loading=True)
        small, big = [inbox.furnish(folder, server, valkey.url, size) for size in (SMALL, large)]
        postgresql.hasten(server, loading=False)
        app = application.create_app()
        start.settled()
        floors, ours = _lists(app, small), _lists(app, big)
    head = f"api_lists: {large.patients:,} patients, {large.messages:,} texts (goal: p95 under {GOAL_MS} ms)"
    return "\n".join([head, *(_line(each, floor) for each, floor in zip(ours, floors, strict=True))])


def _lists(app: Flask, house: House) -> list[Took]:
    runtime.configure(house.loaded)
    asked = [each for each in catalogue.ALL if each.method == "GET" and not each.by_id and each.kind != "report"]
    took = []
    for operation in asked:
        with db.unit_of_work(db.EVERY) as session:  # each with a key of its own: the throttle counts by key
            wanted = keys.Wanted(operation.name, scopes.ALL, 1, session.merge(house.crowd.team[0]))
            _, token = keys.make(session, house.crowd.clinic, wanted, actor="system:bench")
        program = app.test_client()
        program.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
        took.append(_pages(program, operation.name, f"/api/v1{operation.path}"))
    db.engine().dispose()
    return took


def _pages(program: FlaskClient, name: str, address: str) -> Took:
    times, own, rows, after = list[float](), list[float](), 0, ""
    for _ in range(WARM + PAGES):
        began, worked = time.perf_counter(), time.process_time()
        page = program.get(address + after)
        times.append(1000 * (time.perf_counter() - began))
        own.append(1000 * (time.process_time() - worked))
        if page.status_code != 200:
            raise RuntimeError(f"{address} answered {page.status_code}")
        told = page.get_json()
        rows, next_page = rows + len(told["items"]), told.get("next")
        after = f"?after={next_page}" if next_page else ""
    return Took(name, times[WARM:], own[WARM:], rows)


def _line(ours: Took, floor: Took) -> str:
    return (
        f"api_lists: {ours.name}: p50 {statistics.median(ours.times):.1f} ms, p95 {_p95(ours.times):.1f} ms,"
        f" own work p95 {_p95(ours.own):.1f} ms, {ours.rows} rows;"
        f" small p95 {_p95(floor.times):.1f}, own {_p95(floor.own):.1f}"
    )


def _p95(times: list[float]) -> float:
    return statistics.quantiles(times, n=20)[-1]
