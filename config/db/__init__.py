"""One database behind one interface: SQLite on this machine or PostgreSQL, the same verbs for both."""

from config.db.base import Base, ClinicRow, Heartbeat, Moment, SealedRow, Work, first_id, new_id, new_ids
from config.db.claims import STUCK, Claim, apart, claim, put_off, retry_later, still_mine, work_off
from config.db.engine import EVERY, bare_transaction, engine, forget_connections, on_commit, unit_of_work
from config.db.sealed import (
    DataKey,
    Sealed,
    SealedBytes,
    clinic_index,
    load_keys,
    new_data_key,
    new_data_keys,
)
from config.db.sets import among, arrays, columns, of_each, unnested, write_columns, write_rows

__all__ = [
    "EVERY",
    "STUCK",
    "Base",
    "Claim",
    "ClinicRow",
    "DataKey",
    "Heartbeat",
    "Moment",
    "Sealed",
    "SealedBytes",
    "SealedRow",
    "Work",
    "among",
    "apart",
    "arrays",
    "bare_transaction",
    "claim",
    "clinic_index",
    "columns",
    "engine",
    "first_id",
    "forget_connections",
    "load_keys",
    "new_data_key",
    "new_data_keys",
    "new_id",
    "new_ids",
    "of_each",
    "on_commit",
    "put_off",
    "retry_later",
    "still_mine",
    "unit_of_work",
    "unnested",
    "work_off",
    "write_columns",
    "write_rows",
]
