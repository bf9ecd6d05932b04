"""What measurements share: a configured process on a fresh database, a clinic, and servers started beside it."""

import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from config import db, settings
from messaging.models import Clinic
from messaging.people import directory
from service import migrations, processes, start
from service.embedded import ports

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
        child.wait(20)
