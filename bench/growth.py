"""How pages and jobs grow with what is stored: the same four at 10,000, 100,000 and 1,000,000 texts, in turn.

Each size is a clinic of its own in PostgreSQL, a tenth as many patients as texts and a hundredth as many items. The
exponent is the slope of log(median) over log(texts): 0 does not grow, 1 grows as fast as what is stored. BENCH_SIZES
says other sizes, BENCH_ROUNDS how often (5), BENCH_JSON a file that the figures are written to.
"""

import json
import math
import os
import secrets
import statistics
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from flask import Flask
from sqlalchemy import select, text

from bench import crowd, inbox, postgresql, stage
from bench.inbox import House
from config import clock, db, queue
from messaging.models import Clinic
from service import app as application
from service import start
from service.embedded.valkey import ValkeyServer
from webhooks import inbound_text, jobs, receipts

SIZES = "10000,100000,1000000"
ROUNDS, TIMES, WARM = int(os.environ.get("BENCH_ROUNDS", "5")), 8, 2
SENDER = f"+1201555{100 + inbox.SHORT:04}"
WORDS = "Thank you, see you then"


@dataclass(frozen=True)
class Growth:
    """One page or job: median and quartiles in milliseconds at each size, processor time of this process alone, and
    the exponents of both medians."""

    name: str
    texts: list[int]
    median_ms: list[float]
    quartiles_ms: list[tuple[float, float]]
    processor_ms: list[float]
    exponent: float
    processor_exponent: float


# What is timed, once: it is given the house and the browser that is signed in there.
Act = Callable[[House, Flask], list[tuple[float, float]]]


def measure() -> str:
    """Return a line for each page and job, and write the figures down where BENCH_JSON says."""
    sizes = [int(size) for size in os.environ.get("BENCH_SIZES", SIZES).split(",")]
    before = os.getloadavg()
    with ExitStack() as stack:
        folder = stack.enter_context(stage.folder())
        valkey = stack.enter_context(ValkeyServer(folder / "valkey"))
        server = stack.enter_context(postgresql.server())
        postgresql.hasten(server, loading=True)
        houses = [inbox.furnish(folder, server, valkey.url, _size(texts)) for texts in sizes]
        postgresql.hasten(server, loading=False)
        app = application.create_app()
        start.settled()
        grown = _grown(app, sizes, houses)
        stored = [round(_bytes(house) / texts) for house, texts in zip(houses, sizes, strict=True)]
    load = f"{before[0]:.1f} to {os.getloadavg()[0]:.1f}"
    _write_down(grown, load, stored)
    head = f"growth: load {load}, {os.cpu_count()} processors; bytes on disk for each text {stored}"
    return "\n".join([head, *map(_line, grown)])


