"""What the supervisor lets a process do once, before all others: it ends well, or nothing is started."""

import os
import signal

import pytest

from service.embedded.process import Process
from service.embedded.supervisor import Backoff, NotDone, Supervisor
from tests.waiting import PATIENCE, until

FAST = Backoff(first=0.05, cap=0.4, steady=60.0)
SLEEP = ("sleep", "600")
SUPERVISED = (
    "from service.embedded.process import Process; from service.embedded.supervisor import Supervisor\n"
    "def log(event, **facts): print(event, facts.get('process'), facts.get('pid'), flush=True)\n"
    "raise SystemExit(Supervisor([Process('first', ('sleep', '600'), once=True)], log, output=1).run())"
)


@pytest.fixture
def events():
    return []


@pytest.fixture
def log(events):
    return lambda event, **facts: events.append((event, facts["process"]))


def test_what_is_to_be_done_first_has_ended_before_the_next_starts_and_is_not_done_again(log, events, tmp_path):
    done = tmp_path / "done"
    first = Process("first", ("sh", "-c", f"sleep 0.2; echo x >> {done}"), once=True)
    second = Process("second", ("sh", "-c", f"test -e {done} && sleep 600"))
    with Supervisor([first, second], log, FAST) as supervisor:
        assert events == [("process_started", "first"), ("process_ended", "first"), ("process_started", "second")]
        os.kill(supervisor.status()["second"].pid, signal.SIGKILL)
        until(lambda: supervisor.poll() and supervisor.status()["second"].restarts == 1)
        assert [*supervisor.status()] == ["second"]
    assert done.read_text() == "x\n"


@pytest.mark.parametrize(("command", "code"), [("exit 3", 3), ("kill -9 $$", -signal.SIGKILL)])
def test_where_what_is_to_be_done_first_fails_nothing_is_started_and_how_it_ended_is_told(log, events, command, code):
    supervisor = Supervisor([Process("first", ("sh", "-c", command), once=True), Process("second", SLEEP)], log)
    with pytest.raises(NotDone, match="killed by signal 9" if code < 0 else "ended with 3") as failed:
        supervisor.run()
    assert failed.value.code == code
    assert events == [("process_started", "first"), ("process_ended", "first")]


def test_a_signal_ends_also_what_is_to_be_done_first(python, alive):
    supervisor = python(SUPERVISED)
    pid = int(supervisor.stdout.readline().split()[-1])
    supervisor.send_signal(signal.SIGINT)
    assert supervisor.stdout.readline().split()[:2] == ["process_stopped", "first"]
    assert supervisor.wait(PATIENCE) == 0
    assert not alive(pid)
