"""A new master key in two steps while everything serves; `keys rotate` killed in mid-work; a wrong key at the start."""

import os
import signal
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, text

from config import db, keys, runtime
from config.settings import SettingsError
from messaging.models import Patient
from service import key_check, migrations
from tests.waiting import PATIENCE, until

both = pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)
MANY = 2000


def line(house: Any) -> str:
    """The one key there is, as it stands in its file."""
    keys.ring()
    return str((house.data_dir / "master.keys").read_text().strip())


def use(ring: str) -> None:
    """Let this process be one that was started with another ring."""
    made = keys.parse_ring(ring)
    runtime.forget("keys.ring")
    runtime.forget("db.keys")
    runtime.once("keys.ring", lambda: made)


def first_name(patient: Patient) -> str | None:
    runtime.forget("db.keys")
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        return session.get_one(Patient, patient.id).first_name


def under(master_id: str) -> int:
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        wrapped = select(func.count()).select_from(db.DataKey).where(db.DataKey.master_id == master_id)
        return session.scalar(wrapped) or 0


def environment(house: Any, ring: str) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "DATABASE_URL": house.database_url.replace("postgresql+psycopg", "postgresql"),
        "TWILIO_ACCOUNT_SID": house.twilio_account_sid,
        "TWILIO_AUTH_TOKEN": house.twilio_auth_token.get_secret_value(),
        "WARMTHREAD_PUBLIC_URL": house.public_url,
        "WARMTHREAD_DATA_DIR": str(house.data_dir),
        "WARMTHREAD_MASTER_KEYS": ring,
    }


def rotate(house: Any, ring: str) -> "subprocess.Popen[str]":
    argv = [sys.executable, "-m", "service.cli", "keys", "rotate"]
    piped = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    return subprocess.Popen(argv, env=environment(house, ring), cwd=Path.cwd(), **piped)  # type: ignore[call-overload]


@both
def test_no_process_meets_what_it_cannot_open_and_nobody_is_signed_out(house: Any, new_patient: Any) -> None:
    old, new = line(house), keys.new_master_line("k2")
    patient, signed = new_patient("Maya"), keys.token_hash("a session")
    rings = [old, f"+{new},{old}", f"{new},{old}"]
    for before, after in pairwise(rings):
        use(after)  # one process has been restarted, and makes a key
        with db.unit_of_work(db.EVERY) as session:
            made = db.new_data_key(session, db.new_id())
        use(before)  # another has not yet
        with db.unit_of_work(db.EVERY, read_only=True) as session:
            runtime.forget("db.keys")
            row = session.get_one(db.DataKey, made)
            assert keys.ring().unwrap(row.master_id or "", row.wrapped, "data_key", str(made), str(row.clinic_id))
        for ring in (before, after):
            use(ring)
            assert first_name(patient) == "Maya"
            assert keys.token_hash("a session") == signed


@both
def test_killed_in_the_middle_it_goes_on_where_it_was_while_others_read(house: Any, new_patient: Any) -> None:
    old, new = line(house), keys.new_master_line("k2")
    patient = new_patient("Maya")
    with db.engine().begin() as connection:
        connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)"))
        connection.execute(text("INSERT INTO alembic_version VALUES (:head)"), {"head": migrations.heads()[0]})
    with db.unit_of_work(db.EVERY) as session:
        for _ in range(MANY):
            db.new_data_key(session, db.new_id())
    ring = f"{new},{old}"
    begun = rotate(house, ring)
    until(lambda: under("k2") > 0 or begun.poll() is not None, "the first keys to be wrapped anew")
    assert under("k2") > 0, begun.communicate()
    begun.send_signal(signal.SIGKILL)
    begun.communicate(timeout=PATIENCE)
    use(ring)
    assert first_name(patient) == "Maya"
    assert under("k1") + under("k2") == MANY + 1
    again = rotate(house, ring)
    said, _ = again.communicate(timeout=PATIENCE)
    assert again.returncode == 0, said
    assert (under("k1"), under("k2")) == (0, MANY + 1)
    assert first_name(patient) == "Maya"
    use(new)
    assert first_name(patient) == "Maya", "the old key opens nothing that is stored any more"


@both
def test_a_wrong_or_missing_master_key_is_refused_at_the_start_with_a_clear_word(house: Any, clinic: Any) -> None:
    right = line(house)
    use(right)
    key_check.refuse_wrong_keys()
    use(keys.new_master_line("k1"))
    with pytest.raises(SettingsError, match="k1 is another key than the one"):
        key_check.refuse_wrong_keys()
    use(keys.new_master_line("k2"))
    with pytest.raises(SettingsError, match="master key k1 is missing"):
        key_check.refuse_wrong_keys()
    use(f"{keys.new_master_line('k2')},{right}")
    key_check.refuse_wrong_keys()


def test_a_process_that_serves_ends_before_it_serves(house: Any, clinic: Any) -> None:
    line(house)
    for command in ("ticker", "serve"):
        argv = [sys.executable, "-m", "service.cli", command]
        env = environment(house, keys.new_master_line("k1"))
        ended = subprocess.run(
            argv, env=env, cwd=Path.cwd(), capture_output=True, text=True, timeout=PATIENCE, check=False
        )
        assert ended.returncode == 2, ended.stderr
        assert "another key than the one" in ended.stderr
        assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("ring", ["", "+{new}"])
def test_a_ring_in_which_nothing_seals_is_refused(ring: str) -> None:
    with pytest.raises(keys.BadMasterKeys):
        keys.parse_ring(ring.format(new=keys.new_master_line("k1")))
