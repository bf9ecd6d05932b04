"""Keys replaced while texts come in, the command and processes killed: it reaches its end all the same."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import select

from config import clock, db, keys
from config.db import data_keys, replacing
from messaging.models import Clinic, Conversation, Message, Patient
from messaging.people import directory
from service.cli.walk import day
from tests.service.cli.test_key_replacement import pairs, stored
from tests.waiting import PATIENCE, until
from tests.walks.kit import Running

MANY = 150
WORDS = "I drink every night {}"
KILLED = ("web", "worker.urgent", "worker.default", "worker.bulk", "ticker")
REPLACE = (sys.executable, "-m", "service.cli", "keys", "replace")


def replace(running: Running) -> "subprocess.Popen[str]":
    piped = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    return subprocess.Popen(REPLACE, env=running.scene.env, **piped)  # type: ignore[call-overload,no-any-return]


def die(process: "subprocess.Popen[str]") -> None:
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=PATIENCE)
    assert process.returncode == -signal.SIGKILL, "it had ended before it was killed"


def begin_anew(running: Running, names: tuple[str, ...]) -> None:
    """Kill these processes of the service; each is back, as another one, before this returns."""
    before = {name: running.pid(name) for name in names}
    for pid in before.values():
        os.kill(pid or 0, signal.SIGKILL)

    def back() -> bool:
        running.service.supervisor.poll()
        return all(running.pid(name) not in (None, pid) for name, pid in before.items())

    until(back, "the processes to be back")


def clinic_with_patients(running: Running) -> UUID:
    running.scene.command("clinic", "create", "--name", day.CLINIC, "--zone", day.ZONE, "--number", day.NUMBER)
    with db.unit_of_work(db.EVERY) as session:
        clinic = session.scalars(select(Clinic)).one()
        for number in range(MANY):
            whose = directory.PatientRecord(f"KEY{number}", f"First{number}", f"Last{number}", None, None)
            directory.save_patient(session, clinic, whose)
        return clinic.id


def ciphertext(clinic_id: UUID) -> bytes:
    """The sealed name of the patient who is sealed anew first."""
    with db.unit_of_work(clinic_id, read_only=True) as session:
        table = Patient.__table__
        return bytes(session.scalar(select(table.c.first_name_ct).order_by(table.c.id).limit(1)) or b"")


def texts_in() -> list[str]:
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        rows = session.scalars(select(Message).join(Conversation).where(Message.direction == "in")).all()
        db.load_keys(session, (row.key_id for row in rows))
        return [row.body for row in rows]


def test_killed_twice_while_texts_come_in_it_ends_and_nothing_is_left_of_the_old_keys(
    serve: Callable[..., Running], tmp_path: Path
) -> None:
    leaps = tmp_path / "data" / "demonstration.clock"
    leaps.parent.mkdir(mode=0o700)
    leaps.write_bytes(clock.LEAP.pack(0))
    running = serve()
    clinic_id = clinic_with_patients(running)
    sent = [WORDS.format(number) for number in range(9)]
    type_in = iter(sent)
    for _ in range(2):
        running.scene.type(day.YES.number, next(type_in))
    until(lambda: len(texts_in()) == 2, "the first texts")
    before, sealed = pairs(), ciphertext(clinic_id)

    command = replace(running)
    until(lambda: _begun(clinic_id), "the first new keys", pause=0.01)
    die(command)
    running.scene.type(day.YES.number, next(type_in))
    command = replace(running)
    until(lambda: ciphertext(clinic_id) != sealed, "the first name under a new key", pause=0.01)
    running.scene.type(day.YES.number, next(type_in))
    die(command)
    command = replace(running)
    for words in type_in:
        running.scene.type(day.YES.number, words)
    until(lambda: len(texts_in()) == len(sent), "every text")
    # Whoever remembers an old key seals by it for five minutes at most; a process that begins anew remembers none.
    begin_anew(running, KILLED)
    with leaps.open("r+b") as written:
        written.write(clock.LEAP.pack(int(replacing.REMEMBERED / timedelta(seconds=1)) + 60))
    told, _ = command.communicate(timeout=PATIENCE)
    assert command.returncode == 0, told
    assert "old keys are thrown away" in told
    _nothing_of_the_old_keys(before)
    assert sorted(texts_in()) == sorted(sent)
    with db.unit_of_work(clinic_id, read_only=True) as session:
        patients = session.scalars(select(Patient)).all()
        db.load_keys(session, (row.key_id for row in patients))
        assert {f"First{number}" for number in range(MANY)} <= {row.first_name for row in patients}


def _begun(clinic_id: UUID) -> bool:
    with db.unit_of_work(clinic_id, read_only=True) as session:
        return replacing.being_replaced(session, clinic_id) > 0


def _nothing_of_the_old_keys(before: dict[UUID, data_keys.Opened]) -> None:
    after = pairs()
    assert [key_id for key_id, pair in before.items() if after[key_id].old or after[key_id].key == pair.key] == []
    count = 0
    for _, key_id, value, bound in stored():
        keys.unseal(after[key_id].key, value, *bound)
        old = before.get(key_id)
        if old is not None:
            with pytest.raises(keys.WrongKey):
                keys.unseal(old.key, value, *bound)
        count += 1
    assert count > 3 * MANY
