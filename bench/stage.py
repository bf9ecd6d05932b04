"""What measurements share: a configured process on a fresh database, a clinic, and servers started beside it."""

import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from config import db, settings
from messaging.models import Clinic
from messaging.people import directory
from service import migrations, processes, start
from service.embedded import ports

TICKS = os.sysconf("SC_CLK_TCK")
STOP_SECONDS = 20.0
CLINIC, PATIENT = "+12015550100", "+12015550123"


def begin(
    folder: Path, *, network: int = 9, database: str = "", redis: str = "unix:///nowhere/redis.sock"
) -> settings.Settings:
    """Configure this process for `database`, a fresh SQLite one in `folder` if none is named.

    The carrier is at port `network`; the keys and all else are in `folder`.
    """
    web = ports.free_port()
    loaded = settings.load(
        {},
        DATABASE_URL=database,
        PORT=str(web),
        REDIS_URL=redis,
        TWILIO_ACCOUNT_SID="AC" + secrets.token_hex(16),
        TWILIO_AUTH_TOKEN=secrets.token_hex(16),
        TWILIO_API_URL=f"http://127.0.0.1:{network}",
        WARMTHREAD_PUBLIC_URL=f"http://127.0.0.1:{web}",
        WARMTHREAD_DATA_DIR=str(folder),
        WARMTHREAD_LOG_LEVEL="error",
    )
    start.use(loaded, "bench")
    migrations.upgrade()
    start.settled()
    return loaded


def clinic() -> Clinic:
    """Add the clinic that is texted."""
    with db.unit_of_work(db.EVERY) as session:
        return directory.add_clinic(session, name="Bench Clinic", zone="America/Denver", number=CLINIC)


@contextmanager
def folder() -> Iterator[Path]:
    """Yield a folder that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="warmthread-bench-") as name:
        yield Path(name)


@contextmanager
def serving(argv: list[str], env: dict[str, str], ready: str) -> Iterator[int]:
    """Run a server until the measurement is over, yield its pid; `ready` is an address that answers 200 once up."""
    child = subprocess.Popen([sys.executable, *argv], env=env, stdout=subprocess.DEVNULL)
    try:
        answers, end = processes.answers(ready), time.monotonic() + 90
        while not answers():
            if child.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"{' '.join(argv)} did not come up")
            time.sleep(0.05)
        yield child.pid
    finally:
        child.terminate()
        try:
            with suppress(subprocess.TimeoutExpired):  # what was measured is known
                child.wait(STOP_SECONDS)
        finally:
            child.kill()  # whoever does not stop is not left running beside what comes next
            child.wait()


def family(pid: int) -> list[int]:
    """Return a process and all that came of it."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(descendant for child in children for descendant in family(int(child)))]


def processor_seconds(pids: Sequence[int]) -> float:
    """Return the seconds of processor that processes have used: user and system, fields 14 and 15 of stat."""
    stats = [Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split() for pid in pids]
    return sum(int(stat[11]) + int(stat[12]) for stat in stats) / TICKS


def memory_mb(pids: Sequence[int]) -> float:
    """Return what processes take of memory in MB, each page they share counted once (PSS)."""
    rollups = [Path(f"/proc/{pid}/smaps_rollup").read_text() for pid in pids]
    kilobytes = [int(line.split()[1]) for rollup in rollups for line in rollup.splitlines() if line.startswith("Pss:")]
    return sum(kilobytes) / 1024
