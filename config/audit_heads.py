"""Heads of the audit chains, signed and sent outside: who rewrites a whole chain in the database is found out by them.

Every five minutes in which a clinic's chain has grown, its last line's number and hash are signed (Ed25519, under a key
derived from the master key, which is not in the database) and go to the log, to a file, and to a command if one is set.
A line is "sent" only when every sink has taken it. Sent twice, it is the same line.
"""

import json
import os
import shlex
import subprocess
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from config import clock, db, keys, logging, queue, runtime
from config.audit import AuditEntry, AuditHead

EVERY = timedelta(minutes=5)
COMMAND_SECONDS = 20
PURPOSE = "audit.heads"
FIELDS = ("clinic", "seq", "hash", "at")


def path() -> Path:
    """Return the file to which heads are added, a line each."""
    settings = runtime.settings()
    return settings.audit_heads_file or settings.data_dir / "audit-heads.jsonl"


def sign(clinic_id: object, seq: int, head_hash: str, at: datetime) -> str:
    """Return a head as a line of JSON: its fields, the public key and the signature, both hexadecimal."""
    said = {"clinic": str(clinic_id), "seq": seq, "hash": head_hash, "at": at.isoformat(timespec="seconds")}
    key = Ed25519PrivateKey.from_private_bytes(keys.ring().secret(PURPOSE))
    signature = key.sign(_canonical(said)).hex()
    return json.dumps({**said, "key": key.public_key().public_bytes_raw().hex(), "signature": signature})


def send() -> int:
    """Sign every head that is due and give it to all sinks; return how many."""
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        now = clock.now()
        heads = session.scalars(select(AuditHead).where(*_due(now))).all()
    for head in heads:
        line = sign(head.clinic_id, head.seq, head.hash, now)
        _to_file(line)
        _to_command(line)
        facts = json.loads(line)
        logging.logger().info(
            "audit head", clinic_id=facts["clinic"], seq=facts["seq"], hash=facts["hash"], signature=facts["signature"]
        )
        with db.unit_of_work(db.EVERY) as session:
            sent = update(AuditHead).where(AuditHead.clinic_id == head.clinic_id, AuditHead.signed_seq <= head.seq)
            session.execute(sent.values(signed_seq=head.seq, signed_at=now))
    return len(heads)


def compare(session: Session, lines: Iterable[str]) -> Iterator[str]:
    """Yield a sentence for every head in `lines` that is not ours, or that the database does not bear out."""
    known = {
        Ed25519PrivateKey.from_private_bytes(secret).public_key().public_bytes_raw().hex()
        for secret in keys.ring().secrets(PURPOSE)
    }
    for number, line in enumerate(lines, 1):
        said = _read(line)
        if said is None or not _is_signed(said, known):
            yield f"head {number} is not signed by a master key of this service"
            continue
        clinic, seq = _uuid(said["clinic"]), said["seq"]
        row = select(AuditEntry).where(AuditEntry.clinic_id == clinic, AuditEntry.seq == seq)
        entry = session.scalars(row).first()
        if entry is None:
            yield f"line {seq} of clinic {clinic} was there at {said['at']} and is gone"
        elif entry.hash != said["hash"]:
            yield f"line {seq} of clinic {clinic} is another than at {said['at']}: the chain was written anew"


def _read(line: str) -> dict[str, Any] | None:
    try:
        said = json.loads(line)
    except ValueError:
        return None
    whole = isinstance(said, dict) and {*FIELDS, "key", "signature"} <= said.keys()
    return said if whole and isinstance(said["seq"], int) and _uuid(said["clinic"]) else None


def _uuid(text: object) -> UUID | None:
    try:
        return UUID(str(text))
    except ValueError:
        return None


def _is_signed(said: dict[str, Any], known: set[str]) -> bool:
    try:
        public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(said["key"]))
        public.verify(bytes.fromhex(said["signature"]), _canonical({name: said[name] for name in FIELDS}))
    except (InvalidSignature, ValueError, TypeError):
        return False
    return said["key"] in known


def _canonical(said: dict[str, Any]) -> bytes:
    return json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


def _to_file(line: str) -> None:
    descriptor = os.open(path(), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "a", encoding="utf-8") as out:
        out.write(line + "\n")
        out.flush()
        os.fsync(out.fileno())


def _to_command(line: str) -> None:
    command = runtime.settings().audit_heads_command
    if command:
        # No shell: the operator's own words, split as a shell would. What fails is tried again within a second.
        arguments = shlex.split(command)
        subprocess.run(arguments, input=line + "\n", text=True, timeout=COMMAND_SECONDS, check=True)


def _due(now: datetime) -> tuple[Any, ...]:
    late = or_(AuditHead.signed_at.is_(None), AuditHead.signed_at <= now - EVERY)
    return AuditHead.seq > AuditHead.signed_seq, late


def _oldest(session: Session, now: datetime) -> datetime | None:
    head = session.scalars(select(AuditHead).where(*_due(now)).order_by(AuditHead.signed_at).limit(1)).first()
    if head is None:
        return None
    return head.signed_at + EVERY if head.signed_at is not None else now


LANES = [queue.Lane("audit_heads", "default", send, _oldest)]
