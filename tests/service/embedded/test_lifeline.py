"""Nobody outlives the process that started it."""

import os
import signal
import subprocess
import sys
import threading

import pytest

from service.embedded import lifeline
from tests.waiting import PATIENCE, until

linux_kernel = sys.platform.startswith("linux")

STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
STUBBORN_FAMILY = (
    "import signal, subprocess, sys, time\n"
    "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    f"inner = subprocess.Popen([sys.executable, '-c', {STUBBORN!r}])\n"
    "print(inner.pid, flush=True); time.sleep(600)"
)


def test_a_forked_horse_dies_with_its_worker(python, alive):
    worker = python(
        "import os, signal, time; from service.embedded import lifeline\n"
        "parent = os.getpid(); horse = os.fork()\n"
        "if not horse:\n"
        "    os.setpgrp(); held = lifeline.die_with_parent(signal.SIGKILL, parent)\n"
        "    print(os.getpid(), held, flush=True); time.sleep(600)\n"
        "else: time.sleep(600)"
    )
    horse, held = worker.stdout.readline().split()
    assert held == str(linux_kernel)
    worker.kill()
    until(lambda: not alive(int(horse)))


def test_a_parent_that_died_before_the_call_is_noticed(python):
    orphan = python(
        "import os, signal; from service.embedded import lifeline\n"
        "held = lifeline.die_with_parent(signal.SIGKILL, parent=os.getppid() + 1)\n"
        "raise SystemExit(7 if not held else 0)"
    )
    assert orphan.wait(PATIENCE) == (-signal.SIGKILL if linux_kernel else 7)


def test_a_tied_command_keeps_its_process_id_and_the_default_signals():
    show = "import os, signal; print(os.getpid()); os.kill(os.getpid(), signal.SIGTERM)"
    with subprocess.Popen(lifeline.tied([sys.executable, "-c", show]), stdout=subprocess.PIPE, text=True) as tied:
        assert tied.stdout.readline() == f"{tied.pid}\n"
    assert tied.returncode == -signal.SIGTERM
    # A shell shows an inherited "ignore" that Python would hide: SIGPIPE must end it.
    piped = subprocess.run(lifeline.tied(["sh", "-c", "kill -PIPE $$; echo still here"]), capture_output=True)
    assert (piped.returncode, piped.stdout) == (-signal.SIGPIPE, b"")


def test_a_tied_command_that_cannot_run_ends_with_127_and_one_line():
    command = [
        sys.executable,
        "-I",
        "-S",
        lifeline.__file__,
        "tie",
        "15",
        str(os.getpid()),
        "/no/such/program",
    ]
    ended = subprocess.run(command, capture_output=True, text=True)
    assert ended.returncode == 127
    assert ended.stderr == "/no/such/program: No such file or directory\n"


def test_another_thread_does_not_tie_since_its_end_would_pull_the_line():
    commands = []
    thread = threading.Thread(target=lambda: commands.append(lifeline.tied(["sleep", "1"])))
    thread.start()
    thread.join()
    assert commands == [["sleep", "1"]]


@pytest.mark.parametrize("signum", [0, signal.SIGTERM])
def test_a_guardian_ends_a_stubborn_group_after_its_parent_was_killed(python, alive, signum):
    parent = python(
        "import subprocess, sys, time; from service.embedded import lifeline\n"
        "leader = subprocess.Popen([sys.executable, '-c', sys.argv[1]], start_new_session=True, "
        "stdout=subprocess.PIPE, text=True)\n"
        "grandchild = leader.stdout.readline().strip()\n"
        "lifeline.Guardian().watch(leader.pid, int(sys.argv[2]), grace=0.3)\n"
        "print(leader.pid, grandchild, flush=True); time.sleep(600)",
        STUBBORN_FAMILY,
        int(signum),
    )
    leader, grandchild = map(int, parent.stdout.readline().split())
    assert alive(leader)
    assert alive(grandchild)
    parent.kill()
    until(lambda: not alive(leader) and not alive(grandchild))


def test_a_guardian_notices_the_death_of_a_parent_whose_fork_keeps_the_pipe(python, alive):
    parent = python(
        "import os, subprocess, time; from service.embedded import lifeline\n"
        "child = subprocess.Popen(['sleep', '600'], start_new_session=True)\n"
        "lifeline.Guardian().watch(child.pid, 0, grace=0.0)\n"
        "if os.fork(): print(child.pid, flush=True)\n"
        "time.sleep(600)"
    )
    child = int(parent.stdout.readline())
    parent.kill()
    until(lambda: not alive(child))


def test_a_guardian_leaves_alone_what_it_was_told_to_forget():
    with subprocess.Popen(["sleep", "600"], start_new_session=True) as kept:
        guardian = lifeline.Guardian()
        guardian.watch(kept.pid, signal.SIGKILL, grace=0.0)
        guardian.forget(kept.pid)
        process = guardian._process
        process.stdin.close()  # what our death would look like to it
        assert process.wait(PATIENCE) == 0
        assert kept.poll() is None
        guardian.close()
        kept.kill()


def test_closing_a_guardian_touches_nobody():
    with subprocess.Popen(["sleep", "600"], start_new_session=True) as kept:
        guardian = lifeline.Guardian()
        guardian.watch(kept.pid, signal.SIGKILL, grace=0.0)
        guardian.close()  # it returns when the guardian has ended
        assert kept.poll() is None
        kept.kill()


def test_a_guardian_that_died_is_replaced_and_still_knows_everyone(alive):
    with subprocess.Popen(["sleep", "600"], start_new_session=True) as early:
        guardian = lifeline.Guardian()
        guardian.watch(early.pid, signal.SIGTERM, grace=1.0)
        guardian._process.kill()
        guardian._process.wait()
        with subprocess.Popen(["sleep", "600"], start_new_session=True) as late:
            guardian.watch(late.pid, signal.SIGTERM, grace=1.0)
            guardian._process.stdin.close()
            assert early.wait(PATIENCE) == -signal.SIGTERM
            assert late.wait(PATIENCE) == -signal.SIGTERM
        guardian.close()


def test_a_group_is_killed_with_its_grandchildren(alive):
    with subprocess.Popen(
        [sys.executable, "-c", STUBBORN_FAMILY], stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as leader:
        grandchild = int(leader.stdout.readline())
        assert lifeline.group_exists(leader.pid)
        lifeline.kill_group(leader.pid)
        leader.wait(PATIENCE)
        until(lambda: not alive(grandchild))
    lifeline.kill_group(leader.pid)  # nobody there: no error
    until(lambda: not lifeline.group_exists(leader.pid))
