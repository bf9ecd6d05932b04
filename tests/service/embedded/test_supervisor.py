"""The supervisor: everything up in order, what dies comes back, and nothing is left behind."""

import os
import signal
import subprocess
import sys
import time

import pytest
import redis
from hypothesis import given
from hypothesis import strategies as st

from service.embedded.process import Process
from service.embedded.supervisor import Backoff, NotReady, Supervisor
from service.embedded.valkey import ValkeyServer
from tests.waiting import PATIENCE, until

FAST = Backoff(first=0.05, cap=0.4, steady=60.0)
SLEEP = ("sleep", "600")
CRASH = ("sh", "-c", "exit 3")
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
DEAF = STUBBORN.replace("SIG_IGN)", "SIG_IGN); print('deaf', flush=True)")
FAMILY = (
    "import subprocess, sys, time\n"
    f"inner = subprocess.Popen([sys.executable, '-c', {STUBBORN!r}])\n"
    "print('member', inner.pid, flush=True); time.sleep(600)"
)
SUPERVISED = (
    "import signal, sys; from service.embedded.process import Process\n"
    "from service.embedded.supervisor import Supervisor\n"
    "def log(event, **facts): print(event, facts.get('process'), facts.get('pid'), flush=True)\n"
    "plain, family = sys.argv[1:3]\n"
    "processes = [Process('plain', (sys.executable, '-c', plain), stop_timeout=1.0),\n"
    "             Process('family', (sys.executable, '-c', family), stop_timeout=1.0)]\n"
    "raise SystemExit(Supervisor(processes, log, output=1).run())"
)


class Events(list):
    """A log that remembers."""

    def __call__(self, event, **facts):
        self.append((event, facts.get("process"), facts))

    def names(self, event):
        return [process for name, process, _ in self if name == event]


@pytest.fixture
def events():
    return Events()


@pytest.fixture
def settle():
    """Polls a supervisor until a condition comes true."""

    def settle(supervisor, condition):
        return until(lambda: supervisor.poll() is None or condition())

    return settle


def started_pids(process, count, also=None):
    """The first `count` process ids that a supervised program tells on its standard output, and the word `also`."""
    pids, missing = [], {also} - {None}
    while len(pids) < count or missing:
        words = heard(process)
        missing.discard(words[0])
        if words[0] in ("process_started", "member"):
            pids.append(int(words[-1]))
    return pids


def heard(process):
    """The words of the next line that a supervised program tells."""
    words = process.stdout.readline().split()
    assert words, "it ended too early"
    return words


def test_processes_start_in_order_each_when_the_one_before_is_ready(events, tmp_path):
    flag = tmp_path / "flag"
    first = Process("first", ("sh", "-c", f"sleep 0.2; touch {flag}; sleep 60"), ready=flag.exists)
    with Supervisor([first, Process("second", SLEEP)], events):
        assert [event[:2] for event in events] == [
            ("process_started", "first"),
            ("process_ready", "first"),
            ("process_started", "second"),
        ]
    assert events.names("process_stopped") == ["second", "first"]


def test_a_killed_child_comes_back(events, settle):
    with Supervisor([Process("a", SLEEP), Process("b", SLEEP)], events, FAST) as supervisor:
        before = supervisor.status()
        os.kill(before["a"].pid, signal.SIGKILL)
        assert settle(supervisor, lambda: supervisor.status()["a"].restarts == 1)
        after = supervisor.status()
        assert after["a"].pid not in (None, before["a"].pid)
        assert after["a"].up_since > before["a"].up_since
        assert after["b"] == before["b"]


def test_what_is_left_of_a_dead_childs_group_is_killed_before_it_comes_back(python, settle, alive, tmp_path):
    with (tmp_path / "out").open("w+") as out:
        family = Process("family", (sys.executable, "-c", FAMILY))
        with Supervisor([family], Events(), FAST, out.fileno()) as supervisor:
            output = tmp_path / "out"
            until(lambda: output.read_text().endswith("\n"), "the family's child")
            grandchild = int(output.read_text().split()[1])
            assert alive(grandchild)
            os.kill(supervisor.status()["family"].pid, signal.SIGKILL)
            assert settle(supervisor, lambda: supervisor.status()["family"].pid is None)
            until(lambda: not alive(grandchild))


def test_a_crashing_child_is_restarted_ever_more_slowly(events, settle):
    with Supervisor([Process("crash", CRASH)], events, FAST) as supervisor:
        assert settle(supervisor, lambda: len(events.names("process_ended")) >= 6)
    facts = [facts for name, _, facts in events if name == "process_ended"]
    assert [fact["restart_in"] for fact in facts][:6] == [0.05, 0.1, 0.2, 0.4, 0.4, 0.4]
    assert {fact["exit_code"] for fact in facts} == {3}


def test_a_child_that_ran_well_is_restarted_quickly_again(events, settle):
    quick = Backoff(first=0.05, cap=10.0, steady=0.0)
    with Supervisor([Process("crash", CRASH)], events, quick) as supervisor:
        assert settle(supervisor, lambda: len(events.names("process_ended")) >= 4)
    assert {facts["restart_in"] for name, _, facts in events if name == "process_ended"} == {0.05}


@given(failures=st.integers(1, 10**6))
def test_the_wait_grows_and_never_passes_the_cap(failures):
    backoff = Backoff()
    assert backoff.first <= backoff.delay(failures) <= backoff.delay(failures + 1) <= backoff.cap


def test_the_end_of_a_critical_process_ends_everything(events):
    critical = Process("critical", ("sh", "-c", "sleep 0.2; exit 1"), critical=True)
    supervisor = Supervisor([Process("other", SLEEP), critical], events)
    assert supervisor.run() == 1
    assert events.names("process_stopped") == ["other"]
    assert {status.pid for status in supervisor.status().values()} == {None}


