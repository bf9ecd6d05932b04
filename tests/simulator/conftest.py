"""A simulator as a real process, the real SDK pointed at it, and a receiver that checks its signatures."""

import http.client
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest
import requests
from twilio.http.http_client import TwilioHttpClient
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from tests.waiting import PATIENCE, until

ROOT = Path(__file__).parents[2]
ACCOUNT = "AC" + "5" * 32
TOKEN = "a token for tests"
API_KEY, API_SECRET = "SK" + "5" * 32, "a secret for tests"
CLINIC = "+12015550100"


@dataclass
class Call:
    """One webhook as it arrived."""

    path: str
    body: bytes
    headers: dict[str, str]
    signed: bool

    @property
    def fields(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))


@dataclass
class Receiver:
    """What the clinic's service would be: it remembers every webhook and answers `status`."""

    url: str
    calls: list[Call] = field(default_factory=list)
    status: int = 200

    def wait(self, count: int, path: str = "") -> list[Call]:
        until(lambda: len(self.to(path)) >= count, f"{count} webhooks to {path or 'anywhere'}")
        return self.to(path)

    def to(self, path: str) -> list[Call]:
        return [call for call in list(self.calls) if call.path.startswith(path)]


class ToSimulator(TwilioHttpClient):
    """The SDK's own HTTP client with another address."""

    def __init__(self, address: str) -> None:
        super().__init__(timeout=PATIENCE)
        self.address = address

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Any:
        return super().request(method, url.replace("https://api.twilio.com", self.address), *args, **kwargs)


@dataclass
class Simulated:
    """A running simulator."""

    url: str
    client: Client
    process: subprocess.Popen[bytes]

    def ask(self, method: str, path: str, **kwargs: Any) -> Any:
        with requests.request(method, self.url + path, timeout=PATIENCE, **kwargs) as answer:
            return answer.json() if answer.content else answer.status_code

    def send(self, to: str = "+12015550101", body: str = "Hello", **kwargs: Any) -> Any:
        return self.client.messages.create(to=to, from_=CLINIC, body=body, **kwargs)

    def type(self, phone: str, body: str, **kwargs: Any) -> Any:
        return self.ask("POST", f"/sim/phones/{phone}/messages", json={"body": body, "wait": True} | kwargs)

    def faults(self, *rules: dict[str, Any]) -> Any:
        return self.ask("PUT", "/sim/faults", json=list(rules))

    def settled(self, sid: str, status: str = "delivered") -> Any:
        until(lambda: self.client.messages(sid).fetch().status == status, f"{sid} to be {status}")
        return self.client.messages(sid).fetch()


def start(*arguments: str, **environ: str) -> subprocess.Popen[bytes]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("TWILIO", "SIMULATOR"))}
    clean |= {"TWILIO_ACCOUNT_SID": ACCOUNT, "TWILIO_AUTH_TOKEN": TOKEN}
    clean |= {"TWILIO_API_KEY": API_KEY, "TWILIO_API_KEY_SECRET": API_SECRET} | environ
    command = [sys.executable, "-m", "simulator", *arguments]
    return subprocess.Popen(command, cwd=ROOT, env=clean, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def ready(port: int) -> bool:
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        line.request("GET", "/healthz")
        return line.getresponse().status == 200
    except OSError:
        return False
    finally:
        line.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def receiving() -> Iterator[Receiver]:
    validator = RequestValidator(TOKEN)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            params = dict(parse_qsl(body.decode(), keep_blank_values=True))
            signature = self.headers.get("X-Twilio-Signature", "")
            signed = validator.validate(f"http://{self.headers['Host']}{self.path}", params, signature)
            receiver.calls.append(Call(self.path, body, dict(self.headers), bool(signed)))
            self.send_response(receiver.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True

    server = Quiet(("127.0.0.1", 0), Handler)
    receiver = Receiver(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield receiver
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="session")
def running(receiving: Receiver) -> Iterator[Simulated]:
    port = free_port()
    process = start("--port", str(port), "--sms-url", receiving.url + "/sms?a=b", "--status-delay-ms", "30")
    until(lambda: ready(port), "the simulator")
    address = f"http://127.0.0.1:{port}"
    sdk = ToSimulator(address)
    yield Simulated(address, Client(ACCOUNT, TOKEN, http_client=sdk), process)
    assert sdk.session is not None
    sdk.session.close()
    process.terminate()
    process.communicate(timeout=PATIENCE)


@pytest.fixture
def receiver(receiving: Receiver) -> Receiver:
    receiving.calls.clear()
    receiving.status = 200
    return receiving


@pytest.fixture
def simulator(running: Simulated, receiver: Receiver) -> Simulated:
    running.ask("DELETE", "/sim")
    receiver.calls.clear()
    return running


@pytest.fixture(scope="session")
def starting() -> Callable[..., subprocess.Popen[bytes]]:
    return start


@pytest.fixture(scope="session")
def tools() -> Any:
    class Tools:
        ready, until, free_port, json = (
            staticmethod(ready),
            staticmethod(until),
            staticmethod(free_port),
            json,
        )
        account, token, clinic = ACCOUNT, TOKEN, CLINIC
        api_key, api_secret = API_KEY, API_SECRET

    return Tools