def _size(texts: int) -> crowd.Size:
    items = max(200, texts // 100)
    return crowd.Size(max(1_000, texts // 10), texts, items, max(100, items // 20))


def _grown(app: Flask, sizes: Sequence[int], houses: Sequence[House]) -> list[Growth]:
    acts: dict[str, Act] = {"inbox": _inbox, "case": _case, "inbound text handled": _inbound, "sweep": _sweep}
    taken: dict[str, list[list[tuple[float, float]]]] = {name: [[] for _ in sizes] for name in acts}
    for _ in range(ROUNDS):
        for name, act in acts.items():
            for place, house in enumerate(houses):
                taken[name][place] += act(house, app)
    return [_growth(name, sizes, times) for name, times in taken.items()]


def _growth(name: str, sizes: Sequence[int], taken: Sequence[Sequence[tuple[float, float]]]) -> Growth:
    walls = [[wall for wall, _ in times] for times in taken]
    processor = [statistics.median(used for _, used in times) for times in taken]
    medians = [statistics.median(times) for times in walls]
    quartiles = [statistics.quantiles(times, n=4) for times in walls]
    return Growth(
        name,
        list(sizes),
        [round(median, 2) for median in medians],
        [(round(four[0], 2), round(four[2], 2)) for four in quartiles],
        [round(used, 2) for used in processor],
        round(slope(sizes, medians), 3),
        round(slope(sizes, processor), 3),
    )


def slope(sizes: Sequence[float], times: Sequence[float]) -> float:
    """Return the exponent by which `times` grow with `sizes`: the least squares' slope of their logarithms."""
    if len(sizes) < 2:
        return math.nan
    return statistics.linear_regression([math.log(size) for size in sizes], [math.log(took) for took in times]).slope


def _timed(act: Callable[[], object]) -> list[tuple[float, float]]:
    """Return for each of several times the milliseconds by the clock and of this process, after a few to warm up."""
    taken = []
    for _ in range(WARM + TIMES):
        began, used = time.perf_counter(), time.process_time()
        act()
        taken.append((1000 * (time.perf_counter() - began), 1000 * (time.process_time() - used)))
    return taken[WARM:]


def _page(house: House, app: Flask, address: str) -> list[tuple[float, float]]:
    with inbox.signed_in(app, house) as browser:

        def ask() -> None:
            answer = browser.get(address)
            if answer.status_code != 200 or "data-row=" not in answer.text:
                raise RuntimeError(f"{address} answered {answer.status_code}")

        return _timed(ask)


def _inbox(house: House, app: Flask) -> list[tuple[float, float]]:
    return _page(house, app, "/inbox?view=mine")


def _case(house: House, app: Flask) -> list[tuple[float, float]]:
    return _page(house, app, house.talks[inbox.SHORT])


def _inbound(house: House, app: Flask) -> list[tuple[float, float]]:
    """A text of a known patient, from its receipt to its item: kept, found, filed, read, put before somebody."""
    with inbox.signed_in(app, house), db.unit_of_work(db.EVERY, read_only=True) as session:
        clinic = session.scalars(select(Clinic).where(Clinic.id == house.crowd.clinic.id)).one()

        def handle() -> None:
            form = {"MessageSid": "SM" + secrets.token_hex(16), "From": SENDER, "To": clinic.number, "Body": WORDS}
            priority = inbound_text.priority_of(form)
            receipts.receive("twilio.sms", form["MessageSid"], form, priority=priority, clinic=clinic)
            if jobs.drain(priority) < 1:
                raise RuntimeError("the text was not handled")

        return _timed(handle)


def _sweep(house: House, app: Flask) -> list[tuple[float, float]]:
    """What the ticker asks each second: since when something is due, of every lane."""
    with inbox.signed_in(app, house):

        def sweep() -> None:
            with db.unit_of_work(db.EVERY, read_only=True) as session:
                for lane in queue.lanes().values():
                    lane.oldest(session, clock.now())

        return _timed(sweep)


def _bytes(house: House) -> int:
    """Return what a database takes on disk, with its indexes, patients, items and all else."""
    with house.owner.connect() as connection:
        return int(connection.execute(text("SELECT pg_database_size(current_database())")).scalar_one())


def _line(growth: Growth) -> str:
    at = ", ".join(
        f"{texts:,}: {median:.1f} ({low:.1f} to {high:.1f}; processor {used:.1f}) ms"
        for texts, median, (low, high), used in zip(
            growth.texts, growth.median_ms, growth.quartiles_ms, growth.processor_ms, strict=True
        )
    )
    return f"growth: {growth.name}: {at}; exponent {growth.exponent:.3f}, of processor {growth.processor_exponent:.3f}"


def _write_down(grown: Sequence[Growth], load: str, stored: Sequence[int]) -> None:
    file = os.environ.get("BENCH_JSON")
    if not file:
        return
    facts: dict[str, object] = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "processors": os.cpu_count(),
        "load": load,
    }
    facts |= {"bytes_for_each_text": list(stored)}
    Path(file).write_text(json.dumps(facts | {"growth": [asdict(each) for each in grown]}, indent=2) + "\n", "utf-8")
