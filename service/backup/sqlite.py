"""An SQLite database as bytes, read page by page while the service writes, and put in place of another."""

import os
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path

from sqlalchemy import make_url

from config import db
from service.backup.envelope import CHUNK, BadBackup

PAGES = 4096
BESIDE = ("", "-wal", "-shm")


def path() -> Path:
    """Return where the database lies."""
    return Path(make_url(db.database_url()).database or "")


@contextmanager
def dumped() -> Iterator[tuple[int, Iterable[bytes]]]:
    """Yield how many bytes a copy of the database has, and its bytes. The copy lies beside it, for us alone."""
    with tempfile.TemporaryDirectory(prefix=".backup-", dir=path().parent) as folder:
        copy = Path(folder, "copy.sqlite3")
        with closing(sqlite3.connect(path(), timeout=60)) as source, closing(sqlite3.connect(copy)) as target:
            source.backup(target, pages=PAGES)
            target.execute("PRAGMA journal_mode=DELETE")
        yield copy.stat().st_size, _pieces(copy)


def _pieces(copy: Path) -> Iterator[bytes]:
    with copy.open("rb") as file:
        while piece := file.read(CHUNK):
            yield piece


def check(content: Iterable[bytes]) -> None:
    """Read the database through as SQLite does. Raises BadBackup."""
    with tempfile.TemporaryDirectory(prefix="warmthread-verify-") as folder:
        _write(Path(folder, "copy.sqlite3"), content)


def load(content: Iterable[bytes], at: datetime) -> Path | None:
    """Put this database in place of the one there is, all at once; return the folder where that one lies now.

    Raises BadBackup, and leaves everything as it was.
    """
    target = path()
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.TemporaryDirectory(prefix=".restore-", dir=target.parent) as folder:
        fresh = Path(folder, "fresh.sqlite3")
        _write(fresh, content)
        db.engine().dispose()
        before = _set_aside(target, target.parent / f"before-restore-{at:%Y%m%dT%H%M%S}")
        os.replace(fresh, target)
    return before


def _write(copy: Path, content: Iterable[bytes]) -> None:
    descriptor = os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        for piece in content:
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())
    with closing(sqlite3.connect(copy)) as connection:
        try:
            said = connection.execute("PRAGMA quick_check").fetchone()
        except sqlite3.DatabaseError:
            said = ("no database",)
    if said != ("ok",):
        raise BadBackup("what it holds is no whole SQLite database")


def _set_aside(target: Path, folder: Path) -> Path | None:
    """Move the database with what belongs to it away: a log of the old one must never meet the new one."""
    if not target.exists():
        return None
    folder.mkdir(mode=0o700)
    for ending in reversed(BESIDE):
        part = Path(f"{target}{ending}")
        if part.exists():
            os.replace(part, folder / part.name)
    return folder
