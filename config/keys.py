"""Keys and sealing: AES-256-GCM with associated data, master keys that wrap clinic keys that wrap patient keys.

A sealed value is `0x01 | nonce (12 bytes) | ciphertext and tag`. What it is bound to (table, column, row, clinic) is
associated data, so that a value moved elsewhere does not open. Blind indexes are keyed per clinic.
"""

import base64
import binascii
import hashlib
import hmac
import os
import secrets
import tempfile
from collections.abc import Collection, Sequence
from contextlib import suppress
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from config import runtime
from config.settings import SettingsError

VERSION = b"\x01"
# The length of a sealed nothing: version, nonce, tag. What is longer holds words.
NOTHING = 29
# Where the master keys stand that nobody has given by a setting.
FILE = "master.keys"
KEY_BYTES = 32


class WrongKey(Exception):
    """A sealed value does not open: wrong key, moved to another row, or altered."""


class BadMasterKeys(SettingsError):
    """The master keys are missing, too short or not base64; or those of the other setting that is written like it."""

    def __init__(self, problem: str, setting: str = "WARMTHREAD_MASTER_KEYS") -> None:
        super().__init__([f"{setting}: {problem}"])


class Ring:
    """The master keys: the newest seals, every one opens; one that is `waiting` opens and does nothing else."""

    def __init__(self, master: dict[str, bytes], waiting: Collection[str] = ()) -> None:
        self._master = master
        self._at_work = [name for name in master if name not in waiting]
        self.newest = self._at_work[0]

    def wrap(self, key: bytes, *bound: str) -> tuple[str, bytes]:
        """Return the newest master key's id and `key` sealed under it."""
        return self.newest, seal(self._master[self.newest], key, *bound)

    def unwrap(self, master_id: str, wrapped: bytes, *bound: str) -> bytes:
        """Open a clinic key. Raises WrongKey when its master key is not in the ring."""
        if master_id not in self._master:
            raise WrongKey(f"master key {master_id} is not in the ring")
        return unseal(self._master[master_id], wrapped, *bound)

    def ids(self) -> list[str]:
        """Return the ids, newest first."""
        return list(self._master)

    def key(self, key_id: str) -> bytes | None:
        """Return the key of this id, None if it is not in the ring."""
        return self._master.get(key_id)

    def secret(self, purpose: str) -> bytes:
        """Return 32 bytes for one purpose of the whole house (cookies, tokens), from the oldest master key."""
        return derive(self._master[self._at_work[-1]], purpose)

    def secrets(self, purpose: str) -> list[bytes]:
        """Return what `secret` was or may be under any master key of the ring."""
        return [derive(master, purpose) for master in self._master.values()]


def seal(key: bytes, plain: bytes, *bound: str) -> bytes:
    """Return `plain` sealed under `key` and bound to the given context."""
    nonce = os.urandom(12)
    return VERSION + nonce + AESGCM(key).encrypt(nonce, plain, _associated(bound))


def unseal(key: bytes, sealed: bytes, *bound: str) -> bytes:
    """Open what `seal` closed. Raises WrongKey when key, context or value differ."""
    if sealed[:1] != VERSION or len(sealed) < NOTHING:
        raise WrongKey("unknown version of sealed value")
    try:
        return AESGCM(key).decrypt(sealed[1:13], sealed[13:], _associated(bound))
    except InvalidTag:
        raise WrongKey("the value does not open: " + " ".join(bound[:2])) from None


def _associated(bound: Sequence[str]) -> bytes:
    # Length prefixes: ("ab", "c") and ("a", "bc") must differ.
    parts = [part.encode() for part in bound]
    return VERSION + b"".join(len(part).to_bytes(4, "big") + part for part in parts)


def derive(key: bytes, purpose: str) -> bytes:
    """Return 32 bytes derived from `key` for one purpose."""
    return HKDF(hashes.SHA256(), KEY_BYTES, salt=None, info=purpose.encode()).derive(key)


def index_key(clinic_key: bytes, kind: str) -> bytes:
    """Return the key of one kind of blind index in the clinic whose key is given."""
    return derive(clinic_key, "index." + kind)


def blind_index(of_kind: bytes, value: str) -> bytes:
    """Return the 16 bytes by which `value` is found within one clinic without being readable; see `index_key`."""
    return hmac.digest(of_kind, value.encode(), "sha256")[:16]


def new_key() -> bytes:
    """Return a fresh 256-bit key."""
    return os.urandom(KEY_BYTES)


def new_token() -> str:
    """Return a random 128-bit token for a URL, 22 characters."""
    return secrets.token_urlsafe(16)


def token_hash(token: str) -> bytes:
    """Return what is stored of a token: it has 128 random bits, so that a keyed fast hash suffices."""
    return hmac.new(ring().secret("tokens"), token.encode("utf-8", "replace"), hashlib.sha256).digest()


def ring() -> Ring:
    """Return the ring of this process, from the settings or from the data directory's file."""
    return runtime.once("keys.ring", _load_ring)


def _load_ring() -> Ring:
    settings = runtime.settings()
    if settings.master_keys:
        return parse_ring(settings.master_keys.get_secret_value())
    return parse_ring(_own_file(settings.data_dir / FILE))


def parse_ring(text: str, setting: str = "WARMTHREAD_MASTER_KEYS") -> Ring:
    """Read `id:base64,id:base64`, newest first; `+id:base64` waits: it opens, and seals and signs nothing yet.

    Raises BadMasterKeys naming what is wrong with `setting`.
    """
    waiting: set[str] = set()
    master: dict[str, bytes] = {}
    for entry in filter(None, (part.strip() for part in text.replace("\n", ",").split(","))):
        name, _, encoded = entry.removeprefix("+").partition(":")
        waiting |= {name} if entry.startswith("+") else set()
        try:
            key = base64.b64decode(encoded, validate=True)
        except binascii.Error:
            raise BadMasterKeys(f"key {name} is not base64", setting) from None
        if len(key) != KEY_BYTES or not name or len(set(key)) < 8:
            raise BadMasterKeys(f"key {name} must be 32 random bytes in base64", setting)
        if name in master:
            raise BadMasterKeys(f"key {name} stands there twice", setting)
        master[name] = key
    if not master:
        raise BadMasterKeys("there is no key", setting)
    if waiting >= set(master):
        raise BadMasterKeys("every key waits (+): one must seal", setting)
    return Ring(master, waiting)


def new_master_line(name: str) -> str:
    """Return a fresh master key as it is written in the setting."""
    return f"{name}:{base64.b64encode(new_key()).decode()}"


def _own_file(path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not path.exists():
        _make_own_file(path)
    if path.stat().st_mode & 0o077:
        raise BadMasterKeys(f"{path.name} is readable by others: set its mode to 0600")
    return path.read_text()


def _make_own_file(path: Path) -> None:
    # Written aside and linked into place: of several processes started at once one makes the keys, the others read
    # them, and none ever reads half a file.
    handle, aside = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    with os.fdopen(handle, "w") as file:
        file.write(new_master_line("k1") + "\n")
        file.flush()
        os.fsync(file.fileno())
    with suppress(FileExistsError):
        os.link(aside, path)
    os.unlink(aside)
