"""The real web server told to end: whatever it was doing, it is gone in time."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench import stage
from config import runtime, settings
from service import child_settings, processes
from tests.waiting import until

# Less than the half minute after which granian kills what has not ended.
IN_TIME = 25.0


@pytest.fixture
def begun(tmp_path: Path) -> Iterator[tuple[settings.Settings, dict[str, str]]]:
    """Settings of a service that is not started, and the environment of its processes."""
    before = (runtime._settings, dict(runtime._made))
    loaded = stage.begin(tmp_path / "data")
    stage.clinic()
    yield loaded, child_settings.environment(loaded, loaded.redis_url)
    runtime._settings = before[0]
    runtime._made.clear()
    runtime._made.update(before[1])


def test_a_server_ends_in_time_while_one_of_its_processes_is_still_starting(
    begun: tuple[settings.Settings, dict[str, str]],
) -> None:
    loaded, env = begun
    argv = [sys.executable, "-m", "bench.server", "service.wsgi:app"]
    server = subprocess.Popen(argv, env=env, stdout=subprocess.DEVNULL, start_new_session=True)
    try:
        until(processes.answers(f"http://127.0.0.1:{loaded.port}/healthz"), within=60)
        server.terminate()  # the first of its two processes answers, the other may be loading what it serves
        assert server.wait(IN_TIME) == 0
    finally:
        if server.poll() is None:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()
