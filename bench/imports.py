"""How fast a file of patients and one of visits are imported, against the bare rows put into the same tables.

Beside it: what memory it takes, and how long a colleague waits for the inbox meanwhile.

PostgreSQL, the whole way of a file that was handed in: read, sealed in parts, worked off part by part, visits planned.
The floor is the same number of rows, copied by COPY out of the tables that the import has filled.
"""

import http.client
import multiprocessing
import os
import resource
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from functools import cache, partial
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, select, text

from bench import postgresql, stage
from config import clock, db
from messaging import phone
from messaging.inbox import items
from messaging.models import Clinic
from messaging.people import directory
from reminders.imports import csv_files, runs, take_in
from reminders.imports.models import ImportRun
from service import child_settings
from service.embedded.valkey import ValkeyServer
from web import sessions
from web.presenters import list_rows

FLOOR = ("data_key", "patient", "patient_number", "patient_name", "consent_entry", "audit_entry")
PAUSE, WARM = 0.2, 5
Asks = Callable[[Callable[[], float | None]], tuple[float, list[float]]]
FLOOR_OF_VISITS = ("appointment", "reminder", "audit_entry")


def measure() -> str:
    """Return rows a second of both kinds, their share of the floor, and how much memory grew."""
    count = int(os.environ.get("BENCH_ROWS", "100000"))
    with ExitStack() as stack:
        folder = stack.enter_context(stage.folder())
        valkey = stack.enter_context(ValkeyServer(folder / "valkey"))
        server = stack.enter_context(postgresql.server())
        url = postgresql.database(server, "imports")
        stage.begin(folder, database=url, redis=valkey.url)
        clinic, owner = stage.clinic(), create_engine(url)
        db.forget_connections()
        lines, asks = [], stack.enter_context(_colleague(folder, url, valkey.url, clinic))
        quiet = asks(lambda: time.sleep(20))[1]
        for kind, file, floor in (
            ("patients", _patients(folder, count), FLOOR),
            ("appointments", _visits(folder, count), FLOOR_OF_VISITS),
        ):
            before = _memory()
            spent = time.process_time()
            took, waits = asks(partial(_import, clinic, kind, file))
            spent = time.process_time() - spent
            after = _memory()
            bare = _copy(owner, floor)
            lines.append(
                f"imports: {count:,} {kind} in {took:.0f} s, {count / took:,.0f} a second"
                f" ({spent:.0f} s of a processor here); the bare rows {bare:.1f} s,"
                f" ratio {bare / took:.2f}; memory at its highest {before:.0f} MB before, {after:.0f} MB after;"
                f" the inbox meanwhile {_told(waits)}, before it {_told(quiet)},"
                f" ratio p95 {_p95(waits) / _p95(quiet):.2f}"
            )
            print(lines[-1], file=sys.stderr, flush=True)  # the other kind takes minutes
    return "\n".join(lines)


@contextmanager
def _colleague(folder: Path, url: str, redis: str, clinic: Clinic) -> Iterator[Asks]:
    """Serve the inbox of the clinic, with a first page that is full; yield what asks for it while something is done."""
    loaded = stage.begin(folder, database=postgresql.as_application(url), redis=redis)
    with db.unit_of_work(clinic.id) as session:
        staff = directory.add_staff(session, clinic, name="Alba Reyes", email="alba@alder.example")
        for number in range(list_rows.PAGE):
            items.open_item(
                session, clinic, kind="reply", about="bench:1", dedupe=f"case {number}", summary="Can I come at four?",
                owner_id=staff.id,
            )  # fmt: skip
        cookie = f"{sessions.cookie_name()}={sessions.start(session, staff)}"
    env = child_settings.environment(loaded, redis)
    argv = ["-m", "bench.server", "service.wsgi:app"]
    with stage.serving(argv, env, f"http://127.0.0.1:{loaded.port}/healthz"):
        yield partial(_while, loaded.port, cookie)


