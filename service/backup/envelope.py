"""The file a backup is: a head that says what it is, and the database in sealed chunks.

    "warmthread backup 1\\n" | length of the head (4 bytes) | head (JSON) | salt (32) | proof of the key (16) | chunks

Each file has a key of its own, derived from the backup key and the salt. A chunk is AES-256-GCM of a mebibyte, the last
one shorter; its nonce is its number and whether it is the last, and all that stands before the chunks is associated
data. So none can be changed, moved, left out or added, and a file that was cut off does not end with a last chunk.
"""

import hmac
import json
import os
import struct
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

MAGIC = b"warmthread backup 1\n"
CHUNK, TAG = 1 << 20, 16
SALT, PROOF = 32, 16
LONGEST_HEAD = 1 << 16


class BadBackup(Exception):
    """The file is no backup, cut off, altered, or sealed with another key; the text says which."""


@dataclass(frozen=True)
class Head:
    """What a backup says of itself without being opened: nothing of a patient.

    `made_at` is the moment of which the database is a picture; `database` sqlite | postgresql; `revision` its
    migration; `version` that of the program; `key` the id of the backup key; `masters` the proof of each master key
    that the data need, by its id.
    """

    made_at: datetime
    database: str
    revision: str
    version: str
    key: str
    masters: dict[str, str]

    def to_bytes(self) -> bytes:
        """Return the head as it stands in the file."""
        return json.dumps(asdict(self) | {"made_at": self.made_at.isoformat()}, sort_keys=True).encode()

    @classmethod
    def from_bytes(cls, text: bytes) -> "Head":
        """Read what `to_bytes` wrote. Raises BadBackup."""
        try:
            values = json.loads(text)
            return cls(**values | {"made_at": datetime.fromisoformat(values["made_at"])})
        except (ValueError, TypeError, KeyError):
            raise BadBackup("its head cannot be read: it has been altered, or a newer version has made it") from None


def write(out: BinaryIO, head: Head, key: bytes, content: Iterable[bytes]) -> int:
    """Write a backup of `content`, in pieces of any size; return how many bytes of content there were."""
    said, salt = head.to_bytes(), os.urandom(SALT)
    before = MAGIC + struct.pack(">I", len(said)) + said + salt
    before += _derived(key, salt, "proof", PROOF)
    out.write(before)
    seal, number, total = AESGCM(_derived(key, salt, "chunks", 32)), 0, 0
    pending = bytearray()
    for piece in content:
        pending += piece
        total += len(piece)
        while len(pending) > CHUNK:
            out.write(seal.encrypt(_nonce(number, last=False), bytes(pending[:CHUNK]), before))
            del pending[:CHUNK]
            number += 1
    out.write(seal.encrypt(_nonce(number, last=True), bytes(pending), before))
    return total


def head_of(file: BinaryIO) -> Head:
    """Return what a backup says of itself, before any key is asked for. Raises BadBackup."""
    return _before(file)[1]


def read(file: BinaryIO, key_of: Callable[[str], bytes | None]) -> tuple[Head, Iterator[bytes]]:
    """Return the head and the content of a backup; `key_of` gives the backup key of an id.

    Raises BadBackup, and so does the iterator: what it has yielded by then was true, but is not the whole.
    """
    before, head, salt, proof = _before(file)
    key = key_of(head.key)
    if key is None:
        raise BadBackup(f"it is sealed with the backup key {head.key}, which is not in WARMTHREAD_BACKUP_KEYS")
    if not hmac.compare_digest(proof, _derived(key, salt, "proof", PROOF)):
        raise BadBackup(f"WARMTHREAD_BACKUP_KEYS holds another key named {head.key}: it does not open this backup")
    return head, _chunks(file, AESGCM(_derived(key, salt, "chunks", 32)), before)


def _before(file: BinaryIO) -> tuple[bytes, Head, bytes, bytes]:
    magic, length = file.read(len(MAGIC)), file.read(4)
    if magic != MAGIC or len(length) < 4:
        raise BadBackup("it is not a backup of Warmthread")
    size = struct.unpack(">I", length)[0]
    if size > LONGEST_HEAD:
        raise BadBackup("its head cannot be read: it has been altered")
    said, salt, proof = file.read(size), file.read(SALT), file.read(PROOF)
    if len(proof) < PROOF:
        raise BadBackup("it has been cut off")
    return magic + length + said + salt + proof, Head.from_bytes(said), salt, proof


def _chunks(file: BinaryIO, opened: AESGCM, before: bytes) -> Iterator[bytes]:
    number, sealed = 0, file.read(CHUNK + TAG)
    while True:
        following = file.read(CHUNK + TAG)
        try:
            yield opened.decrypt(_nonce(number, last=not following), sealed, before)
        except (InvalidTag, ValueError):
            raise BadBackup("it has been cut off or altered") from None
        if not following:
            return
        number, sealed = number + 1, following


def _nonce(number: int, *, last: bool) -> bytes:
    return struct.pack(">Q", number).rjust(11, b"\0") + bytes([last])


def _derived(key: bytes, salt: bytes, purpose: str, length: int) -> bytes:
    return HKDF(hashes.SHA256(), length, salt=salt, info=f"warmthread backup {purpose}".encode()).derive(key)
