"""The real web server told to end: whatever it was doing, it is gone in time."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from bench import stage
from config import runtime, settings
from service import child_settings, processes
from tests.service.serving import held_application
from tests.waiting import until

# Less than the half minute after which granian kills what has not ended.
IN_TIME = 25.0
# Less than the twenty seconds for which the server waits for a head, counted from the connection.
SOON = 15.0
Begun = tuple[settings.Settings, dict[str, str]]


@pytest.fixture
def begun(tmp_path: Path) -> Iterator[Begun]:
    """Settings of a service that is not started, and the environment of its processes."""
    before = (runtime._settings, dict(runtime._made))
    loaded = stage.begin(tmp_path / "data")
    stage.clinic()
    yield loaded, child_settings.environment(loaded, loaded.redis_url)
    runtime._settings = before[0]
    runtime._made.clear()
    runtime._made.update(before[1])


@contextmanager
def serving(begun: Begun, target: str, **more: str) -> Iterator["subprocess.Popen[bytes]"]:
    loaded, env = begun
    argv = [sys.executable, "-m", "bench.server", target]
    server = subprocess.Popen(argv, env=env | more, stdout=subprocess.DEVNULL, start_new_session=True)
    try:
        until(processes.answers(f"http://127.0.0.1:{loaded.port}/healthz"), within=60)
        yield server
    finally:
        if server.poll() is None:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()


def connected(port: int, sent: bytes) -> socket.socket:
    line = socket.create_connection(("127.0.0.1", port), timeout=60)
    line.sendall(sent)
    return line


def test_a_server_ends_in_time_while_one_of_its_processes_is_still_starting(begun: Begun) -> None:
    with serving(begun, "service.wsgi:app") as server:
        server.terminate()  # the first of its two processes answers, the other may be loading what it serves
        assert server.wait(IN_TIME) == 0


def test_whoever_has_sent_half_a_request_holds_up_no_end_and_an_answer_on_its_way_is_whole(
    begun: Begun, tmp_path: Path
) -> None:
    port, release = begun[0].port, tmp_path / "release"
    target = "tests.service.serving.held_application:app"
    with serving(begun, target, HELD_UNTIL=str(release)) as server, ExitStack() as held, ThreadPoolExecutor(1) as one:

        def whole() -> bytes:
            line = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            line.request("GET", "/held")
            return line.getresponse().read()

        answer = one.submit(whole)
        until(Path(f"{release}.begun").exists)
        connected_at = time.monotonic()
        heads = [held.enter_context(connected(port, b"GET / HTTP/1.1\r\nHost: x\r\n")) for _ in range(20)]
        parts = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\nBody=I"
        bodies = [held.enter_context(connected(port, parts)) for _ in range(20)]
        server.terminate()
        assert {line.recv(4096)[:12] for line in bodies} == {b"HTTP/1.1 503"}
        assert {line.recv(4096) for line in heads} == {b""}
        assert time.monotonic() < connected_at + SOON
        assert server.poll() is None  # what is being answered is waited for
        assert not answer.done()
        release.touch()
        assert answer.result() == held_application.LONG
        assert server.wait(IN_TIME) == 0
