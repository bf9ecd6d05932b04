"""A whole service of real processes in a folder of its own, with a simulated phone network beside it."""

import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from config import settings
from service import child_settings, processes, start
from service.cli.walk import commands, day
from service.cli.walk.scene import Scene
from service.embedded import ports
from service.embedded.process import Process

# Seconds after which the phone network is taken not to start: on a machine that does much else it may take a minute.
SLOW = 300
MAIL_FROM = "warmthread@clinic.example"


@dataclass
class Running:
    """A running service and its scene."""

    service: processes.Service
    scene: Scene

    def pid(self, name: str) -> int | None:
        """The present pid of one of its processes."""
        return self.service.supervisor.status()[name].pid


@contextmanager
def running(
    folder: Path,
    *,
    doors: tuple[int, int] | None = None,
    patience: float = 90,
    output: int | None = None,
    **overrides: str,
) -> Iterator[Running]:
    """Run a service in `folder` until the block ends, with `overrides` of its settings by environment name.

    `doors` are the ports of the service and of its phone network, two free ones if not given. Its scene waits
    `patience` seconds for what should be seen. Its processes write to `output`, our standard error if none is given.
    """
    commands.warm_up()
    *free, mail = ports.free_ports(3)
    web, network = doors or free
    server = {"WARMTHREAD_SMTP_URL": f"smtp://127.0.0.1:{mail}", "WARMTHREAD_MAIL_FROM": MAIL_FROM}
    loaded = settings_of(folder, web, network, **server | overrides)
    mark = start.demo_mark(loaded)
    mark.parent.mkdir(parents=True, exist_ok=True)
    mark.write_text(loaded.twilio_account_sid, "utf-8")
    start.use(loaded, "stage")
    service = processes.Service(loaded, [simulator(loaded, network, mail)], output)
    env = child_settings.environment(loaded, service.valkey.url if service.valkey else loaded.redis_url)
    try:
        service.supervisor.start()
        phones = f"http://127.0.0.1:{network}"
        yield Running(service, Scene(loaded.public_url, phones, env, folder, patience=patience))
    finally:
        service.stop()


def settings_of(folder: Path, web: int, network: int, **overrides: str) -> settings.Settings:
    """Return the settings of a service in `folder`, with a made-up account and by a clock that makes it a morning."""
    # Never the operator's own settings: this must not meet a real account, database or patient.
    return settings.load(
        {},
        PORT=str(web),
        TWILIO_ACCOUNT_SID="AC" + secrets.token_hex(16),
        TWILIO_AUTH_TOKEN=secrets.token_hex(16),
        TWILIO_API_URL=f"http://127.0.0.1:{network}",
        WARMTHREAD_PUBLIC_URL=f"http://127.0.0.1:{web}",
        WARMTHREAD_DATA_DIR=str(folder / "data"),
        WARMTHREAD_WEBHOOKS_TO_LOOPBACK="true",
        WARMTHREAD_DEMO_CLOCK=str(round(day.clock_shift(datetime.now(UTC)).total_seconds())),
        **{"WARMTHREAD_LOG_LEVEL": "error", "WARMTHREAD_EHR_NETWORKS": "127.0.0.0/8"} | overrides,
    )


def simulator(loaded: settings.Settings, network: int, mail: int) -> Process:
    """Return the phone network of a service, which listens on the port `network`, and on `mail` for e-mail."""
    env = child_settings.environment(loaded, "") | {
        "SIMULATOR_PORT": str(network),
        "SIMULATOR_SMTP_PORT": str(mail),
        "SIMULATOR_SMS_URL": f"{loaded.public_url}/webhooks/twilio/sms",
        "SIMULATOR_CLINIC_NUMBER": day.NUMBER,
        "SIMULATOR_CLOCK_AHEAD_S": str(loaded.demo_clock or 0),
        "SIMULATOR_ZONE": day.ZONE,
    }
    health = processes.answers(f"http://127.0.0.1:{network}/healthz")
    return Process("simulator", [sys.executable, "-m", "simulator", "--quiet"], env, ready=health, ready_timeout=SLOW)
