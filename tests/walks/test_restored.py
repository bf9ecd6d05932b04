"""A drill: a service is lost and restored from its backup. Real processes, and a phone network that outlives them."""

import csv
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from config import db, keys, runtime, settings
from messaging.consent import ledger
from messaging.models import Clinic
from service import child_settings, migrations, processes, start
from service.cli.walk import commands
from service.embedded import ports
from tests import midday
from tests.phones import Network, answers
from tests.waiting import PATIENCE, until
from tests.walks.kit import forgotten

ROOT = Path(__file__).parents[2]
CLINIC_NUMBER = "+13035550100"
TOLD, LEFT, LATER = "+13035550117", "+13035550118", "+13035550119"


class Drill:
    """A clinic, its service that is started and ended as often as needed, and the phone network."""

    def __init__(self, folder: Path, more: dict[str, str]) -> None:
        self.folder = folder
        self.zone = midday.zone(datetime.now(UTC))
        web, network = ports.free_ports(2)
        self.loaded = settings.load(
            {},
            PORT=str(web),
            TWILIO_ACCOUNT_SID="AC" + "0" * 32,
            TWILIO_AUTH_TOKEN="a token for the drill",
            TWILIO_API_URL=f"http://127.0.0.1:{network}",
            WARMTHREAD_PUBLIC_URL=f"http://127.0.0.1:{web}",
            WARMTHREAD_DATA_DIR=str(folder / "data"),
            WARMTHREAD_BACKUP_KEYS=keys.new_master_line("b1"),
            WARMTHREAD_LOG_LEVEL="error",
            **more,
        )
        start.use(self.loaded, "drill")
        self.network = Network(f"http://127.0.0.1:{network}")

    @contextmanager
    def phones(self) -> Iterator[None]:
        """Run the phone network."""
        port = self.network.url.rpartition(":")[2]
        sms = f"{self.loaded.public_url}/webhooks/twilio/sms"
        named = {"TWILIO_ACCOUNT_SID": self.loaded.twilio_account_sid, "TWILIO_AUTH_TOKEN": "a token for the drill"}
        env = {name: value for name, value in os.environ.items() if not name.startswith(("TWILIO", "SIMULATOR"))}
        words = ("--port", port, "--sms-url", sms, "--quiet")
        process = subprocess.Popen([sys.executable, "-m", "simulator", *words], cwd=ROOT, env=env | named)
        try:
            until(lambda: answers(int(port)), "the phone network")
            yield
        finally:
            process.terminate()
            process.wait(timeout=PATIENCE)

    @contextmanager
    def serving(self) -> Iterator[None]:
        """Run every process of the service."""
        service = processes.Service(self.loaded)
        try:
            service.supervisor.start()
            yield
        finally:
            service.stop()

    def command(self, *words: str) -> None:
        """Run a command as an operator does."""
        env = child_settings.environment(self.loaded, "") | {"WARMTHREAD_BACKUP_KEYS": self._backup_keys()}
        env.pop("REDIS_URL")
        ended = commands.run(words, env, within=PATIENCE)
        assert ended.code == 0, ended.err

    def _backup_keys(self) -> str:
        assert self.loaded.backup_keys is not None
        return self.loaded.backup_keys.get_secret_value()

    def book(self, name: str, *numbers: str) -> None:
        """Import a visit for each of these patients whose reminder of the day before falls due in a moment."""
        people, visits = self.folder / f"{name}-patients.csv", self.folder / f"{name}-visits.csv"
        starts = (datetime.now(ZoneInfo(self.zone)) + timedelta(days=1, seconds=3)).replace(tzinfo=None)
        booked = (datetime.now(UTC) - timedelta(days=9)).isoformat(timespec="seconds")
        with people.open("w", newline="") as first, visits.open("w", newline="") as second:
            patient, visit = csv.writer(first), csv.writer(second)
            patient.writerow(("record", "first_name", "last_name", "phone", "birth_date"))
            visit.writerow(("visit", "patient", "starts_at", "zone", "booked_at"))
            for number in numbers:
                patient.writerow((number[-3:], "Maya", "Quill", number, "1980-01-01"))
                visit.writerow(
                    (f"{name}{number[-3:]}", number[-3:], starts.isoformat(timespec="seconds"), self.zone, booked)
                )
        self.command("patients", "import", str(people))
        self.command("appointments", "import", str(visits))

    def texts(self, number: str) -> list[str]:
        """Return what this phone was sent."""
        return [text["body"] for text in self.network.accepted(number)]

    def wait_for_texts(self, number: str, count: int) -> None:
        """Wait until this phone has been sent so many."""
        until(lambda: len(self.texts(number)) >= count, f"{count} texts to {number}")


@pytest.fixture
def drill(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Callable[..., Drill]]:
    """Make a drill with more settings by environment name."""
    with forgotten():
        yield lambda **more: Drill(tmp_path, more)


def stopped(number: str) -> bool:
    with db.unit_of_work(db.EVERY) as session:
        clinic = session.scalars(select(Clinic)).one()
        return set(ledger.state(session, clinic, number).values()) == {"revoked"}


def test_after_a_restore_nobody_is_texted_twice_and_nobody_who_said_stop_at_all(drill: Callable[..., Drill]) -> None:
    run = drill()
    backup = run.folder / "night.backup"
    with run.phones():
        migrations.upgrade()
        run.command("clinic", "create", "--name", "Cedar", "--zone", run.zone, "--number", CLINIC_NUMBER)
        run.book("before", TOLD, LEFT)
        run.command("backup", "create", str(backup))
        with run.serving():  # what happens now is lost
            for number in (TOLD, LEFT):
                run.wait_for_texts(number, 1)
            run.network.ask("POST", f"/sim/phones/{LEFT}/messages", {"body": "STOP", "to": CLINIC_NUMBER})
            until(lambda: stopped(LEFT), "the STOP")
        before = {number: run.texts(number) for number in (TOLD, LEFT)}
        runtime.forget("db.engine")
        run.command("backup", "restore", str(backup), "--replace")
        assert not stopped(LEFT)  # it has been forgotten
        run.book("after", LEFT, LATER)
        with run.serving():
            run.wait_for_texts(LATER, 1)
            assert stopped(LEFT)
            assert {number: run.texts(number) for number in (TOLD, LEFT)} == before
