"""The fork server: what it forks is as if it had been executed, and nobody is left behind whoever dies (Linux)."""

import json
import os
import signal
import sys
from pathlib import Path

import pytest

from service.embedded.fork_server import ForkServer
from service.embedded.process import Process
from service.embedded.supervisor import Backoff, Supervisor
from tests.waiting import until

FORKED = "tests.service.embedded.forked"
ROOT = Path(__file__).parents[3]
FAST = Backoff(first=0.05, cap=0.4, steady=60.0)
ENV = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
SUPERVISED = (
    "import os, sys; from service.embedded.fork_server import ForkServer\n"
    "from service.embedded.process import Process; from service.embedded.supervisor import Supervisor\n"
    "def log(event, **facts): print(event, facts.get('pid'), flush=True)\n"
    "argv = (sys.executable, '-m', 'tests.service.embedded.forked', sys.argv[1], '600')\n"
    "forks = ForkServer('tests.service.embedded.forked', 'json', os.environ, (), 2)\n"
    "raise SystemExit(Supervisor([Process('a', argv)], log, output=1, forks=forks).run())"
)


def nothing(event, **facts):
    """A log that nobody reads."""


def command(file, seconds=600):
    return (sys.executable, "-m", FORKED, str(file), str(seconds))


def told(file):
    until(file.exists, f"{file.name} is there")
    return json.loads(file.read_text())


def server_of(pid):
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


@pytest.fixture
def forks():
    server = ForkServer(FORKED, "json", ENV)
    yield server
    server.close()


def test_what_is_forked_is_as_if_it_had_been_executed(forks, tmp_path):
    pipe = os.pipe()
    server = ForkServer(FORKED, "json", ENV, pass_fds=pipe)
    try:
        kept = server.begin(command(tmp_path / "kept", 0), {"OWN": "yes"}, pipe[:1], signal.SIGTERM)
        assert kept.wait() == 3
    finally:
        server.close()
        for descriptor in pipe:
            os.close(descriptor)
    said = told(tmp_path / "kept")
    assert said["name"] == "__main__"
    assert said["words"] == [str(tmp_path / "kept"), "0"]
    assert said["env"] == {"OWN": "yes"}
    assert said["leads"]
    assert said["asks"]
    assert said["stdin"] == os.devnull
    assert said["files"] == [0, 1, 2, pipe[0]]
    assert said["comm"] == str(tmp_path)[:15]


def test_how_one_ended_is_told_as_for_any_other(forks, tmp_path):
    ended = forks.begin(command(tmp_path / "ended", 0), ENV, (), signal.SIGTERM)
    killed = forks.begin(command(tmp_path / "killed"), ENV, (), signal.SIGTERM)
    assert ended.wait() == 3
    assert killed.poll() is None
    killed.send_signal(signal.SIGTERM)
    assert killed.wait() == -signal.SIGTERM
    killed.send_signal(signal.SIGTERM)
    assert (ended.poll(), killed.returncode) == (3, -signal.SIGTERM)


def test_what_dies_is_forked_anew_by_the_same_server(forks, tmp_path):
    with Supervisor([Process("a", command(tmp_path / "a"))], nothing, FAST, forks=forks) as supervisor:
        first = supervisor.status()["a"].pid
        server = server_of(first)
        os.kill(first, signal.SIGKILL)
        until(lambda: supervisor.poll() and supervisor.status()["a"].restarts == 1 and supervisor.status()["a"].pid)
        second = supervisor.status()["a"].pid
        assert second != first
        assert server_of(second) == server


def test_a_server_that_dies_takes_its_children_along_and_all_come_back(forks, tmp_path, alive):
    processes = [Process(name, command(tmp_path / name)) for name in ("a", "b")]
    with Supervisor(processes, nothing, FAST, forks=forks) as supervisor:
        before = [status.pid for status in supervisor.status().values()]
        os.kill(server_of(before[0]), signal.SIGKILL)
        until(lambda: supervisor.poll() and all(status.restarts for status in supervisor.status().values()))
        until(lambda: supervisor.poll() and all(status.pid for status in supervisor.status().values()))
        assert not any(map(alive, before))
        after = [status.pid for status in supervisor.status().values()]
        assert len({server_of(pid) for pid in after}) == 1
    assert not any(map(alive, after))


def test_the_end_of_the_supervisor_is_the_end_of_the_server(tmp_path, forks, alive):
    with Supervisor([Process("a", command(tmp_path / "a"))], nothing, forks=forks) as supervisor:
        server = server_of(supervisor.status()["a"].pid)
        assert alive(server)
    assert not alive(server)


def test_a_killed_supervisor_leaves_neither_server_nor_children(tmp_path, python, alive):
    supervisor = python(SUPERVISED, tmp_path / "a")
    pid = int(supervisor.stdout.readline().split()[1])
    server = server_of(pid)
    supervisor.kill()
    until(lambda: not alive(pid) and not alive(server))


def test_other_programs_are_executed(forks):
    with Supervisor(
        [Process("a", (sys.executable, "-m", "timeit", "-n1", "import time; time.sleep(600)"))],
        nothing,
        FAST,
        forks=forks,
    ) as supervisor:
        assert server_of(supervisor.status()["a"].pid) == os.getpid()
        assert forks.pid is None


def test_what_cannot_be_forked_is_executed(tmp_path):
    forks = ForkServer(FORKED, "no.such.module", ENV, output=os.open(os.devnull, os.O_WRONLY))
    with Supervisor([Process("a", command(tmp_path / "a"), ENV)], nothing, FAST, forks=forks) as supervisor:
        assert told(tmp_path / "a")["words"][1] == "600"
        assert server_of(supervisor.status()["a"].pid) == os.getpid()


def test_what_the_service_forks_from_has_one_thread_and_no_secret(tmp_path):
    env = {name: value for name, value in os.environ.items() if not name.startswith(("TWILIO", "WARMTHREAD"))}
    forks = ForkServer(FORKED, "service.preloaded", env)
    try:
        child = forks.begin(command(tmp_path / "a"), ENV | {"TWILIO_AUTH_TOKEN": "of-the-clinic"}, (), signal.SIGTERM)
        server = server_of(child.pid)
        assert len(list(Path(f"/proc/{server}/task").iterdir())) == 1
        assert told(tmp_path / "a")["env"]["TWILIO_AUTH_TOKEN"] == "of-the-clinic"
        assert b"of-the-clinic" not in Path(f"/proc/{child.pid}/environ").read_bytes()
    finally:
        forks.close()
