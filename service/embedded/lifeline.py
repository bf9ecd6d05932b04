"""Makes a process end when the process that started it has gone, however it went.

Two means, because neither is enough alone:

- Linux sends a signal to a child whose parent died (PR_SET_PDEATHSIG). `die_with_parent` asks for it
  in the process itself (an RQ work horse right after the fork); `tied` wraps a command so that it asks
  before it becomes the program. A wrapper and not a `preexec_fn`, which may deadlock in a process with threads.
- A `Guardian` is a small process that waits for our end and then ends whole process groups. It is the
  only means on systems without PR_SET_PDEATHSIG (macOS), and on every system the one that also reaches
  grandchildren and whoever ignores the first signal.

The file is also run as a program, by its path and without site-packages: keep it to the standard library.
"""

import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress

PR_SET_PDEATHSIG = 1
# What an interpreter may need to start; no secret is among it.
INHERITED = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
GUARD_SECONDS = 0.25
"""How often a guardian looks whether its parent is still its parent, should the pipe not tell."""


def die_with_parent(signum: int = signal.SIGTERM, parent: int | None = None) -> bool:
    """Have the kernel send `signum` to this process when its parent dies; False where no kernel offers it.

    `parent` is the parent's process id as it knew it before the fork: a parent that died between the fork
    and this call would otherwise be missed, so `signum` is then sent at once. Without it only a death during
    the call is noticed. Holds across exec, not across fork: each grandchild asks for itself.

    The kernel takes the *thread* that forked for the parent: fork from one that lives as long as the process.
    Raises OSError when the kernel refuses. On macOS this does nothing; use a `Guardian` there.
    """
    if not sys.platform.startswith("linux"):
        return False
    import ctypes

    expected = os.getppid() if parent is None else parent
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, *map(ctypes.c_ulong, (signum, 0, 0, 0))) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    if os.getppid() != expected:
        os.kill(os.getpid(), signum)
    return True


def kernel_holds() -> bool:
    """Whether `tied` ties from here: on Linux, in the main thread (another thread's end would pull the line)."""
    return sys.platform.startswith("linux") and threading.current_thread() is threading.main_thread()


def tied(argv: Sequence[str], signum: int = signal.SIGTERM) -> list[str]:
    """The command that becomes `argv`, with the same process id, after asking for `signum` at our death.

    Where `kernel_holds` says no, `argv` itself: let a `Guardian` watch it. A program that cannot be
    executed ends with status 127 and one line on standard error.
    """
    if not kernel_holds():
        return list(argv)
    return [sys.executable, "-I", "-S", __file__, "tie", str(int(signum)), str(os.getpid()), *argv]


class Guardian:
    """A process that ends the groups it watches as soon as the process that made it has gone."""

    def __init__(self) -> None:
        self._watched: dict[int, str] = {}
        self._process: subprocess.Popen[bytes] | None = None

    def watch(self, group: int, signum: int, grace: float) -> None:
        """After our death send the leader of `group` `signum` (0: the kernel does), and all SIGKILL after `grace` s."""
        self._watched[group] = f"+ {group} {int(signum)} {grace}\n"
        self._tell(self._watched[group])

    def forget(self, group: int) -> None:
        """Stop watching `group`: it has ended, and its number may soon be another's."""
        if self._watched.pop(group, None) is not None:
            self._tell(f"- {group}\n")

    def close(self) -> None:
        """End the guardian without touching anything it watched."""
        self._watched.clear()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._hang_up()

    def _tell(self, line: str) -> None:
        process = self._process
        if process is None or process.poll() is not None:
            self._start()
            return
        assert process.stdin is not None
        with suppress(BrokenPipeError):  # it just died; the next call starts another
            process.stdin.write(line.encode())

    def _start(self) -> None:
        self._hang_up()
        command = [sys.executable, "-I", "-S", __file__, "guard", str(os.getpid())]
        # Its own session, so that Ctrl-C at the terminal does not take the guardian first.
        self._process = subprocess.Popen(
            command,
            env={name: os.environ[name] for name in INHERITED if name in os.environ},
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            bufsize=0,
            start_new_session=True,
        )
        assert self._process.stdin is not None
        self._process.stdin.write("".join(self._watched.values()).encode())

    def _hang_up(self) -> None:
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
        self._process = None


def group_exists(group: int) -> bool:
    """Whether the process group still has a member that we could signal (a zombie counts on Linux)."""
    try:
        os.killpg(group, 0)
    except (ProcessLookupError, PermissionError):  # macOS answers EPERM for a group of zombies
        return False
    return True


def kill_group(group: int) -> None:
    """SIGKILL to every member of the process group, if there is any."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)


def _guard(parent: int) -> None:
    """The guardian's life: keep the list that arrives on standard input, act when the parent has gone."""
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, signal.SIG_IGN)
    watched: dict[int, tuple[int, float]] = {}
    pending = b""
    while True:
        if select.select([0], [], [], GUARD_SECONDS)[0]:
            received = os.read(0, 65536)
            if not received:
                break
            *lines, pending = (pending + received).split(b"\n")
            for line in lines:
                _note(watched, line.decode())
        elif os.getppid() != parent:  # a forked copy of the parent may keep the pipe open after its death
            break
    _end(watched)


def _note(watched: dict[int, tuple[int, float]], line: str) -> None:
    verb, group, *rest = line.split()
    if verb == "+":
        watched[int(group)] = (int(rest[0]), float(rest[1]))
    else:
        watched.pop(int(group), None)


def _end(watched: dict[int, tuple[int, float]]) -> None:
    started = time.monotonic()
    for group, (signum, _) in watched.items():
        if signum:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(group, signum)
    # The bound is for machines whose first process does not collect the dead.
    give_up = started + max((grace for _, grace in watched.values()), default=0.0) + 5.0
    while time.monotonic() < give_up and (watched := _present(watched)):
        for group, (_, grace) in watched.items():
            if time.monotonic() - started >= grace:
                kill_group(group)
        time.sleep(0.05)


def _present(watched: dict[int, tuple[int, float]]) -> dict[int, tuple[int, float]]:
    return {group: orders for group, orders in watched.items() if group_exists(group)}


def _tie(signum: int, parent: int, argv: list[str]) -> None:
    # Python ignores the first two for itself, and exec would hand that on.
    for number in (signal.SIGPIPE, signal.SIGXFSZ, signum):
        if number != signal.SIGKILL:
            signal.signal(number, signal.SIG_DFL)
    die_with_parent(signum, parent)
    try:
        os.execvp(argv[0], argv)  # noqa: S606 - the very program we were asked to become
    except OSError as error:
        sys.stderr.write(f"{argv[0]}: {error.strerror}\n")
        raise SystemExit(127) from None


if __name__ == "__main__":
    if sys.argv[1] == "tie":
        _tie(int(sys.argv[2]), int(sys.argv[3]), sys.argv[4:])
    else:
        _guard(int(sys.argv[2]))
