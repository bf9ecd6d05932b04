"""`warmthread serve` as its operator meets it: what it says where it cannot begin, and what it keeps in memory."""

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from service.embedded import ports
from tests.waiting import PATIENCE, until

ROOT = Path(__file__).parents[3]
# Nothing that stays for as long as the service lives has these in memory.
HEAVY = {"sqlalchemy", "alembic", "rq", "flask", "twilio", "service.tables", "config.db", "config.queue"}
LOADED = f"import sys, service.cli.serve; print(sorted({HEAVY!r} & set(sys.modules)))"


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "PORT": str(ports.free_port()),
        "TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
        "TWILIO_AUTH_TOKEN": "a token of the tests",
        "WARMTHREAD_PUBLIC_URL": "https://clinic.example",
        "WARMTHREAD_DATA_DIR": str(tmp_path / "data"),
        "WARMTHREAD_LOG_LEVEL": "info",
    }


def serve(env: dict[str, str], output: Path) -> "subprocess.Popen[bytes]":
    argv = [sys.executable, "-m", "service.cli", "serve"]
    with output.open("wb") as said:
        return subprocess.Popen(argv, cwd=ROOT, env=env, stdout=said, stderr=said, stdin=subprocess.DEVNULL)


@pytest.fixture
def served(env: dict[str, str], tmp_path: Path) -> Iterator["subprocess.Popen[bytes]"]:
    process = serve(env, tmp_path / "said")
    yield process
    process.kill()
    process.wait()


def ended(env: dict[str, str], output: Path) -> tuple[int, str]:
    code = serve(env, output).wait(PATIENCE)
    return code, output.read_text()


def revise(env: dict[str, str], revision: str) -> None:
    with closing(sqlite3.connect(Path(env["WARMTHREAD_DATA_DIR"], "warmthread.sqlite3"))) as database:
        database.execute("UPDATE alembic_version SET version_num = ?", (revision,))
        database.commit()


def test_who_supervises_has_neither_tables_nor_queue_in_memory() -> None:
    said = subprocess.run([sys.executable, "-c", LOADED], cwd=ROOT, capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"


def test_from_an_empty_directory_it_serves_until_ctrl_c_and_then_says_what_it_ended(
    served: "subprocess.Popen[bytes]", env: dict[str, str], tmp_path: Path
) -> None:
    output = tmp_path / "said"
    until(lambda: "Serving on port" in output.read_text() or served.poll() is not None, "it serves", within=300)
    assert '"prepare"' in output.read_text().partition('"worker.urgent"')[0]
    served.send_signal(signal.SIGINT)
    assert served.wait(PATIENCE) == 0
    stopped = "".join(line for line in output.read_text().splitlines() if "process_stopped" in line)
    assert [name for name in ("web", "worker.urgent", "valkey") if f'"{name}"' not in stopped] == []
    revise(env, "9999")
    code, said = ended(env, output)
    assert (code, "Can't locate revision" in said, "worker.urgent" in said) == (1, True, False)
    revise(env, "0087")
    code, said = ended(env, output)
    assert (code, "the database does not answer as it should" in said) == (1, True)
    assert ("Traceback" in said, "worker.urgent" in said) == (False, False)


def test_wrong_settings_and_what_cannot_be_combined_are_said_in_the_same_words(
    env: dict[str, str], tmp_path: Path
) -> None:
    for wrong, words in {
        "TWILIO_ACCOUNT_SID": "TWILIO_ACCOUNT_SID",
        "REDIS_URL": "DATABASE_URL is needed with a REDIS_URL on another machine",
    }.items():
        code, said = ended(env | {wrong: "rediss://redis.example/0"}, tmp_path / "said")
        assert (code, "These settings are wrong; nothing was started:" in said, words in said) == (2, True, True), said
