"""Which processes make the whole service on one machine, in the order they start."""

import os
import sys
import urllib.request
from collections.abc import Callable
from typing import Any
from urllib.error import HTTPError, URLError

from config import logging, queues
from config.settings import Settings
from service import child_settings
from service.embedded import valkey
from service.embedded.fork_server import ForkServer
from service.embedded.process import Process
from service.embedded.supervisor import Supervisor
from webhooks.mllp import tls

# Seconds after which the web server is taken not to start: it comes last, while all the others are starting too.
SLOW = 300
# The module that runs our commands.
OURS = "service.cli"


def answers(url: str) -> Callable[[], bool]:
    """Return a question: does this address of ours answer 200 yet?"""

    def ask() -> bool:
        try:
            with urllib.request.urlopen(url, timeout=1) as response:  # noqa: S310 - an address of this machine
                return bool(response.status == 200)
        except HTTPError as unwell:
            unwell.close()
            return False
        except (URLError, OSError):
            return False

    return ask


def here(settings: Settings) -> str:
    """Return the address by which this machine itself reaches the web server."""
    address = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.bind, settings.bind)  # noqa: S104 - only asked
    return f"http://[{address}]:{settings.port}" if ":" in address else f"http://{address}:{settings.port}"


def ours(*words: str) -> list[str]:
    """Return the argv of one of our own commands."""
    return [sys.executable, "-m", OURS, *words]


class Service:
    """Everything that runs under one supervisor: the embedded Valkey if none is set, web, workers and ticker.

    `extra` are processes that start before the web server, such as the simulator of the demo; `output` is the file
    descriptor all of them write to, our standard error if none is given.
    """

    def __init__(self, settings: Settings, extra: list[Process] | None = None, output: int | None = None) -> None:
        self.valkey = valkey.ValkeyServer(settings.data_dir.resolve()) if settings.embedded_queue else None
        redis_url = self.valkey.url if self.valkey else settings.redis_url
        self._given: list[int] = []

        def process(name: str, *words: str, **how: Any) -> Process:
            env, given = child_settings.handed_down(child_settings.needed_by(name, settings), redis_url)
            self._given += given
            return Process(name, ours(*words), env, pass_fds=given, **how)

        # What needs the tables is done by a process that ends: this one, which lives as long as the service, has none.
        first = [process("prepare", "prepare", once=True)]
        if self.valkey:
            self.valkey.claim()
            server = self.valkey
            first.append(Process("valkey", server.argv, server.env, ready=server.is_ready, pass_fds=server.pass_fds))
        web = process("web", "web", ready=answers(f"{here(settings)}/healthz"), ready_timeout=SLOW)
        rest = [process(f"worker.{name}", "worker", name) for name in queues.NAMES]
        rest.append(process("ticker", "ticker"))
        if settings.mllp_port:
            # Files that cannot be used are said now, not by a process that starts again and again.
            tls.context(settings)
            rest.append(process("mllp", "mllp"))
        children = [*first, *(extra or []), *rest, web]
        shared = (web.env or {}, self._given, 2 if output is None else output)
        forks = ForkServer(OURS, "service.preloaded", *shared) if self._given else None
        self.supervisor = Supervisor(children, logging.logger().info, output=output, forks=forks)

    def run(self, started: Callable[[], object]) -> int:
        """Serve until SIGTERM or Ctrl-C, `started` is called when all is up; return the exit code. Raises NotReady."""
        try:
            return self.supervisor.run(started)
        finally:
            self.stop()

    def stop(self) -> None:
        """End every process, Valkey last."""
        self.supervisor.stop()
        if self.valkey:
            self.valkey.stop()
        while self._given:
            os.close(self._given.pop())
