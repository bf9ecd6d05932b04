"""Starts the processes of one machine in order, restarts what dies, and ends all of them together.

Each child runs in a session and process group of its own, so that Ctrl-C at the terminal reaches only the
supervisor, and a child that ends takes what is left of its group with it. Nobody outlives the supervisor,
not even when it gets SIGKILL: the kernel sends each child its stop signal (Linux), and a guardian process
ends the groups after their stop timeout.

What a child must do itself: end its own children on its stop signal, in its own way (a worker drains), and
tie a grandchild that leaves the group, as an RQ work horse does (`lifeline.die_with_parent` in the horse).

Children write to our standard error, or to the file given: their lines are JSON that already names its
process, and a line must not be lost or wait because the supervisor is busy or dead.
"""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from types import FrameType, TracebackType
from typing import NamedTuple, Protocol, Self

from service.embedded import lifeline
from service.embedded.fork_server import Forked, ForkServer
from service.embedded.process import Process

POLL_SECONDS = 0.1


@dataclass(frozen=True)
class Backoff:
    """Seconds to wait before a restart: `first`, doubled per failure up to `cap`, anew after `steady` seconds up."""

    first: float = 0.5
    cap: float = 30.0
    steady: float = 30.0

    def delay(self, failures: int) -> float:
        """Seconds to wait after the given number of failures in a row, 1 or more."""
        return min(self.cap, self.first * 2.0 ** min(failures - 1, 30))


class Status(NamedTuple):
    """One process now: its id and since when it is up (`time.monotonic` seconds), both None while it is down."""

    pid: int | None
    restarts: int
    up_since: float | None


class Log(Protocol):
    """Where the supervisor tells what it does: an event in snake case and its facts; a structlog method fits."""

    def __call__(self, event: str, **facts: object) -> object: ...


class NotReady(RuntimeError):
    """A process was not ready in its time, or a critical one ended during the start; the text names it."""


class NotDone(NotReady):
    """What was to be done first was not. `code`: how its process ended; above 0 it has said why, else nobody has."""

    def __init__(self, name: str, code: int) -> None:
        how = f"was killed by signal {-code}" if code < 0 else f"ended with {code}"
        super().__init__(f"{name} {how}; nothing was started")
        self.code = code


