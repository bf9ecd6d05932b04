"""`warmthread demo`: a whole service on free ports and a folder of its own, and a day walked through its doors."""

import os
import shutil
import signal
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import click

from config.settings import SettingsError
from service.cli.walk import day, demo_service
from service.cli.walk.steps import STEPS, Walk
from service.embedded import ports
from service.embedded.supervisor import Supervisor


def run(*, keep_serving: bool) -> int:
    """Show the walk, and serve on if asked to; return 0 only if every step was observed."""
    folder = Path(tempfile.mkdtemp(prefix="warmthread-demo-"))
    try:
        return _run(folder, keep_serving)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _run(folder: Path, keep_serving: bool) -> int:
    began = time.monotonic()
    with demo_service.running(folder, port=_port(os.environ.get("PORT", ""))) as running:
        walk = Walk(running.scene, day.zone(datetime.now(UTC)))
        click.echo(f"Warmthread is up after {time.monotonic() - began:.1f} s. One day at {day.CLINIC}, {walk.zone}:\n")
        failed = _walk(walk)
        if failed:
            click.echo(f"\nThe walk failed at: {failed}")
            return 1
        if keep_serving:
            _keep_serving(walk, running.service.supervisor)
    return 0


def _keep_serving(walk: Walk, supervisor: Supervisor) -> None:
    """Say where everything is and restart what dies, until Ctrl-C or SIGTERM; everything is started already."""
    ended: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, _frame: ended.append(number))
    _addresses(walk)  # only now: whoever reads that Ctrl-C ends everything may press it at once
    while not ended and supervisor.poll():
        time.sleep(0.1)


def _port(wanted: str) -> int | None:
    """Return the port that was asked for, None for any that is free; ends with words if it cannot be had."""
    if not wanted:
        return None
    if not wanted.isdecimal() or not 1 <= int(wanted) <= 65535:
        raise SettingsError(["PORT must be a number from 1 to 65535"])
    if not ports.is_free(int(wanted)):
        raise click.ClickException(f"port {wanted} is taken by another program: set PORT, or leave it out")
    return int(wanted)


def _walk(walk: Walk) -> str | None:
    began = time.monotonic()
    for number, (title, step) in enumerate(STEPS, start=1):
        started = time.monotonic()
        try:
            seen = step(walk)
        except Exception as error:  # noqa: BLE001 - whatever goes wrong, the verdict names the step
            click.echo(f"  {number:>2}. NOT SEEN  {title}: {error or type(error).__name__}")
            return title
        click.echo(f"  {number:>2}. seen  {title} ({time.monotonic() - started:.1f} s): {seen}")
    click.echo(f"\nEvery step was observed through the doors, in {time.monotonic() - began:.1f} s.")
    return None


def _sign_in_link(walk: Walk, who: day.Colleague) -> str:
    words = ("staff", "invite", "--name", who.name, "--email", who.email, "--role", who.role, "--once")
    return str(walk.scene.command(*words)[0]["link"])


def _addresses(walk: Walk) -> None:
    rosa, ines = (_sign_in_link(walk, colleague) for colleague in (day.TEAM[0], day.TEAM[2]))
    click.echo(
        f"""
  The inbox, as Rosa Delgado (this link signs in once):  {rosa}
  The clinic's settings, as Ines Moreau (once too):      {ines}?next=/settings
  The phones:                                            {walk.scene.network}/
  Teresa's phone:                                        {walk.scene.network}/phone/{day.FORM.number}
  Is it well:                                            {walk.scene.service}/readyz

Type on a phone and watch the inbox. Ctrl-C ends everything and leaves nothing behind."""
    )
