"""Commands that make, verify and restore backups. Exit 3: a backup is not whole; 4: refused for safety."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from config import clock
from config import keys as key_ring
from reminders.shredding import shred_list
from service import start
from service.backup import envelope, making, restoring, shredded
from service.backup import key_ring as backup_keys
from service.backup.postgresql import ToolFailed
from service.cli import opening
from service.cli.tables import as_json, bar, say, show

NOT_WHOLE, REFUSED = 3, 4
lists_option = click.option(
    "--shredded",
    "lists",
    multiple=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A list of destroyed records that lies elsewhere (`warmthread patients shredded`); may be repeated.",
)
file_argument = click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
WHAT_IS_NOT_IN_IT = "The master keys are not in it, nor the backup key: keep each of the three in its own place."
WHAT_IS_LOST = (
    "What colleagues did since the backup is lost. Look again at who may sign in, API keys and consents given on paper."
)


@click.group()
def backup() -> None:
    """Backups of the database: make, verify, restore."""


@backup.command("new-key")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--name", default="b1", show_default=True, help="The key's id, another one for each key.")
def new_key(file: Path, name: str) -> None:
    """Write a new backup key to FILE, which must not be there; WARMTHREAD_BACKUP_KEYS_FILE then names it."""
    with _said(), os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as written:
        written.write(key_ring.new_master_line(name) + "\n")
    say(f"A backup key lies in {file}. Without it no backup opens: keep a copy apart from them and from the data.")


@backup.command("create")
@file_argument
@as_json
def create(file: Path, json_: bool) -> None:
    """Write a sealed backup of the database to FILE, while the service runs."""
    start.begin("cli")
    with _said(), bar("Saving") as progress:
        head = making.make(file, progress)
    show([_row(file, head)], json_=json_, empty="")
    say(WHAT_IS_NOT_IN_IT)


@backup.command("verify")
@file_argument
@as_json
def verify(file: Path, json_: bool) -> None:
    """Read the backup FILE through, as a restore would, and change nothing; exit 3 if it is not whole."""
    start.begin("cli")
    with _said(not_whole=NOT_WHOLE), bar("Reading") as progress:
        head = making.verify(file, progress)
    show([_row(file, head)], json_=json_, empty="")
    say("It is whole.")


@backup.command("restore")
@file_argument
@click.option("--replace", is_flag=True, help="Also where the database here holds clinics: it gives way.")
@lists_option
@as_json
def restore(file: Path, replace: bool, lists: tuple[Path, ...], json_: bool) -> None:
    """Put the backup FILE in place of the database. Every process must be stopped.

    Records that were destroyed since are destroyed again, by the lists beside FILE and that of the database here.

    No patient is texted afterwards until the carrier's list of all that came and left since the backup has been read.
    """
    start.begin("cli")
    with _said(), bar("Restoring") as progress:
        done = restoring.restore(file, progress, replace=replace, operator=opening.operator(), lists=lists)
    before = {"before": str(done.before)} if done.before else {}
    counts = {"clinics": done.clinics, "destroyed_again": done.destroyed}
    show([_row(file, done.head) | counts | before], json_=json_, empty="")
    _say_what_was_destroyed(done.listed, done.destroyed)
    _say_what_waits(done.clinics)


@backup.command("restored")
@click.option("--as-of", required=True, help="The moment as of which it was restored, such as 2026-07-01T03:00:00Z.")
@lists_option
def restored(as_of: str, lists: tuple[Path, ...]) -> None:
    """Say that the database was restored by other means (point-in-time recovery), before any process starts."""
    start.begin("cli")
    try:
        moment = datetime.fromisoformat(as_of)
    except ValueError:
        raise click.BadParameter("write a moment such as 2026-07-01T03:00:00Z", param_hint="--as-of") from None
    if moment.tzinfo is None:
        raise click.BadParameter("a moment needs its zone: end it with Z for UTC", param_hint="--as-of")
    if moment > clock.now():
        raise click.BadParameter("this moment is yet to come", param_hint="--as-of")
    with _said():
        entries = shredded.gather(None, lists)
        _say_what_was_destroyed(len(entries), shredded.apply(entries))
    _say_what_waits(restoring.mark(moment.astimezone(UTC), opening.operator()))


def _say_what_was_destroyed(listed: int, destroyed: int) -> None:
    say(f"Records on the lists of destroyed ones: {listed}. Of these the backup still had, and lost now: {destroyed}.")


def _say_what_waits(clinics: int) -> None:
    say(f"Texts to patients of {clinics} clinics wait until the carrier's list has been read: start the service now.")
    say(WHAT_IS_LOST)


def _row(file: Path, head: envelope.Head) -> dict[str, Any]:
    return {
        "file": str(file),
        "made_at": head.made_at.isoformat(timespec="seconds"),
        "database": head.database,
        "revision": head.revision,
        "version": head.version,
        "backup_key": head.key,
        "master_keys": ", ".join(head.masters),
        "bytes": file.stat().st_size,
    }


@contextmanager
def _said(not_whole: int = REFUSED) -> Iterator[None]:
    """End with a sentence and an exit code of ours where a backup cannot be made, read or restored."""
    try:
        yield
    except envelope.BadBackup as bad:
        _end(f"This backup cannot be used: {bad}.", not_whole)
    except (restoring.Refused, backup_keys.NoKey) as refused:
        _end(f"Refused: {refused}.", REFUSED)
    except shred_list.BadList as bad:
        _end(f"Refused: this is no list of destroyed records: {bad}.", REFUSED)
    except FileExistsError:
        _end("Refused: this file is there already, and a backup or key is never written over.", REFUSED)
    except making.NothingToSave:
        _end("There is nothing to save: the database has no tables yet.", 1)
    except ToolFailed as failed:
        _end(f"{failed}.", 1)


def _end(sentence: str, code: int) -> None:
    say(sentence)
    raise click.exceptions.Exit(code)
