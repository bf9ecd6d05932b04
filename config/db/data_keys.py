"""Data keys: made, kept wrapped, opened, replaced by new ones of the same id, and thrown away.

A clinic's key is wrapped by a master key, a patient's by their clinic's. While a key is being replaced its row holds
the old one too, sealed under the new: the new one seals, and either opens (config.db.replacing). Deleting a row deletes
what was sealed under it.
"""

import base64
import json
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Row, String, Table, delete, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from config import clock, keys, runtime
from config.db.base import Base, new_id, new_ids
from config.db.sets import among, write_rows
from config.remembered import Remembered

CACHE_SECONDS = 300
CACHE_KEYS = 20_000
# What blind indexes are of. Their keys outlive the clinic's key, so each must be named here before it is used.
INDEX_KINDS = (
    "number",
    "record",
    "name.0",
    "name.3",
    "name.5",
    "birth_date",
    "shredded",
    "sso_subject",
    "sso_session",
    "sso_logout",
    "feed_digest",
    "feed_patient",
)
LATER = "later"
# Under which name a session remembers the keys that it has looked for in vain.
GONE = "config.db.keys_gone"
# Under which name a session that reads elsewhere knows the session that finds its keys.
KEYS_FROM = "config.db.keys_from"


class DataKey(Base):
    """A wrapped key. `wrapped_by` is null for a clinic's key (then `master_id` says which master key wraps it).

    `old_wrapped` is the key before it, sealed under this one, while something may still be sealed under that; it was
    replaced at `replaced_at`. `index_wrapped` are the keys of a clinic's blind indexes, once its first key is replaced.
    """

    __tablename__ = "data_key"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    clinic_id: Mapped[UUID] = mapped_column(index=True)
    wrapped_by: Mapped[UUID | None]
    master_id: Mapped[str | None] = mapped_column(String(40), index=True)
    wrapped: Mapped[bytes]
    created_at: Mapped[datetime]
    old_wrapped: Mapped[bytes | None]
    index_wrapped: Mapped[bytes | None]
    replaced_at: Mapped[datetime | None]


class Opened(NamedTuple):
    """The key that seals, and the one before it while that may still be needed."""

    key: bytes
    old: bytes | None = None


def _cache() -> Remembered[Any]:
    """Opened keys of this process, each for five minutes at most, and what was derived from them."""
    return runtime.once("db.keys", lambda: Remembered[Any](CACHE_KEYS, CACHE_SECONDS))


def new_data_key(session: Session, clinic_id: UUID, *, under: UUID | None = None) -> UUID:
    """Make a key and store it wrapped: by the key `under`, or by the master key. Return its id."""
    key_id, key = new_id(), keys.new_key()
    master_id: str | None = None
    if under is None:
        master_id, wrapped = keys.ring().wrap(key, *bound(key_id, clinic_id))
    else:
        wrapped = keys.seal(opened(session, under).key, key, *bound(key_id, clinic_id))
    session.add(
        DataKey(
            id=key_id,
            clinic_id=clinic_id,
            wrapped_by=under,
            master_id=master_id,
            wrapped=wrapped,
            created_at=clock.now(),
        )
    )
    _cache().put(key_id, Opened(key))
    return key_id


def new_data_keys(session: Session, clinic_id: UUID, count: int, *, under: UUID) -> list[UUID]:
    """Make many keys at once as `new_data_key` makes one, wrapped by the clinic's key `under`; return their ids."""
    above, now = opened(session, under).key, clock.now()
    fresh = {key_id: keys.new_key() for key_id in new_ids(count)}
    alike = {"clinic_id": clinic_id, "wrapped_by": under, "master_id": None, "created_at": now}
    rows = [
        {"id": key_id, "wrapped": keys.seal(above, key, *bound(key_id, clinic_id)), **alike}
        for key_id, key in fresh.items()
    ]
    write_rows(session, DataKey, rows)
    for key_id, key in fresh.items():
        _cache().put(key_id, Opened(key))
    return list(fresh)


def bound(key_id: UUID, clinic_id: UUID, what: str = "data_key") -> tuple[str, str, str]:
    """Return what a wrapped key is bound to; `what` tells it from an old one and from the keys of indexes."""
    return what, str(key_id), str(clinic_id)


def load_keys(session: Session, key_ids: Iterable[UUID]) -> None:
    """Open many keys with one SELECT, before a batch reads its rows.

    One that does not open is left out: whoever reads a row of its own learns that, and no other row is held up. One
    that is there no more is not looked for again in this transaction, value by value: no key comes back.
    """
    session = _where_keys_are(session)
    wanted = [key_id for key_id in set(key_ids) if _cache().get(key_id) is None]
    for start in range(0, len(wanted), 500):
        some = among(session, DataKey.id, wanted[start : start + 500])
        rows = session.execute(select(*DataKey.__table__.c).where(some)).all()
        load_keys(session, {row.wrapped_by for row in rows if row.wrapped_by})
        for row in rows:
            with suppress(keys.WrongKey):
                _open(session, row)
        session.info.setdefault(GONE, set()).update(set(wanted[start : start + 500]) - {row.id for row in rows})


def cached(key_id: UUID) -> Opened | None:
    """Return a key that this process has opened within the last five minutes."""
    opened_before: Opened | None = _cache().get(key_id)
    return opened_before


def opened(session: Session, key_id: UUID) -> Opened:
    """Return a key, opened if need be. Raises WrongKey."""
    session, at_hand = _where_keys_are(session), cached(key_id)
    if at_hand is None and key_id in session.info.get(GONE, ()):
        raise keys.WrongKey("the key of this row has been deleted")
    return at_hand or _read(session, key_id)


