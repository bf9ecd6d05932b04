"""Commands about one record: destroy it for good, put it under legal hold; and the list of those destroyed."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from sqlalchemy.orm import Session

from config import db
from messaging.models import Clinic, Patient
from messaging.people import directory
from reminders.shredding import deciding, shred_list
from service.cli import opening
from service.cli.people import clinic_option, the_clinic
from service.cli.tables import say
from service.cli.visits import patients
from web import words

REFUSED = 4
__all__ = ["patients"]
record_argument = click.argument("record", metavar="RECORD")


@patients.command("shred")
@record_argument
@click.option("--yes", is_flag=True, help="Do not ask again.")
@clinic_option
def shred(record: str, yes: bool, clinic_name: str | None) -> None:
    """Destroy a record for good: nobody can ever read again what was said under it. Exit 4 while something refuses.

    Where the clinic has two administrators this only asks, and one of them agrees on the page "Destroyed records".
    """
    opening.begin()
    if not yes:
        click.confirm("Every word under this record is lost for good. Go on?", abort=True)
    with _record(record, clinic_name) as (session, clinic, patient):
        try:
            done = deciding.ask(session, clinic, patient, opening.operator())
        except deciding.Refused as refused:
            if refused.why == ("done",):
                say(words.say("shredding_refusals", "done"))
                return
            _refuse(words.say("shredding_refusals", why) for why in refused.why)
    if done:
        shred_list.keep_own()
    say(words.say("shredding", "done_now" if done else "asked_now"))


@patients.command("hold")
@record_argument
@click.option("--end", is_flag=True, help="End the legal hold.")
@clinic_option
def hold(record: str, end: bool, clinic_name: str | None) -> None:
    """Put a record under legal hold: until that ends nothing of it is destroyed or emptied."""
    opening.begin()
    with _record(record, clinic_name) as (session, clinic, patient):
        fresh = deciding.hold(session, clinic, patient, opening.operator(), on=not end)
    say(words.say("shredding", ("hold_ended" if end else "hold_begun") if fresh else "hold_before"))


@patients.command("shredded")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def shredded_list(file: Path) -> None:
    """Write the list of destroyed records to FILE, in place of it: keep it beside the backups, as long as these."""
    opening.begin()
    entries = shred_list.known()
    shred_list.write(file, entries)
    say(f"Destroyed records on the list: {len(entries)}.")


@contextmanager
def _record(record: str, clinic_name: str | None) -> Iterator[tuple[Session, Clinic, Patient]]:
    """Yield a session with the record that is meant; end with 1 where there is none."""
    with db.unit_of_work(db.EVERY) as session:
        clinic = the_clinic(session, clinic_name)
        patient = directory.find_by_record(session, clinic, record.strip())
        if patient is None:
            raise click.ClickException(words.say("shredding", "unknown"))
        yield session, clinic, patient


def _refuse(sentences: Iterator[str]) -> None:
    for sentence in sentences:
        say(sentence)
    raise click.exceptions.Exit(REFUSED)
