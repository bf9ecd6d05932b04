"""`warmthread demo`: a whole service in a folder of its own, a day walked through its doors, then a morning to try."""

import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from types import FrameType

import click

from config.settings import SettingsError
from service.cli.walk import day, demo_service, morning
from service.cli.walk.demo_service import Running
from service.cli.walk.screen import Screen, folded
from service.cli.walk.steps import STEPS, Walk
from service.embedded import ports
from service.embedded.supervisor import NotReady, Supervisor

# The addresses of the demonstration, the same each time, so that a bookmark lives: the service and the phones.
WEB_PORT, PHONES_PORT = 8420, 8430


class Interrupts:
    """What Ctrl-C and SIGTERM do: say so at once, and interrupt whatever is going on; while serving, only ask."""

    def __init__(self) -> None:
        self.asked = self.serving = False

    def __call__(self, _number: int, _frame: FrameType | None) -> None:
        if not self.asked:
            os.write(sys.stdout.fileno(), b"\nEnding ...\n")  # not print: what we interrupt may be printing
        self.asked = True
        if not self.serving:
            raise KeyboardInterrupt


def run(*, keep_serving: bool) -> int:
    """Show the walk, and serve on if asked to; return 0 only if every step was observed."""
    screen = Screen()
    doors = _doors(screen, os.environ.get("PORT", ""))
    folder = Path(tempfile.mkdtemp(prefix="warmthread-demo-"))
    try:
        with _listening() as interrupts:
            return _run(screen, folder, doors, interrupts, keep_serving)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        screen.say("Ended, nothing is left.")


@contextmanager
def _listening() -> Iterator[Interrupts]:
    interrupts = Interrupts()
    before = {number: signal.signal(number, interrupts) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield interrupts
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _run(screen: Screen, folder: Path, doors: tuple[int, int], interrupts: Interrupts, keep_serving: bool) -> int:
    log = folder / "log"
    with log.open("wb") as output:
        service = demo_service.running(folder, doors=doors, output=output.fileno())
        with screen.step("Starting web server, workers, ticker and a phone network"):
            running = _begun(service, screen, log)
    try:
        walk = Walk(running.scene)
        failed = _walk(screen, walk)
        if failed:
            _last_words(screen, log)
        if failed is None and keep_serving:
            with screen.step("A morning to try: patients, weeks of scores, texts") as seen:
                seen(morning.seed(walk.scene))
            _keep_serving(screen, walk, running.service.supervisor, interrupts)
    finally:
        service.__exit__(None, None, None)
    return 1 if failed else 0


def _begun(service: AbstractContextManager[Running], screen: Screen, log: Path) -> Running:
    try:
        return service.__enter__()
    except NotReady:
        _last_words(screen, log)
        raise


def _last_words(screen: Screen, log: Path) -> None:
    """Show the end of what the processes wrote: the folder with all of it goes when the demonstration ends."""
    for line in log.read_text("utf-8", "replace").splitlines()[-5:]:
        screen.say(f"  {line}", "dim")


def _keep_serving(screen: Screen, walk: Walk, supervisor: Supervisor, interrupts: Interrupts) -> None:
    """Say where everything is and restart what dies, until Ctrl-C or SIGTERM; everything is started already."""
    links = [_sign_in_link(walk, colleague) for colleague in (day.TEAM[0], day.TEAM[2])]
    interrupts.serving = True
    _addresses(screen, walk, *links)  # only now: whoever reads that Ctrl-C ends everything may press it at once
    while not interrupts.asked and supervisor.poll():
        time.sleep(0.1)
    interrupts.serving = False  # a second Ctrl-C has lost patience


def _doors(screen: Screen, wanted: str) -> tuple[int, int]:
    """Return the ports of service and phones: PORT or the usual ones; ends with words if PORT cannot be had."""
    web = _port(wanted) if wanted else _usual(screen, "The service", WEB_PORT)
    return web, _usual(screen, "The phones", PHONES_PORT)


def _usual(screen: Screen, what: str, port: int) -> int:
    free = ports.free_from(port)
    if free != port:
        screen.say(f"{what}: port {port} is taken by another program, so this time it is {free}.")
    return free


def _port(wanted: str) -> int:
    if not wanted.isdecimal() or not 1 <= int(wanted) <= 65535:
        raise SettingsError(["PORT must be a number from 1 to 65535"])
    if not ports.is_free(int(wanted)):
        raise click.ClickException(f"port {wanted} is taken by another program: set PORT, or leave it out")
    return int(wanted)


def _walk(screen: Screen, walk: Walk) -> str | None:
    """Show every step; return the title of the one that was not seen."""
    began = time.monotonic()
    walk.scene.name_phones(morning.names())
    screen.say(f"\nOne day at {day.CLINIC} in New York. Its clock is set to a Tuesday, 9:40 AM:\n")
    for number, (title, step) in enumerate(STEPS, start=1):
        try:
            with screen.step(f"{number:>2}. {title}") as seen:
                seen(step(walk))
        except Exception as error:  # noqa: BLE001 - whatever goes wrong, the verdict names the step
            screen.say(folded(f"NOT SEEN: {error or type(error).__name__}"))
            screen.say(f"\nThe walk failed at: {title}", "bold red")
            return title
    screen.say(f"\nEvery step was observed through the doors, in {time.monotonic() - began:.1f} s.\n", "bold")
    return None


def _sign_in_link(walk: Walk, who: day.Colleague) -> str:
    words = ("staff", "invite", "--name", who.name, "--email", who.email, "--role", who.role, "--once")
    return str(walk.scene.command(*words)[0]["link"])


def _addresses(screen: Screen, walk: Walk, inbox: str, settings: str) -> None:
    screen.say(
        f"""\
  Choose who to be: {walk.scene.service}/demo
  The phones:       {walk.scene.network}/
  Teresa's phone:   {walk.scene.network}/phone/{day.FORM.number}
  E-mail:           {walk.scene.network}/mail
  Two EHRs:         {walk.scene.network}/ehrs
  Heard here:       {walk.scene.service}/settings/feeds
  Is it well:       {walk.scene.service}/readyz

  The inbox, as Rosa Delgado (this link signs in once):
    {inbox}
  The clinic's settings, as Ines Moreau (once too):
    {settings}?next=/settings

Type on a phone and watch the inbox. Ctrl-C ends everything and leaves nothing behind."""
    )
