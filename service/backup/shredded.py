"""The list of destroyed records beside backups: what is destroyed stays destroyed, whichever backup is restored."""

from collections.abc import Iterable
from pathlib import Path

from config import db
from reminders.shredding import shred_list


def keep_beside(file: Path) -> None:
    """Write the list beside a backup, and into the data directory."""
    shred_list.write(file.with_name(file.name + shred_list.ENDING), shred_list.known())
    shred_list.keep_own()


def gather(file: Path | None, lists: Iterable[Path]) -> set[shred_list.Entry]:
    """Return what any list says: the database's own, the data directory's, all that lie beside `file`, and `lists`.

    Raises BadList, and OSError where a list cannot be read.
    """
    beside = sorted(file.parent.glob(f"*{shred_list.ENDING}")) if file else []
    own = [shred_list.own()] if shred_list.own().exists() else []
    found = shred_list.known()
    for path in (*lists, *beside, *own):
        found |= shred_list.parse(path)
    return found


def apply(entries: Iterable[shred_list.Entry]) -> int:
    """Destroy again what the lists name; return how many records that were."""
    with db.unit_of_work(db.EVERY) as session:
        return shred_list.apply(session, entries)