class _Child:
    """One `Process` with its present run."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self.run: subprocess.Popen[bytes] | Forked | None = None
        self.restarts = 0
        self.failures = 0
        self.up_since = 0.0
        self.start_at = 0.0

    @property
    def status(self) -> Status:
        if self.run is None:
            return Status(None, self.restarts, None)
        return Status(self.run.pid, self.restarts, self.up_since)


class Supervisor:
    """Keeps `processes` running. `run()` blocks until a signal; `start()`, `poll()` and `stop()` leave the loop to you.

    As a context manager it starts and stops. `output` is a file descriptor for what the children write, else our
    standard error. `forks` begins the processes that it can, and is closed with the others. Use it from the main
    thread: on Linux the children end with the thread that started them, and signal handlers need it too. As the
    first process of a container let an init collect the orphans (`docker run --init`).
    """

    def __init__(
        self,
        processes: Sequence[Process],
        log: Log,
        backoff: Backoff | None = None,
        output: int | None = None,
        forks: ForkServer | None = None,
    ) -> None:
        self._children = {process.name: _Child(process) for process in processes}
        if len(self._children) != len(processes):
            raise ValueError("two processes have the same name")
        self._log = log
        self._backoff = backoff or Backoff()
        self._output = 2 if output is None else output
        self.forks = forks
        self._guardian = lifeline.Guardian()
        self._signals = 0
        self._failed: str | None = None

    def run(self, started: Callable[[], object] = lambda: None) -> int:
        """Start everything, keep it running, end it on SIGINT, SIGTERM or SIGHUP.

        `started` is called when all is up. Gives the exit status: 0, or 1 if a critical process ended. A second signal
        while ending kills at once. Raises NotReady, with nothing left running.
        """
        with self._listening():
            try:
                self.start()
                if not self._signals:
                    started()
                while not self._signals and self.poll():
                    time.sleep(POLL_SECONDS)
            finally:
                self.stop()
        return 0 if self._failed is None else 1

    def start(self) -> None:
        """Start all in order, each when the one before is ready; NotReady if one is not, and all are ended."""
        self._failed = None
        try:
            for child in self._children.values():
                self._launch(child)
                (self._await_end if child.process.once else self._await_ready)(child)
                if self._signals:
                    return
        except BaseException:
            self.stop()
            raise

    def poll(self) -> bool:
        """Notice who died and restart who is due; never waits. False once a critical process has ended.

        Call it a few times a second while you do other things between `start()` and `stop()`.
        """
        for child in self._children.values():
            if child.run is None and child.start_at and self._failed is None:
                self._revive(child)
            elif child.run is not None and child.run.poll() is not None:
                self._bury(child)
        return self._failed is None

    def stop(self) -> None:
        """End all in reverse order: stop signal, the process's own timeout, then SIGKILL to its whole group."""
        try:
            for child in reversed(self._children.values()):
                child.start_at = 0.0
                if child.run is not None:
                    self._end(child)
        finally:  # somebody lost patience (KeyboardInterrupt): the rest is killed at once
            for child in self._children.values():
                if child.run is not None:
                    self._collect(child)
            if self.forks is not None:
                self.forks.close()
            self._guardian.close()

    def status(self) -> dict[str, Status]:
        """The present state of what is kept running by name, in starting order, as of the last `poll`."""
        return {name: child.status for name, child in self._children.items() if not child.process.once}

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _launch(self, child: _Child) -> None:
        process = child.process
        child.run = self._begin(process)
        signum = 0 if lifeline.kernel_holds() else process.stop_signal
        self._guardian.watch(child.run.pid, signum, process.stop_timeout)
        child.up_since = child.start_at = time.monotonic()
        self._log("process_started", process=process.name, pid=child.run.pid, restarts=child.restarts)

    def _begin(self, process: Process) -> subprocess.Popen[bytes] | Forked:
        if self.forks is not None and self.forks.takes(process.argv):
            env = os.environ if process.env is None else process.env
            with suppress(OSError):  # what cannot be forked is begun as ever
                return self.forks.begin(process.argv, env, process.pass_fds, process.stop_signal)
        return subprocess.Popen(
            lifeline.tied(process.argv, process.stop_signal),
            env=process.env,
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=self._output,
            pass_fds=process.pass_fds,
            start_new_session=True,
        )

    def _await_ready(self, child: _Child) -> None:
        process = child.process
        deadline = time.monotonic() + process.ready_timeout
        while process.ready is not None and not self._signals:
            if child.run is not None and process.ready():
                self._log("process_ready", process=process.name)
                return
            if not self.poll():
                raise NotReady(f"{self._failed} ended during the start")
            if time.monotonic() >= deadline:
                raise NotReady(f"{process.name} was not ready within {process.ready_timeout:g} s")
            time.sleep(POLL_SECONDS / 2)

    def _await_end(self, child: _Child) -> None:
        run = child.run
        while child.run is not None and not self._signals:
            self.poll()
            time.sleep(POLL_SECONDS / 5)
        if child.run is None and run is not None and run.returncode:
            raise NotDone(child.process.name, run.returncode)

    def _bury(self, child: _Child) -> None:
        """Record the end of a process, end what is left of its group, and set the time of its next start."""
        assert child.run is not None
        now, run = time.monotonic(), child.run
        self._collect(child)
        child.failures = 1 if now - child.up_since >= self._backoff.steady else child.failures + 1
        wait = self._backoff.delay(child.failures)
        kept = not (child.process.critical or child.process.once)
        child.start_at = now + wait if kept else 0.0
        self._log(
            "process_ended",
            process=child.process.name,
            pid=run.pid,
            exit_code=run.returncode,
            restart_in=wait if kept else None,
        )
        if child.process.critical:
            self._failed = self._failed or child.process.name

    def _revive(self, child: _Child) -> None:
        if time.monotonic() >= child.start_at:
            child.restarts += 1
            self._launch(child)

    def _end(self, child: _Child) -> None:
        assert child.run is not None
        run, process = child.run, child.process
        run.send_signal(process.stop_signal)
        deadline = time.monotonic() + process.stop_timeout
        while run.poll() is None and time.monotonic() < deadline and self._signals < 2:
            time.sleep(POLL_SECONDS / 5)
        killed = run.poll() is None
        self._collect(child)
        self._log("process_stopped", process=process.name, pid=run.pid, exit_code=run.returncode, killed=killed)

    def _collect(self, child: _Child) -> None:
        """SIGKILL whoever is left in the child's group: a grandchild alone would do the next run's work twice."""
        assert child.run is not None
        # The leader may be collected already. Its number stays taken while the group has members, and an
        # empty group's number is not given out again within the moment since.
        lifeline.kill_group(child.run.pid)
        child.run.wait()
        self._guardian.forget(child.run.pid)
        child.run = None

    @contextmanager
    def _listening(self) -> Iterator[None]:
        """Count the signals that ask for the end while inside, and give the handlers back as they were."""
        asks = [signal.SIGINT, signal.SIGTERM]
        if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # under nohup a closed terminal means nothing
            asks.append(signal.SIGHUP)
        before = {number: signal.signal(number, self._count) for number in asks}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            self._signals = 0

    def _count(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 - the shape signal.signal asks for
        self._signals += 1
