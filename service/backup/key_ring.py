"""Which keys a backup is sealed with, and which keys its data need: never the same ones, and neither is in it."""

import hmac

from sqlalchemy import select

from config import db, keys, runtime
from service.backup.envelope import BadBackup, Head

SETTING = "WARMTHREAD_BACKUP_KEYS"


class NoKey(Exception):
    """There is no backup key, or it is a master key."""


def ring() -> keys.Ring:
    """Return the backup keys. Raises NoKey, keys.BadMasterKeys."""
    said = runtime.settings().backup_keys
    if said is None:
        raise NoKey(
            f"{SETTING} is not set: make a key with `warmthread backup new-key` and keep it apart from the data"
        )
    made = keys.parse_ring(said.get_secret_value(), SETTING)
    masters = {keys.ring().key(name) for name in keys.ring().ids()}
    if any(made.key(name) in masters for name in made.ids()):
        raise NoKey(f"{SETTING} holds a master key: whoever found the one would open the other, so make another")
    return made


def masters() -> dict[str, str]:
    """Return the proof of each master key that the data in the database need, by its id."""
    ours = select(db.DataKey.master_id).where(db.DataKey.wrapped_by.is_(None)).distinct()
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        used = sorted(name for name in session.scalars(ours) if name)
    return {name: proof for name in used if (proof := _proof(name))}


def demand_masters(head: Head) -> None:
    """Raise BadBackup unless every master key is here without which the restored data could not be read."""
    lacking = [name for name, proof in head.masters.items() if not hmac.compare_digest(_proof(name) or "", proof)]
    if lacking:
        raise BadBackup(
            f"its data need the master key {', '.join(lacking)}, which is not the one here. Master keys are in no"
            " backup: bring them from where they are kept (WARMTHREAD_MASTER_KEYS, or master.keys beside the data)"
        )


def _proof(name: str) -> str | None:
    key = keys.ring().key(name)
    return keys.derive(key, "backup.proof").hex()[:32] if key else None
