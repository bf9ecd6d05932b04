"""Start the simulator: `python -m simulator --port 8010 --sms-url http://127.0.0.1:8000/webhooks/twilio/sms`.

The account and token come from TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN, so that no token is on a command line.
It listens on this machine only. One process holds all state; a second, idle one watches over it.
Exit codes: 0 stopped, 1 failed, 2 usage, 4 refused because a live account or a remote address is in play.
"""

import os
import socket
import sys
import threading
import time
from dataclasses import replace
from functools import partial

from flask import Flask
from granian import Granian
from granian.constants import HTTPModes, Interfaces

from simulator import settings
from simulator.app import create_app
from simulator.settings import Settings

THREADS = 64


def main() -> int:
    """Read the settings, take the port and serve until told to stop."""
    try:
        configuration = settings.read(sys.argv[1:], os.environ)
        configuration = replace(configuration, port=_free_port(configuration))
    except settings.Refused as refusal:
        return _say(f"Refused: {refusal}.", 4)
    except OSError as error:
        return _say(f"Cannot listen: {error}.", 1)
    if not configuration.quiet:
        print(f"SIMULATED phone network at {configuration.base_url} (phones at /, manual at /sim/help)", flush=True)  # noqa: T201
    server = Granian(
        "simulator",
        address=configuration.host,
        port=configuration.port,
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,
        workers=1,
        blocking_threads=THREADS,
        backlog=1024,
        log_enabled=False,
        workers_kill_timeout=2,  # a request that hangs on purpose must not hold up the end
    )
    server.serve(target_loader=partial(_load, configuration, os.getpid()), wrap_loader=False)
    return 0


def _load(configuration: Settings, parent: int) -> Flask:
    """Make the app inside the worker process, and end with the parent even when that is killed."""
    threading.Thread(target=_end_with, args=(parent,), name="parent-watch", daemon=True).start()
    return create_app(configuration)


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.25)
    os._exit(0)


def _free_port(configuration: Settings) -> int:
    # The server shares its port with whoever asks (SO_REUSEPORT), so a port in use has to be noticed here.
    family = socket.AF_INET6 if ":" in configuration.host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((configuration.host, configuration.port))
        port: int = probe.getsockname()[1]
        return port


def _say(text: str, code: int) -> int:
    print(text, file=sys.stderr, flush=True)  # noqa: T201
    return code


if __name__ == "__main__":
    sys.exit(main())
