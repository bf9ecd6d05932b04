"""The self-check from a terminal: once by hand, set up, ended."""

import time
from datetime import timedelta

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from config import db
from messaging import phone
from messaging.people import directory
from service.cli import opening
from service.cli.tables import say
from service.self_check import checking, handing_in, made_up, pinging, web_door
from service.self_check.models import SelfCheck

PROBLEMS = 3
PAUSE_SECONDS = 0.25


@click.group("self-check", invoke_without_command=True)
@click.option("--within", default=60, show_default=True, type=click.IntRange(1, 60), help="Seconds it may take.")
@click.pass_context
def self_check(context: click.Context, within: int) -> None:
    """Would an alert leave now? Without a command: check once. Exit 0 it came through, 3 it did not."""
    if context.invoked_subcommand is not None:
        return
    opening.begin()
    with db.unit_of_work(db.EVERY) as session:
        begun = checking.begin(session, _the_check(session))
    shut = handing_in.hand_in(begun)
    if shut:
        say(f"The web server did NOT take a made-up patient's answer: {shut}. Is it up, at {web_door.address()}?")
        raise click.exceptions.Exit(PROBLEMS)
    say(f"A made-up answer was handed in at {web_door.address()}; waiting {within} seconds at most.")
    came, took_ms = _wait(timedelta(seconds=within))
    if came == "late":
        say("It did NOT come through: an alert would not leave now. `warmthread doctor` may say why.")
        raise click.exceptions.Exit(PROBLEMS)
    say(f"It stood in the inbox and its text was handed over after {took_ms} ms.")
    fault = pinging.ping()
    if fault:
        say(f"The address outside did not take our word of it: {fault}.")
        raise click.exceptions.Exit(PROBLEMS)


def _wait(within: timedelta) -> tuple[str, int | None]:
    """Look until the check is over, whoever sees it first: we, or the lane of a running service."""
    while True:
        with db.unit_of_work(db.EVERY) as session:
            check = _the_check(session)
            over = ("late" if _was_late(check) else "seen") if check.state == "resting" else None
            came = over or checking.look(session, check, within)
            if came != "waits":
                return came, check.took_ms
        time.sleep(PAUSE_SECONDS)


def _was_late(check: SelfCheck) -> bool:
    return check.late_at is not None and (check.seen_at is None or check.seen_at < check.late_at)


def _the_check(session: Session) -> SelfCheck:
    check = session.scalar(select(SelfCheck).with_for_update())
    if check is None:
        raise click.UsageError("no self-check is set up: warmthread self-check set-up")
    return check


@self_check.command("set-up")
@click.option("--test-number", help="A phone of your own that gets a real text each time; without, none leaves.")
@click.option("--sender", help="The account's number that these come from; demanded with --test-number.")
def set_up(test_number: str | None, sender: str | None) -> None:
    """Make the made-up clinic, and check every five minutes from now on."""
    opening.begin()
    if bool(test_number) != bool(sender):
        raise click.UsageError("--test-number and --sender belong together")
    to, by = _number(test_number), _number(sender)
    with db.unit_of_work(db.EVERY) as session:
        whose = directory.clinic_by_number(session, by or made_up.NO_SENDER)
        if whose is not None and whose.synthetic is None:
            raise click.ClickException("this sender is a clinic's own: its patients would be answered as nobody's")
        made_up.set_up(session, test_number=to, sender=by, actor=opening.operator())
    ends = f"each a real text to {to}" if to else "their texts end before the carrier"
    say(f"Checked every {checking.EVERY.seconds // 60} minutes from now on; {ends}.")


@self_check.command("end")
def end() -> None:
    """Check no more."""
    opening.begin()
    with db.unit_of_work(db.EVERY) as session:
        ended = made_up.end(session, opening.operator())
    say("No self-check any more." if ended else "There was none.")


def _number(raw: str | None) -> str | None:
    try:
        return phone.e164(raw) if raw else None
    except phone.NotTextable as error:
        raise click.UsageError(str(error)) from None
