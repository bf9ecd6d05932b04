"""How fast a file of patients and one of visits are imported, against the bare rows put into the same tables, and what memory it takes.

PostgreSQL, the whole way of a file that was handed in: read, sealed in parts, worked off part by part, visits planned.
The floor is the same number of rows, copied by COPY out of the tables that the import has filled.
"""

import os
import resource
import time
from contextlib import ExitStack
from datetime import timedelta
from functools import cache
from pathlib import Path

from sqlalchemy import Engine, create_engine, select, text

from bench import postgresql, stage
from config import clock, db
from config.embedded.valkey import ValkeyServer
from messaging import phone
from messaging.models import Clinic
from reminders import importruns, mapping, tables
from reminders.models import ImportRun

FLOOR = ("data_key", "patient", "patient_number", "patient_name", "consent_entry", "audit_entry")
FLOOR_OF_VISITS = ("appointment", "reminder", "audit_entry")


def measure() -> str:
    """Return rows a second of both kinds, their share of the floor, and how much memory grew."""
    rows = int(os.environ.get("BENCH_ROWS", "100000"))
    with ExitStack() as stack:
        folder = stack.enter_context(stage.folder())
        valkey = stack.enter_context(ValkeyServer(folder / "valkey"))
        server = stack.enter_context(postgresql.server())
        url = postgresql.database(server, "imports")
        stage.begin(folder, database=url, redis=valkey.url)
        clinic, owner = stage.clinic(), create_engine(url)
        db.forget_connections()
        stage.begin(folder, database=postgresql.as_application(url), redis=valkey.url)
        lines = []
        for kind, file, floor in (
            ("patients", _patients(folder, rows), FLOOR),
            ("appointments", _visits(folder, rows), FLOOR_OF_VISITS),
        ):
            before = _memory()
            took = _import(clinic, kind, file)
            bare = _copy(owner, floor)
            lines.append(
                f"imports: {rows:,} {kind} in {took:.0f} s, {rows / took:,.0f} a second; the bare rows {bare:.1f} s,"
                f" ratio {bare / took:.2f}; memory at its highest {before:.0f} MB before, {_memory():.0f} MB after"
            )
    return "\n".join(lines)


def _patients(folder: Path, rows: int) -> Path:
    file = folder / "patients.csv"
    with file.open("w", encoding="utf-8") as out:
        out.write("MRN,First,Last,Cell,DOB,Language\n")
        out.writelines(
            f"{place},Ana{place % 97},Quill{place % 993},{number(place)},1980-02-28,en\n"
            for place in range(rows)
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


def _visits(folder: Path, rows: int) -> Path:
    file, day = folder / "visits.csv", clock.now() + timedelta(days=5)
    with file.open("w", encoding="utf-8") as out:
        out.write("AppointmentID,PatientId,AppointmentDay\n")
        out.writelines(
            f"V{place},{place},{day + timedelta(minutes=place % 40000):%Y-%m-%dT%H:%M}\n"
            for place in range(rows)
        )
    return file


def _import(clinic: Clinic, kind: str, file: Path) -> float:
    began = time.monotonic()
    with tables.opened(file, ()) as table, db.unit_of_work(clinic.id) as session:
        run = importruns.take_in(session, clinic, kind, "bench", table, by="operator")
        importruns.start(session, run, mapping.of(run.mapping), by="operator")
    done = False
    while not done:
        importruns.drain()
        with db.unit_of_work(clinic.id, read_only=True) as session:
            this = session.scalars(select(ImportRun).where(ImportRun.id == run.id)).one()
            done = this.state == "done"
    if this.tally.get("created") != this.rows:
        raise RuntimeError(f"not every row was taken: {this.tally}")
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
                    rows = b"".join(bytes(part) for part in out)
                began = time.monotonic()
                with cursor.copy(f"COPY floor_{name} FROM STDIN") as into:
                    into.write(rows)
                took += time.monotonic() - began
            connection.execute(text(f"DROP TABLE floor_{name}"))
    return took


def _memory() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
