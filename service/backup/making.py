"""Making a backup while the service runs, and reading one through."""

import os
from collections.abc import Callable, Iterable, Iterator
from importlib import metadata
from pathlib import Path
from typing import BinaryIO

from config import clock, db
from service import migrations
from service.backup import envelope, key_ring, postgresql, shredded, sqlite

Progress = Callable[[int, int], None]


class NothingToSave(Exception):
    """The database has no tables yet."""


def make(file: Path, progress: Progress) -> envelope.Head:
    """Write a backup to `file`, which appears there when it is whole, and the list of destroyed records beside it.

    Raises FileExistsError, NoKey, ToolFailed.
    """
    ring, revision = key_ring.ring(), migrations.current()
    if revision is None:
        raise NothingToSave
    kind = sqlite if db.engine().dialect.name == "sqlite" else postgresql
    made_at = clock.now()  # before the picture is taken: what is said meanwhile may be in it, and is asked for again
    head = envelope.Head(
        made_at, db.engine().dialect.name, revision, metadata.version("warmthread"), ring.newest, key_ring.masters()
    )
    key = ring.key(ring.newest)
    assert key is not None
    partial = file.with_name(f".{file.name}.partial")
    partial.unlink(missing_ok=True)
    try:
        with kind.dumped() as (size, content), _private(partial) as out:
            envelope.write(out, head, key, _watched(content, size, progress))
            out.flush()
            os.fsync(out.fileno())
        os.link(partial, file)  # and never over another backup
    finally:
        partial.unlink(missing_ok=True)
    shredded.keep_beside(file)
    return head


def verify(file: Path, progress: Progress) -> envelope.Head:
    """Read a backup through, as a restore would. Raises BadBackup, NoKey, ToolFailed."""
    with file.open("rb") as opened:
        head, content = envelope.read(opened, key_ring.ring().key)
        watched = _watched(content, file.stat().st_size, progress)
        (sqlite if head.database == "sqlite" else postgresql).check(watched)
    return head


def _private(path: Path) -> BinaryIO:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def _watched(content: Iterable[bytes], size: int, progress: Progress) -> Iterator[bytes]:
    done = 0
    for piece in content:
        done += len(piece)
        progress(min(done, size), size)
        yield piece
