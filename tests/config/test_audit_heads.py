"""Signed heads: what is rewritten in the database, however well, is found out by what was sent outside."""

import json
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import delete, select, update

from config import audit, audit_heads, clock, db, runtime
from config.audit import AuditEntry, AuditHead
from messaging.models import Clinic

both = pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)


def acted(clinic: Clinic, count: int = 3) -> None:
    for _ in range(count):
        with db.unit_of_work(db.EVERY) as session:
            audit.record(session, clinic.id, "staff:1", "item.claimed", "inbox_item:2")
    audit.seal()


def lines() -> list[str]:
    return audit_heads.path().read_text(encoding="utf-8").splitlines()


def faults(said: list[str]) -> list[str]:
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        return list(audit_heads.compare(session, said))


def rewritten(clinic: Clinic) -> None:
    """Leave a line out and chain the rest anew, as whoever owns the database could."""
    with db.unit_of_work(db.EVERY) as session:
        session.execute(delete(AuditEntry).where(AuditEntry.clinic_id == clinic.id, AuditEntry.seq == 2))
        seq, prev = 0, audit.GENESIS
        for entry in session.scalars(
            select(AuditEntry).where(AuditEntry.clinic_id == clinic.id).order_by(AuditEntry.seq)
        ):
            seq += 1
            entry.seq, entry.prev = seq, prev
            entry.hash = prev = audit.digest(entry)
            session.flush()
        head = session.get_one(AuditHead, clinic.id)
        head.seq, head.hash = seq, prev


@both
def test_a_head_is_signed_once_it_has_moved_and_five_minutes_have_gone(house, clinic: Clinic) -> None:
    acted(clinic)
    assert audit_heads.send() == 1
    assert audit_heads.send() == 0
    acted(clinic)
    assert audit_heads.send() == 0
    with db.unit_of_work(db.EVERY) as session:
        session.execute(update(AuditHead).values(signed_at=clock.now() - timedelta(minutes=6)))
    assert audit_heads.send() == 1
    assert [json.loads(line)["seq"] for line in lines()] == [4, 7]
    assert faults(lines()) == []
    assert audit_heads.path().stat().st_mode & 0o777 == 0o600


@both
def test_a_chain_written_anew_holds_by_itself_and_not_against_a_head(house, clinic: Clinic) -> None:
    acted(clinic)
    audit_heads.send()
    rewritten(clinic)
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        assert list(audit.verify(session, clinic.id)) == []
    assert "is gone" in faults(lines())[0]
    acted(clinic)
    assert "written anew" in faults(lines())[0]


def test_a_head_that_somebody_else_wrote_is_named(clinic: Clinic) -> None:
    acted(clinic)
    audit_heads.send()
    said = json.loads(lines()[0])
    forged = [{**said, "seq": 1}, {**said, "signature": "00" * 64}, {**said, "key": "00" * 32}, {"seq": 1}, [], 5]
    found = faults([*(json.dumps(each) for each in forged), "no json"])
    assert len(found) == 7
    assert all("not signed" in fault for fault in found)


def test_a_head_that_is_signed_well_by_a_key_of_somebody_elses_is_named(clinic: Clinic) -> None:
    acted(clinic)
    audit_heads.send()
    said, theirs = json.loads(lines()[0]), Ed25519PrivateKey.generate()
    words = json.dumps({name: said[name] for name in audit_heads.FIELDS}, sort_keys=True, separators=(",", ":"))
    public = theirs.public_key().public_bytes_raw().hex()
    forged = {**said, "key": public, "signature": theirs.sign(words.encode()).hex()}
    assert faults(lines()) == []
    assert ["not signed" in fault for fault in faults([json.dumps(forged)])] == [True]
    assert faults([json.dumps({**forged, "key": said["key"]})])


def test_the_last_hash_that_was_sealed_is_compared(clinic: Clinic) -> None:
    acted(clinic)
    with db.unit_of_work(db.EVERY) as session:
        session.get_one(AuditHead, clinic.id).hash = "0" * 64
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        assert "sealed last" in next(audit.verify(session, clinic.id))


def test_a_command_is_given_each_head_and_one_that_fails_is_tried_again(
    clinic: Clinic, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = tmp_path / "kept"
    writes = f"{sys.executable} -c \"import sys; open('{kept}', 'a').write(sys.stdin.read())\""

    acted(clinic)
    before = runtime.settings()
    monkeypatch.setattr(runtime, "settings", lambda: before.model_copy(update={"audit_heads_command": "false"}))
    with pytest.raises(Exception, match="non-zero"):
        audit_heads.send()
    monkeypatch.setattr(runtime, "settings", lambda: before.model_copy(update={"audit_heads_command": writes}))
    assert audit_heads.send() == 1
    assert json.loads(kept.read_text())["seq"] == 4
