"""A web server to answer at, an address outside that counts pings, a clock that can be moved, and lanes to work off."""

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from pydantic import SecretStr
from werkzeug.serving import BaseWSGIServer, make_server

from config import clock, queue, runtime
from service import app as application


class Outside:
    """A dead man's switch: what was posted to it, and what it answers."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, str, bytes]] = []
        self.answers = 200
        switch = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                switch.heard.append((self.path, str(self.headers), body))
                self.send_response(switch.answers)
                self.end_headers()

            def log_message(self, *_arguments: object) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/ping/made-up"


@pytest.fixture
def outside() -> Iterator[Outside]:
    switch = Outside()
    threading.Thread(target=switch.server.serve_forever, daemon=True).start()
    yield switch
    switch.server.shutdown()
    switch.server.server_close()


@pytest.fixture
def web(house, monkeypatch) -> Iterator[BaseWSGIServer]:
    """The web server of this house on a port of its own, where the self-check knows it."""
    server = make_server("127.0.0.1", 0, application.create_app(), threaded=True)
    reached = runtime.settings().model_copy(update={"self_check_door": f"http://127.0.0.1:{server.server_port}"})
    monkeypatch.setattr(runtime, "_settings", reached)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def pinging(web, outside, monkeypatch):
    told = runtime.settings().model_copy(
        update={"self_check_url": SecretStr(outside.url), "webhooks_to_loopback": True}
    )
    monkeypatch.setattr(runtime, "_settings", told)
    return outside


@pytest.fixture
def pass_time() -> Iterator[Callable[[float], None]]:
    """Moves the clock on by seconds."""
    yield lambda seconds: clock.shift(clock.shifted() + timedelta(seconds=seconds))
    clock.shift(timedelta(0))


@pytest.fixture
def work() -> Callable[..., None]:
    """Works lanes off, once each, in this process."""

    def work(*names: str) -> None:
        for name in names:
            queue.lanes()[name].drain()

    return work
