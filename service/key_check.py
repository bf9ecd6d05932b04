"""Whether the master keys here open what is stored: asked before a process serves anybody, of one key of each."""

from datetime import timedelta

from sqlalchemy import func, inspect, select
from sqlalchemy.exc import SQLAlchemyError

from config import clock, db, keys, runtime
from config.settings import SettingsError

SETTING = "WARMTHREAD_MASTER_KEYS"
# How long a replacement of data keys may take.
LEFT_OVER = timedelta(days=1)


def refuse_wrong_keys() -> None:
    """Raise SettingsError where a master key is missing that stored keys need, or another stands under its name.

    Every clinic's key is a canary: it is sealed under the master key that it names. A database that cannot be asked
    now, or has no tables yet, is nobody's proof of a wrong key, and what it lacks is said elsewhere.
    """
    settings = runtime.settings()
    if settings.embedded_database and not (settings.data_dir / "warmthread.sqlite3").exists():
        return
    try:
        problems = _problems()
    except SQLAlchemyError:
        problems = []
    finally:
        db.engine().dispose()  # nothing is open when this process begins others
    if problems:
        raise SettingsError(problems)


def refuse_lost_keys() -> None:
    """Raise SettingsError where the data directory's own master keys are gone and its database needs them.

    New ones would open nothing that is stored, and what they sealed would open no more once the old ones are back.
    """
    settings = runtime.settings()
    database = settings.data_dir / "warmthread.sqlite3"
    if settings.master_keys or (settings.data_dir / keys.FILE).exists() or not settings.embedded_database:
        return
    if database.exists() and _holds_keys():
        raise SettingsError(
            [
                f"{keys.FILE} is missing in {settings.data_dir}, and what the database there holds opens by no other"
                " key: put it back, or give the keys by " + SETTING
            ]
        )


def _holds_keys() -> bool:
    """Whether something is stored that a master key sealed."""
    try:
        with db.engine().connect() as connection:
            stored = inspect(connection).has_table(db.DataKey.__tablename__)
            return stored and connection.scalar(select(db.DataKey.id).limit(1)) is not None
    except SQLAlchemyError:
        return False  # said elsewhere
    finally:
        db.engine().dispose()  # nothing is open when this process begins others


def left_over() -> list[str]:
    """Return a sentence where keys have been replaced, and the old ones were not thrown away within a day."""
    old = select(func.count(db.DataKey.clinic_id.distinct())).where(
        db.DataKey.old_wrapped.is_not(None), db.DataKey.replaced_at < clock.now() - LEFT_OVER
    )
    try:
        with db.unit_of_work(db.EVERY, read_only=True) as session:
            clinics = session.scalar(old)
    except SQLAlchemyError:
        return []  # said elsewhere
    said = "old data keys still open what is stored, in clinics: {}. Run `warmthread keys replace` for each to its end"
    return [said.format(clinics)] if clinics else []


def _problems() -> list[str]:
    with db.engine().connect() as connection:
        if not inspect(connection).has_table(db.DataKey.__tablename__):
            return []
    ring = keys.ring()
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        clinics = db.DataKey.wrapped_by.is_(None)
        masters = session.scalars(select(db.DataKey.master_id).where(clinics).distinct()).all()
        some = [select(db.DataKey).where(clinics, db.DataKey.master_id == master).limit(1) for master in masters]
        found = [session.scalars(canary).one() for canary in some]
        return [problem for row in found if (problem := _problem(ring, row))]


def _problem(ring: keys.Ring, row: db.DataKey) -> str:
    if row.master_id not in ring.ids():
        return f"{SETTING}: the master key {row.master_id} is missing, and stored keys need it: put it back"
    try:
        ring.unwrap(row.master_id or "", row.wrapped, "data_key", str(row.id), str(row.clinic_id))
    except keys.WrongKey:
        return f"{SETTING}: {row.master_id} is another key than the one that stored keys need: put that one back"
    return ""
