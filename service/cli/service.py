"""Commands that run the service: demo, prepare, web, worker, ticker, mllp, db, wait-ready."""

import asyncio
import multiprocessing
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import click

from config import queues
from config.settings import Settings
from service import database_roles, health, migrations, start
from service.cli.tables import say
from service.serving import gateway

# How long the head of a request may take; it holds no thread. And how many connections a server process keeps open.
HEADER_SECONDS, CONNECTIONS = 20, 2048


@click.command()
@click.option("--exit", "exit_", is_flag=True, help="End after the walk: 0 only if every step was observed.")
def demo(exit_: bool) -> None:
    """Walk one clinic's day in this terminal, then keep serving until Ctrl-C."""
    from service.cli.walk import demo as walk

    raise click.exceptions.Exit(walk.run(keep_serving=not exit_))


@click.command(hidden=True)
def prepare() -> None:
    """Do what `serve` needs done before it begins its processes: judge settings, keys and role, and migrate."""
    start.begin("prepare")
    migrations.upgrade()


def web_server(target: str, settings: Settings) -> Callable[[], None]:
    """Return what serves a WSGI `target` until it is told to stop: two processes, HTTP/1 only, behind the gateway."""
    from granian.constants import HTTPModes, Interfaces
    from granian.http import HTTP1Settings
    from granian.log import LogLevels
    from granian.server import Server

    server = Server(
        target,
        address=settings.bind,
        port=settings.port,
        interface=Interfaces.RSGI,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=HEADER_SECONDS * 1000),
        workers=2,
        backlog=CONNECTIONS,
        backpressure=CONNECTIONS,
        websockets=False,
        log_level=LogLevels.error,
        workers_kill_timeout=30,
    )
    # What is loaded is no callable but has __rsgi__, which the server takes too.
    loader = partial(gateway.load, port=settings.port)
    return partial(server.serve, target_loader=loader)  # type: ignore[arg-type]


@click.command()
def web() -> None:
    """Run the web server (one process of the Procfile)."""
    if sys.platform.startswith("linux"):  # what was handed down to this process is the servers' too
        multiprocessing.set_start_method("fork", force=True)
    web_server("service.wsgi:app", start.begin("web"))()


@click.command()
@click.argument("queue", type=click.Choice(queues.NAMES))
def worker(queue: str) -> None:
    """Run the RQ worker of one queue."""
    from service import worker as rq_worker

    start.begin(f"worker.{queue}")
    rq_worker.run(queue)


@click.command()
def ticker() -> None:
    """Run the ticker: it sweeps every lane and does the work itself when nobody else does."""
    from service import ticker as sweeping

    start.begin("ticker")
    sweeping.Ticker().run()


@click.command()
def mllp() -> None:
    """Take HL7 by MLLP on WARMTHREAD_MLLP_PORT: each message is kept before it is acknowledged."""
    from webhooks.mllp import listener, tls

    settings = start.begin("mllp")
    if settings.mllp_port is None:
        raise click.UsageError("WARMTHREAD_MLLP_PORT is not set: nothing is taken by MLLP")
    context = tls.context(settings)
    start.settled()
    try:
        asyncio.run(listener.serve(settings.mllp_bind.strip("[]"), settings.mllp_port, context))
    except OSError as error:
        raise click.ClickException(f"port {settings.mllp_port} cannot be listened on: {error.strerror}") from None


@click.group("db")
def database() -> None:
    """The database."""


@database.command("upgrade")
def upgrade() -> None:
    """Bring the database to the newest migration."""
    start.begin("cli")
    migrations.upgrade()
    database_roles.renew()
    say("The database is at the newest migration.")


@database.command("roles")
@click.argument("role")
@click.option(
    "--password-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file with the password that ROLE is to have, one line.",
)
def roles(role: str, password_file: Path | None) -> None:
    """Let the service work as ROLE, which owns nothing and can only add to the audit log (PostgreSQL).

    Run it with the DATABASE_URL of the role that owns the tables; afterwards every process gets ROLE's, and `db
    upgrade`, `db roles` and `backup restore` alone the owner's. Again and again is the same as once.
    """
    start.begin("cli")
    try:
        database_roles.set_up(role, password_file.read_text("utf-8").strip() if password_file else None)
    except database_roles.NoRoles as refused:
        raise click.ClickException(str(refused)) from None
    say(
        f"The role {role} may do what the service does and nothing more: put it into the DATABASE_URL of its processes."
    )


@database.command("check")
def check() -> None:
    """Say whether the database is at the newest migration; exit 3 if not."""
    start.begin("cli")
    if not migrations.at_head():
        say("The database is not at the newest migration: warmthread db upgrade")
        raise click.exceptions.Exit(3)
    say("The database is at the newest migration.")


@click.command("wait-ready")
@click.option("--timeout", default=60, show_default=True, help="Seconds to wait.")
def wait_ready(timeout: int) -> None:
    """Wait until the service is ready; exit 1 and say what is missing if it is not in time."""
    start.begin("cli")
    end = time.monotonic() + timeout
    problems = ["it was not asked yet"]
    while time.monotonic() < end:
        problems = health.check()
        if not problems:
            say("Ready.")
            return
        time.sleep(0.5)
    for problem in problems:
        say(problem)
    raise click.exceptions.Exit(1)
