"""`warmthread demo`: a whole service on free ports and a folder of its own, and a day walked through its doors."""

import os
import secrets
import shutil
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import click

from config import migrations, processes, start
from config import settings as given
from config.cli.walk import day
from config.cli.walk.scene import Scene
from config.cli.walk.steps import STEPS, Walk
from config.embedded import ports
from config.embedded.supervisor import Process


def run(*, keep_serving: bool) -> int:
    """Show the walk, and serve on if asked to; return 0 only if every step was observed."""
    folder = Path(tempfile.mkdtemp(prefix="warmthread-demo-"))
    try:
        return _run(folder, keep_serving)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _run(folder: Path, keep_serving: bool) -> int:
    began = time.monotonic()
    web, network = ports.free_ports(2)
    web = _port(os.environ.get("PORT", ""), web)
    settings = settings_for(folder, web, network)
    start.use(settings, "demo")
    migrations.upgrade()
    simulator = simulator_for(settings, network)
    service = processes.Service(settings, [simulator])
    env = start.environment(settings, service.valkey.url if service.valkey else settings.redis_url)
    scene = Scene(settings.public_url, f"http://127.0.0.1:{network}", env, folder)
    walk = Walk(scene, day.zone(datetime.now(UTC)))
    try:
        service.supervisor.start()
        click.echo(
            f"Warmthread is up after {time.monotonic() - began:.1f} s. One day at {day.CLINIC}, {walk.zone}:\n"
        )
        failed = _walk(walk)
        if failed:
            click.echo(f"\nThe walk failed at: {failed}")
        if keep_serving and not failed:
            _addresses(walk, network)
            service.supervisor.run()
    finally:
        service.stop()
    return 1 if failed else 0


def _port(wanted: str, free: int) -> int:
    """Return the port that was asked for, else the free one; ends with words if it cannot be had."""
    if not wanted:
        return free
    if not wanted.isdecimal() or not 1 <= int(wanted) <= 65535:
        raise given.SettingsError(["PORT must be a number from 1 to 65535"])
    if not ports.is_free(int(wanted)):
        raise click.ClickException(f"port {wanted} is taken by another program: set PORT, or leave it out")
    return int(wanted)


def settings_for(folder: Path, web: int, network: int, **more: str) -> given.Settings:
    """Return settings for a service of its own in `folder`; `more` by environment name."""
    # The demo never reads the operator's own settings: it must not meet a real account, database or patient.
    return given.load(
        {},
        PORT=str(web),
        TWILIO_ACCOUNT_SID="AC" + secrets.token_hex(16),
        TWILIO_AUTH_TOKEN=secrets.token_hex(16),
        TWILIO_API_URL=f"http://127.0.0.1:{network}",
        WARMTHREAD_PUBLIC_URL=f"http://127.0.0.1:{web}",
        WARMTHREAD_DATA_DIR=str(folder / "data"),
        **({"WARMTHREAD_LOG_LEVEL": "error"} | more),
    )


def simulator_for(settings: given.Settings, network: int) -> Process:
    """Return the simulator's process for a service with these settings."""
    env = start.environment(settings, "") | {
        "SIMULATOR_PORT": str(network),
        "SIMULATOR_SMS_URL": f"{settings.public_url}/webhooks/twilio/sms",
        "SIMULATOR_CLINIC_NUMBER": day.NUMBER,
    }
    health = processes.answers(f"http://127.0.0.1:{network}/healthz")
    return Process("simulator", [sys.executable, "-m", "simulator"], env, ready=health)


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


def _addresses(walk: Walk, network: int) -> None:
    email = day.TEAM[0].email
    words = ("staff", "invite", "--name", day.TEAM[0].name, "--email", email, "--once")
    link = walk.scene.command(*words)[0]["link"]
    click.echo(
        f"""
  The inbox, as Rosa Delgado (this link signs in once):  {link}
  The phones:                                            http://127.0.0.1:{network}/
  Teresa's phone:                                        http://127.0.0.1:{network}/phone/{day.FORM.number}
  Is it well:                                            {walk.scene.service}/readyz

Type on a phone and watch the inbox. Ctrl-C ends everything and leaves nothing behind."""
    )
