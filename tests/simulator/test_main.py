"""It starts on this machine only, never beside a live account, and leaves nothing behind."""

import http.client
import os
import re
import signal
import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import requests

from tests.waiting import PATIENCE

SMS = "http://127.0.0.1:9/sms"


def ended(process: Any) -> tuple[int, str]:
    _, output = process.communicate(timeout=PATIENCE)
    return process.returncode, output.decode()


@pytest.mark.parametrize(
    ("arguments", "environ", "code", "says"),
    [
        (["--host", "0.0.0.0", "--sms-url", SMS], {}, 2, "this machine only"),
        (["--host", "192.0.2.7", "--sms-url", SMS], {}, 2, "this machine only"),
        ([], {}, 2, "--sms-url is missing"),
        (["--sms-url", SMS], {"TWILIO_AUTH_TOKEN": ""}, 2, "--auth-token is missing"),
        (["--sms-url", SMS], {"TWILIO_API_URL": "https://api.twilio.com"}, 4, "live"),
        (["--sms-url", "https://clinic.example/sms"], {}, 4, "leaves this machine"),
    ],
)
def test_refuses_to_start(
    starting: Callable[..., Any], arguments: list[str], environ: dict[str, str], code: int, says: str
) -> None:
    left, output = ended(starting(*arguments, **environ))
    assert left == code
    assert says in output


def test_a_port_in_use_is_noticed(starting: Callable[..., Any]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        left, output = ended(starting("--port", str(taken.getsockname()[1]), "--sms-url", SMS))
    assert left == 1
    assert "Cannot listen" in output


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_ends_with_all_its_processes(starting: Callable[..., Any], tools: Any, number: int) -> None:
    port = tools.free_port()
    api = {
        "TWILIO_API_URL": f"http://127.0.0.1:{port}",
        "SIMULATOR_SMS_URL": SMS,
        "SIMULATOR_PORT": str(port),
    }
    process = starting(**api)
    tools.until(lambda: tools.ready(port), "the simulator")
    os.kill(process.pid, number)
    _, output = process.communicate(timeout=PATIENCE)
    assert process.returncode == (0 if number != signal.SIGKILL else -9)
    assert output == b""
    tools.until(lambda: not tools.ready(port), "the worker to end")


def test_a_hanging_request_does_not_hold_up_the_end(starting: Callable[..., Any], tools: Any) -> None:
    port = tools.free_port()
    process = starting("--port", str(port), "--sms-url", SMS)
    tools.until(lambda: tools.ready(port), "the simulator")
    address = f"http://127.0.0.1:{port}"
    requests.put(
        address + "/sim/faults", json={"answer": "accept_then_timeout", "hang_s": 600}, timeout=PATIENCE
    ).close()
    create = f"{address}/2010-04-01/Accounts/{tools.account}/Messages.json"
    form = {"To": "+12015550101", "From": tools.clinic, "Body": "Hi"}
    with ThreadPoolExecutor() as pool:
        hanging = pool.submit(requests.post, create, data=form, auth=(tools.account, tools.token), timeout=600)
        tools.until(lambda: requests.get(address + "/sim/messages", timeout=PATIENCE).json()["messages"], "the create")
        process.terminate()
        began = time.monotonic()
        process.communicate(timeout=PATIENCE)
        assert time.monotonic() - began < PATIENCE
        assert isinstance(hanging.exception(), requests.RequestException)


def test_connections_are_kept(simulator: Any) -> None:
    line = http.client.HTTPConnection(simulator.url.removeprefix("http://"), timeout=PATIENCE)
    line.connect()
    first = line.sock
    for _ in range(5):
        line.request("GET", "/healthz")
        line.getresponse().read()
    assert line.sock is first
    line.close()


def test_advanced_opt_out_names_the_keyword(starting: Callable[..., Any], receiver: Any, tools: Any) -> None:
    port = tools.free_port()
    process = starting("--port", str(port), "--sms-url", receiver.url + "/advanced", "--advanced-opt-out")
    tools.until(lambda: tools.ready(port), "the simulator")
    typed = f"http://127.0.0.1:{port}/sim/phones/12015550101/messages"
    for body in ("stop", "hello"):
        requests.post(typed, json={"body": body, "wait": True}, timeout=PATIENCE).close()
    process.terminate()
    process.communicate(timeout=PATIENCE)
    assert [call.fields.get("OptOutType") for call in receiver.to("/advanced")] == ["STOP", None]


def test_only_the_newest_messages_are_kept(starting: Callable[..., Any], tools: Any) -> None:
    port = tools.free_port()
    process = starting("--port", str(port), "--sms-url", SMS, "--keep", "3")
    tools.until(lambda: tools.ready(port), "the simulator")
    address = f"http://127.0.0.1:{port}"
    for digit in range(6):
        requests.post(f"{address}/sim/phones/1201555010{digit}/messages", json={"body": "hi"}, timeout=PATIENCE).close()
    auth = (tools.account, tools.token)
    listed = requests.get(f"{address}/2010-04-01/Accounts/{tools.account}/Messages.json", auth=auth, timeout=PATIENCE)
    phones = requests.get(address + "/sim/phones", timeout=PATIENCE)
    assert [len(listed.json()["messages"]), len(phones.json()["phones"])] == [3, 3]
    process.terminate()
    process.communicate(timeout=PATIENCE)


def test_the_clock_and_the_zone_of_the_pages_can_be_set(starting: Callable[..., Any], tools: Any) -> None:
    port, ahead = tools.free_port(), timedelta(days=400)
    options = ("--clock-ahead-s", str(int(ahead.total_seconds())), "--zone", "Asia/Tokyo", "--quiet")
    process = starting("--port", str(port), "--sms-url", SMS, *options)
    tools.until(lambda: tools.ready(port), "the simulator")
    address = f"http://127.0.0.1:{port}"
    requests.post(f"{address}/sim/phones/12015550101/messages", json={"body": "hi"}, timeout=PATIENCE).close()
    listed = requests.get(address + "/sim/phones/12015550101/messages", timeout=PATIENCE).json()["messages"]
    shown = requests.get(address + "/", timeout=PATIENCE).text
    process.terminate()
    output, _ = process.communicate(timeout=PATIENCE)
    assert output == b""
    at = re.search(r'<time datetime="([^"]+)">([^<]+)</time>', shown)
    assert listed
    assert at is not None
    moment = datetime.fromisoformat(at[1])
    assert abs(moment - datetime.now(UTC) - ahead) < timedelta(minutes=10)
    assert at[2] == f"{moment.astimezone(ZoneInfo('Asia/Tokyo')):%I:%M %p}".lstrip("0")


def test_an_unknown_zone_is_refused(starting: Callable[..., Any]) -> None:
    left, output = ended(starting("--sms-url", SMS, "--zone", "America/Nowhere"))
    assert (left, "is no time zone" in output) == (2, True)
