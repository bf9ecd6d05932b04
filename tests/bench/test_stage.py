"""What is started beside a measurement is gone after it."""

import os
from collections.abc import Callable

import pytest

from bench import stage
from service.embedded import ports

# Serves, and does not care for being asked to stop.
DEAF = """
import signal, sys
from http.server import BaseHTTPRequestHandler, HTTPServer
signal.signal(signal.SIGTERM, signal.SIG_IGN)
class Yes(BaseHTTPRequestHandler):
    def do_GET(self): self.send_response(200); self.end_headers()
    def log_message(self, *_): pass
HTTPServer(("127.0.0.1", int(sys.argv[1])), Yes).serve_forever()
"""


def _measured(then: Callable[[], None]) -> int:
    port = ports.free_port()
    with stage.serving(["-c", DEAF, str(port)], dict(os.environ), f"http://127.0.0.1:{port}/healthz") as pid:
        then()
    return pid


def test_a_server_that_does_not_stop_is_ended_and_the_measurement_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage, "STOP_SECONDS", 0.2)
    pid = _measured(lambda: None)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_what_went_wrong_in_a_measurement_is_what_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage, "STOP_SECONDS", 0.2)

    def wrong() -> None:
        raise ValueError("measured nothing")

    with pytest.raises(ValueError, match="measured nothing"):
        _measured(wrong)