def test_a_process_that_is_not_ready_in_time_stops_the_start(events, alive):
    never = Process("never", SLEEP, ready=lambda: False, ready_timeout=0.2)
    with pytest.raises(NotReady, match=r"never was not ready within 0\.2 s"):
        Supervisor([Process("first", SLEEP), never, Process("later", SLEEP)], events).start()
    assert events.names("process_started") == ["first", "never"]
    assert not any(alive(facts["pid"]) for name, _, facts in events if name == "process_started")


def test_a_critical_process_that_ends_during_the_start_stops_it(events):
    critical = Process("critical", CRASH, critical=True, ready=lambda: False)
    with pytest.raises(NotReady, match="critical ended during the start"):
        Supervisor([critical], events).start()


def test_a_program_that_does_not_exist_counts_as_a_crash(events, settle):
    with Supervisor([Process("missing", ("/no/such/program",))], events, FAST, subprocess.DEVNULL) as supervisor:
        assert settle(supervisor, lambda: events.names("process_ended"))
    assert next(facts["exit_code"] for name, _, facts in events if name == "process_ended") == 127


def test_a_child_that_ignores_its_stop_signal_is_killed_after_its_timeout(events, tmp_path):
    deaf = (
        "import pathlib, signal, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "pathlib.Path(sys.argv[1]).touch(); time.sleep(600)"
    )
    up = tmp_path / "up"
    process = Process("deaf", (sys.executable, "-c", deaf, str(up)), ready=up.exists, stop_timeout=0.3)
    supervisor = Supervisor([process], events)
    supervisor.start()
    started = time.monotonic()
    supervisor.stop()
    assert time.monotonic() - started >= 0.3
    assert events[-1][2]["killed"] is True
    assert events[-1][2]["exit_code"] == -signal.SIGKILL


def test_a_child_gets_the_stop_signal_it_asked_for(events, tmp_path):
    up = tmp_path / "up"
    polite = ("sh", "-c", f"touch {up}; exec sleep 600")
    with Supervisor([Process("polite", polite, stop_signal=signal.SIGINT, ready=up.exists)], events):
        pass
    assert events[-1][2]["exit_code"] == -signal.SIGINT


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_everything_grandchildren_too(python, alive, signum):
    supervisor = python(SUPERVISED, "import time; time.sleep(600)", FAMILY)
    pids = started_pids(supervisor, 3)
    assert all(map(alive, pids))
    supervisor.send_signal(signum)
    assert supervisor.wait(PATIENCE) == 0
    until(lambda: not any(map(alive, pids)))


def test_a_second_signal_does_not_wait(python, alive):
    supervisor = python(SUPERVISED.replace("stop_timeout=1.0", "stop_timeout=600.0"), DEAF, FAMILY)
    pids = started_pids(supervisor, 3, also="deaf")
    supervisor.send_signal(signal.SIGINT)
    while heard(supervisor)[:2] != ["process_stopped", "family"]:
        pass  # until only the deaf one holds up the end
    supervisor.send_signal(signal.SIGINT)
    assert supervisor.wait(PATIENCE) == 0
    until(lambda: not any(map(alive, pids)))


def test_ctrl_c_at_the_terminal_reaches_only_the_supervisor(events):
    with Supervisor([Process("a", SLEEP)], events) as supervisor:
        pid = supervisor.status()["a"].pid
        assert os.getsid(pid) == os.getpgid(pid) == pid
        assert os.getsid(0) != pid


@pytest.mark.parametrize("kernel", ["", "lifeline.kernel_holds = lambda: False"], ids=["kernel", "guardian alone"])
def test_a_killed_supervisor_leaves_nobody(python, alive, kernel):
    supervisor = python(f"from service.embedded import lifeline; {kernel}\n{SUPERVISED}", STUBBORN, FAMILY)
    pids = started_pids(supervisor, 3)
    supervisor.kill()
    until(lambda: not any(map(alive, pids)))


def test_signal_handlers_are_given_back():
    before = signal.getsignal(signal.SIGTERM)

    def stop_once_started(event, **_facts):
        if event == "process_started":
            os.kill(os.getpid(), signal.SIGTERM)

    assert Supervisor([Process("a", SLEEP)], stop_once_started).run() == 0
    assert signal.getsignal(signal.SIGTERM) is before


def test_impatience_while_stopping_kills_the_rest(events, alive):
    def impatient(event, **facts):
        events(event, **facts)
        if event == "process_stopped":
            raise KeyboardInterrupt

    supervisor = Supervisor([Process("a", SLEEP), Process("b", SLEEP)], impatient)
    supervisor.start()
    pids = [status.pid for status in supervisor.status().values()]
    with pytest.raises(KeyboardInterrupt):
        supervisor.stop()
    assert not any(map(alive, pids))


def test_two_processes_may_not_share_a_name():
    with pytest.raises(ValueError, match="same name"):
        Supervisor([Process("a", SLEEP), Process("a", SLEEP)], Events())


def test_a_supervised_valkey_comes_back_with_its_data_and_its_lock(tmp_path, events, settle):
    server = ValkeyServer(tmp_path)
    server.claim()
    process = Process("valkey", server.argv, server.env, ready=server.is_ready, pass_fds=server.pass_fds)
    with Supervisor([process], events, FAST) as supervisor, redis.from_url(server.url) as client:
        client.set("kept", "yes")
        os.kill(supervisor.status()["valkey"].pid, signal.SIGKILL)
        assert settle(supervisor, lambda: supervisor.status()["valkey"].restarts and server.is_ready())
        assert client.get("kept") == b"yes"
    server.stop()
    with ValkeyServer(tmp_path) as again:
        assert again.is_ready()