def _while(port: int, cookie: str, doing: Callable[[], float | None]) -> tuple[float, list[float]]:
    """Return what `doing` returns, and how many milliseconds each page took that was asked for meanwhile."""
    apart = multiprocessing.get_context("spawn")  # a thread would wait for the work of this process
    warm, over, results = apart.Event(), apart.Event(), apart.Queue()
    asking = apart.Process(target=_ask, args=(port, cookie, warm, over, results))
    asking.start()
    warm.wait(60)
    done = doing() or 0.0
    over.set()
    waits: list[float] = results.get(timeout=60)
    asking.join(60)
    return done, waits


def _ask(port: int, cookie: str, warm: Any, over: Any, results: Any) -> None:
    waits: list[float] = []
    while not over.wait(PAUSE):
        began = time.perf_counter()
        door = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        door.request("GET", "/inbox?view=mine", headers={"Cookie": cookie})
        page = door.getresponse()
        shown = page.read().count(b"data-row=")
        door.close()
        waits.append(1000 * (time.perf_counter() - began))
        if page.status != 200 or shown < list_rows.PAGE:
            raise RuntimeError(f"the inbox answered {page.status} with {shown} rows")
        if len(waits) == WARM:
            warm.set()
    results.put(waits[WARM:])


def _told(waits: list[float]) -> str:
    return f"p50 {statistics.median(waits):.0f} ms, p95 {_p95(waits):.0f} ms of {len(waits)}"


def _p95(waits: list[float]) -> float:
    return statistics.quantiles(waits, n=20)[-1]


def _patients(folder: Path, count: int) -> Path:
    file = folder / "patients.csv"
    with file.open("w", encoding="utf-8") as out:
        out.write("MRN,First,Last,Cell,DOB,Language\n")
        out.writelines(
            f"{place},Ana{place % 97},Quill{place % 993},{number(place)},1980-02-28,en\n" for place in range(count)
        )
    return file


def number(place: int) -> str:
    """One of the numbers that are kept for fiction in any area there is; as many as there are, then the same again."""
    areas = _areas()
    return f"+1{areas[place // 100 % len(areas)]}555{100 + place % 100:04}"


@cache
def _areas() -> list[int]:
    return [area for area in range(201, 990) if _is_textable(f"+1{area}5550100")]


def _is_textable(number: str) -> bool:
    try:
        return bool(phone.e164(number))
    except phone.NotTextable:
        return False


def _visits(folder: Path, count: int) -> Path:
    file, day = folder / "visits.csv", clock.now() + timedelta(days=5)
    with file.open("w", encoding="utf-8") as out:
        out.write("AppointmentID,PatientId,AppointmentDay\n")
        out.writelines(
            f"V{place},{place},{day + timedelta(minutes=place % 40000):%Y-%m-%dT%H:%M}\n" for place in range(count)
        )
    return file


def _import(clinic: Clinic, kind: str, file: Path) -> float:
    began = time.monotonic()
    with csv_files.opened(file, ()) as table:
        run = take_in.take_in(clinic, kind, "bench", table, by="operator")
    with db.unit_of_work(clinic.id) as session:
        runs.start(session, session.merge(run), by="operator")
    done = False
    while not done:
        runs.drain()
        with db.unit_of_work(clinic.id, read_only=True) as session:
            stored = session.scalars(select(ImportRun).where(ImportRun.id == run.id)).one()
            done = stored.state == "done"
    if stored.tally.get("created") != stored.rows:
        raise RuntimeError(f"not every row was taken: {stored.tally}")
    return time.monotonic() - began


def _copy(owner: Engine, names: tuple[str, ...]) -> float:
    """How long PostgreSQL takes to COPY the rows of these tables into empty ones like them."""
    took = 0.0
    for name in names:
        with owner.begin() as connection:
            connection.execute(text(f"CREATE TABLE floor_{name} (LIKE {name} INCLUDING ALL)"))
            raw = connection.connection.driver_connection
            assert raw is not None
            with raw.cursor() as cursor:
                with cursor.copy(f"COPY {name} TO STDOUT") as out:
                    copied = b"".join(bytes(part) for part in out)
                began = time.monotonic()
                with cursor.copy(f"COPY floor_{name} FROM STDIN") as into:
                    into.write(copied)
                took += time.monotonic() - began
            connection.execute(text(f"DROP TABLE floor_{name}"))
    return took


def _memory() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
