"""Forks our processes from one that has imported what they all need, in place of an interpreter for each.

What was imported once is in memory once, and a process that died is back as fast as a fork. The server is a process of
its own with one thread, started by its path as a program and not forked itself, so that neither the threads nor the
secrets of whoever supervises are in its children. Each child leads a session and a group of its own, and the kernel
sends it its stop signal when the server dies; the server ends when the supervisor does.

The two speak over a pair of sockets, a JSON object a message: a request (`Request`) is answered by `began`, and the end
of a child is told by `ended`. The file is run as `python -m service.embedded.fork_server FD MODULE FD...`.
"""

import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, NoReturn, TypedDict

from service.embedded import lifeline

# After how long a server that does not answer is given up: it may be importing on a machine that does much else.
PATIENCE_SECONDS = 120.0
LARGEST_MESSAGE = 1 << 17
OURS = (sys.executable, "-m")


class Request(TypedDict):
    """What to become: `python -m module *words` with this environment, these open files and this stop signal."""

    module: str
    words: list[str]
    env: dict[str, str]
    fds: list[int]
    stop_signal: int


class Forked:
    """A forked process; the part of `subprocess.Popen` that a supervisor uses."""

    def __init__(self, server: "ForkServer", pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._server = server

    def poll(self) -> int | None:
        """Return the exit code, negative for a signal; None while it runs."""
        if self.returncode is None:
            self._server.hear()
        return self.returncode

    def wait(self) -> int:
        """Wait for the end and return the exit code."""
        while self.returncode is None:
            self._server.hear(wait=True)
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send a signal, unless it has ended."""
        if self.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)


class ForkServer:
    """The supervisor's end: starts the server when it is first needed, and anew if it has died.

    It forks runs of `module`; `preload` is the module it imports. It and its children inherit `env`, `pass_fds` and
    standard error `output`.
    """

    def __init__(
        self, module: str, preload: str, env: Mapping[str, str], pass_fds: Sequence[int] = (), output: int = 2
    ) -> None:
        self._module, self._preload, self._env = module, preload, env
        self._fds, self._output = tuple(pass_fds), output
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._forked: dict[int, Forked] = {}

    def takes(self, argv: Sequence[str]) -> bool:
        """Whether a command runs the module that this one forks."""
        return tuple(argv[:3]) == (*OURS, self._module)

    @property
    def pid(self) -> int | None:
        """The server's own pid, None while it is down."""
        return self._process.pid if self._process else None

    def begin(self, argv: Sequence[str], env: Mapping[str, str], fds: Sequence[int], stop_signal: int) -> Forked:
        """Return a process that runs this command. Raises OSError where the server does not answer."""
        request = Request(module=argv[2], words=[*argv[3:]], env={**env}, fds=[*fds], stop_signal=int(stop_signal))
        control = self._started()
        try:
            control.send(json.dumps(request).encode())
            while (pid := self._next(control).get("began")) is None:
                pass
        except OSError:
            self.close()
            raise
        self._forked[pid] = Forked(self, pid)
        return self._forked[pid]

    def hear(self, *, wait: bool = False) -> None:
        """Take in who has ended; waits for the next if told to. If the server has died, all its children have ended."""
        control = self._control
        if control is None:
            self._bury_all()
            return
        try:
            while wait or select.select([control], [], [], 0)[0]:
                self._next(control)
                wait = False
        except OSError:
            self.close()

    def close(self) -> None:
        """End the server, and what is left of its children."""
        if self._control is not None:
            self._control.close()
            self._control = None
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
        self._bury_all()

    def _started(self) -> socket.socket:
        if self._control is None:
            self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            self._control.settimeout(PATIENCE_SECONDS)
            command = [*OURS, __name__, str(theirs.fileno()), self._preload, *map(str, self._fds)]
            self._process = subprocess.Popen(
                lifeline.tied(command),
                env=self._env,
                stdin=subprocess.DEVNULL,
                stdout=self._output,
                stderr=self._output,
                pass_fds=(theirs.fileno(), *self._fds),
                start_new_session=True,
            )
            theirs.close()
        return self._control

    def _next(self, control: socket.socket) -> dict[str, Any]:
        """Take in one message. Raises OSError if there is none any more."""
        received = control.recv(LARGEST_MESSAGE)
        if not received:
            raise ConnectionResetError("the fork server has ended")
        message: dict[str, Any] = json.loads(received)
        if "ended" in message:
            self._forked.pop(message["ended"]).returncode = message["code"]
        return message

    def _bury_all(self) -> None:
        """End those whose server has died: the kernel sends them their stop signal, but nobody tells their codes."""
        while self._forked:
            pid, forked = self._forked.popitem()
            lifeline.kill_group(pid)
            forked.returncode = -signal.SIGKILL


def serve(control: socket.socket, fds: Sequence[int]) -> Request:
    """Fork whoever is asked for: returns in each child what it is to become, and never in the server."""
    read, write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(write)
    parent = os.getpid()
    while True:
        ready, _, _ = select.select([control.fileno(), read], [], [])
        if read in ready:
            os.read(read, LARGEST_MESSAGE)
        for pid, code in _ended():
            _tell(control, ended=pid, code=code)
        if control.fileno() not in ready:
            continue
        received = control.recv(LARGEST_MESSAGE)
        if not received:
            os._exit(0)
        request: Request = json.loads(received)
        pid = os.fork()
        if pid == 0:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            for descriptor in (read, write, *set(fds) - set(request["fds"])):
                os.close(descriptor)
            os.setsid()
            _call_ourselves(request)
            lifeline.die_with_parent(request["stop_signal"], parent)
            return request
        _tell(control, began=pid)


def _ended() -> Iterator[tuple[int, int]]:
    with suppress(ChildProcessError):
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            yield ended[0], os.waitstatus_to_exitcode(ended[1])


def _call_ourselves(request: Request) -> None:
    """Be told apart by `ps -o comm`: the command line of all is the server's."""
    with suppress(OSError), open("/proc/self/comm", "w", encoding="utf-8") as name:
        name.write(" ".join(request["words"]) or request["module"])


def _tell(control: socket.socket, **message: int) -> None:
    with suppress(BrokenPipeError):  # the supervisor has ended; the next read says so
        control.send(json.dumps(message).encode())


def main(control_fd: str, preload: str, *fds: str) -> NoReturn:
    """Be the server; each child becomes what it was asked to."""
    importlib.import_module(preload)
    gc.collect()
    gc.freeze()  # the collector would write to what is shared
    with socket.socket(fileno=int(control_fd)) as control:
        request = serve(control, [int(descriptor) for descriptor in fds])
    os.environ.clear()
    os.environ.update(request["env"])
    sys.argv = [request["module"], *request["words"]]
    runpy.run_module(request["module"], run_name="__main__", alter_sys=True)
    raise SystemExit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
