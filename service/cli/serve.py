"""The command that serves: it starts, watches and restarts, and leaves to others whatever needs a table."""

import click

from config import logging, settings
from service import processes
from service.cli.tables import say
from service.embedded import ports
from service.embedded.supervisor import NotDone


@click.command()
def serve() -> None:
    """Serve one small clinic from this machine, with your own settings: everything under one supervisor."""
    loaded = settings.load()
    logging.configure(loaded.log_level, "serve")
    service = processes.Service(loaded)
    _refuse_taken_port("PORT", loaded.port)
    _refuse_taken_port("WARMTHREAD_MLLP_PORT", loaded.mllp_port)
    words = f"Serving on port {loaded.port}, reached by {loaded.public_url}. Ctrl-C ends it."
    try:
        raise click.exceptions.Exit(service.run(lambda: say(words)))
    except NotDone as failed:
        if failed.code < 0:
            raise
        raise click.exceptions.Exit(failed.code) from None


def _refuse_taken_port(setting: str, port: int | None) -> None:
    if port and not ports.is_free(port):
        raise click.ClickException(f"port {port} is taken by another program: set {setting}")