def _where_keys_are(session: Session) -> Session:
    """The session that finds keys for one that reads in a database which follows: there a key may still be that has
    been destroyed."""
    found: Session = session.info.get(KEYS_FROM, session)
    return found


def _read(session: Session, key_id: UUID) -> Opened:
    """A key as it is stored now, whatever this process or this session remembers of it."""
    row = _where_keys_are(session).execute(select(*DataKey.__table__.c).where(DataKey.id == key_id)).first()
    if row is None:
        raise keys.WrongKey("the key of this row has been deleted")
    return _open(session, row)


def _open(session: Session, row: DataKey | Row[Any]) -> Opened:
    place = bound(row.id, row.clinic_id)
    if row.wrapped_by is None:
        key = keys.ring().unwrap(row.master_id or "", row.wrapped, *place)
    else:
        key = unsealed(session, row.wrapped_by, row.wrapped, *place)
    old = row.old_wrapped and keys.unseal(key, row.old_wrapped, *bound(row.id, row.clinic_id, "data_key.old"))
    made = Opened(key, old)
    _cache().put(row.id, made)
    return made


def unsealed(session: Session, key_id: UUID, sealed: bytes, *place: str) -> bytes:
    """Open a value by its row's key, or by the one before it. Raises WrongKey.

    Where neither opens it, the key may have been replaced since this process has looked: then it looks again.
    """
    at_hand = opened(session, key_id)
    try:
        return by_either(at_hand, sealed, *place)
    except keys.WrongKey:
        with suppress(keys.WrongKey):
            if (now := _read(session, key_id)) != at_hand:
                return by_either(now, sealed, *place)
        raise


def by_either(pair: Opened, sealed: bytes, *place: str) -> bytes:
    """Open a value by the key that seals, or else by the one before it. Raises WrongKey."""
    try:
        return keys.unseal(pair.key, sealed, *place)
    except keys.WrongKey:
        if pair.old is None:
            raise
        return keys.unseal(pair.old, sealed, *place)


def move_key(session: Session, key_id: UUID, *, under: UUID) -> None:
    """Wrap a key by another one than before: who may open that one may open it."""
    row = session.execute(select(*DataKey.__table__.c).where(DataKey.id == key_id)).one()
    if row.wrapped_by not in (None, under):
        wrapped = keys.seal(opened(session, under).key, opened(session, key_id).key, *bound(key_id, row.clinic_id))
        session.execute(update(DataKey).where(DataKey.id == key_id).values(wrapped=wrapped, wrapped_by=under))


def keys_below(session: Session, key_ids: Iterable[UUID]) -> list[UUID]:
    """Return the ids of the keys that these wrap."""
    return list(session.scalars(select(DataKey.id).where(DataKey.wrapped_by.in_(list(key_ids)))))


def destroy_keys(session: Session, key_ids: Iterable[UUID]) -> None:
    """Throw keys away for good, and those they wrap: whatever is sealed under them opens no more, here or in any
    process begun later.

    Another process that has opened one remembers it for five minutes: whoever destroys words overwrites them too.
    """
    wanted = list(key_ids)
    wanted += keys_below(session, wanted)
    session.execute(update(DataKey).where(DataKey.id.in_(wanted)).values(wrapped=b"", old_wrapped=None))
    session.execute(delete(DataKey).where(DataKey.id.in_(wanted)))
    forget_keys(wanted)


def forget_keys(key_ids: Iterable[UUID]) -> None:
    """Let this process look again before it uses one of these keys, or what was derived from it."""
    wanted = set(key_ids)
    _cache().forget(lambda known: (known[0] if isinstance(known, tuple) else known) in wanted)


def clinic_index(session: Session, clinic_key_id: UUID, kind: str, value: str) -> bytes:
    """Return the blind index of `value` in the clinic whose key is given (`kind` such as "number" or "record")."""
    return keys.blind_index(clinic_index_key(session, clinic_key_id, kind), value)


def clinic_index_key(session: Session, clinic_key_id: UUID, kind: str) -> bytes:
    """Return the key of one kind of blind index of a clinic, for what is compared when no transaction is open."""
    of_kind: bytes | None = _cache().get((clinic_key_id, kind))
    if of_kind is None:  # derived once, as deriving takes ten times as long as the index itself
        if kind not in INDEX_KINDS:
            raise ValueError(f"no such kind of index: {kind}")
        of_kind = _index_key(session, clinic_key_id, kind)
        _cache().put((clinic_key_id, kind), of_kind)
    return of_kind


def _index_key(session: Session, clinic_key_id: UUID, kind: str) -> bytes:
    kept = session.execute(
        select(DataKey.clinic_id, DataKey.index_wrapped).where(DataKey.id == clinic_key_id)
    ).one_or_none()
    if kept is None or kept.index_wrapped is None:
        return keys.index_key(opened(session, clinic_key_id).key, kind)
    place = bound(clinic_key_id, kept.clinic_id, "data_key.index")
    of_kinds = _written(unsealed(session, clinic_key_id, kept.index_wrapped, *place))
    return of_kinds.get(kind) or keys.index_key(of_kinds[LATER], kind)


def index_keys(clinic_key: bytes) -> bytes:
    """Return the keys of all indexes under a clinic's first key, and of kinds to come, as they are written down."""
    made = {kind: keys.index_key(clinic_key, kind) for kind in (*INDEX_KINDS, LATER)}
    return json.dumps({kind: base64.b64encode(key).decode() for kind, key in made.items()}).encode()


def _written(text: bytes) -> dict[str, bytes]:
    return {kind: base64.b64decode(key) for kind, key in json.loads(text).items()}


def sealed_columns(table: Table) -> list[str]:
    """Return the names of a table's sealed columns, which are those that end so."""
    return [column.name for column in table.c if column.name.endswith("_ct")]
