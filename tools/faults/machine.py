"""What the machine itself does to a service: its clock leaps, its disk is full, its database server has no connection
left or loses every session."""

import errno
import os
import subprocess
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import psycopg

from config import clock

# The whole data directory of a seed takes a tenth of it.
DISK_MEGABYTES = 192
PAUSE_SECONDS = 0.05
SEVER = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
)


@dataclass
class ServiceClock:
    """The clock of the service's processes, told by a file; this process's own stays right."""

    file: Path
    leaps: list[tuple[datetime, timedelta]] = field(default_factory=list)

    def leap(self, seconds: int) -> None:
        """Let it stand `seconds` ahead of the right time from now on (behind, if negative)."""
        before = self.leaps[-1][1] if self.leaps else timedelta(0)
        if not self.file.exists() or before != timedelta(seconds=seconds):
            # In place: the processes have it mapped.
            with self.file.open("r+b" if self.file.exists() else "wb") as opened:
                opened.write(clock.LEAP.pack(seconds))
            self.leaps.append((clock.now(), timedelta(seconds=seconds)))

    def right(self, at: datetime) -> datetime:
        """Return when it really was, where the service wrote `at`: the earliest moment that it can have been."""
        ends = [begun for begun, _ in self.leaps[1:]] + [datetime.max.replace(tzinfo=at.tzinfo)]
        spans = [(begun, until, ahead) for (begun, ahead), until in zip(self.leaps, ends, strict=True)]
        fitting = [at - ahead for begun, until, ahead in spans if begun <= at - ahead < until]
        return min(fitting, default=at)


@dataclass
class Disk:
    """The small disk that a data directory lies on; only root may have one, for others nothing is ever full."""

    folder: Path
    mounted: bool = False

    def mount(self) -> None:
        """Put a small file system at the folder, where this user may."""
        command = ("mount", "-t", "tmpfs", "-o", f"size={DISK_MEGABYTES}m,mode=0700", "warmthread", str(self.folder))
        with suppress(FileNotFoundError):
            self.mounted = subprocess.run(command, check=False, capture_output=True).returncode == 0

    def unmount(self) -> None:
        """Take it away again with all that is on it."""
        if self.mounted:
            subprocess.run(("umount", "-l", str(self.folder)), check=True)

    def fill(self) -> None:
        """Leave no byte of it."""
        if not self.mounted:
            return
        with self._ballast.open("wb") as opened:
            size = DISK_MEGABYTES << 20
            while size >= 4096:
                try:
                    os.posix_fallocate(opened.fileno(), os.fstat(opened.fileno()).st_size, size)
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise
                    size //= 2

    def free(self) -> None:
        """Give back what was taken."""
        self._ballast.unlink(missing_ok=True)

    @property
    def _ballast(self) -> Path:
        return self.folder / "ballast"


@dataclass
class Sessions:
    """The sessions of a PostgreSQL server at `address`: taken until there is none left, or ended one and all."""

    address: str
    _taken: list[psycopg.Connection] = field(default_factory=list)
    _let_go: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def exhaust(self) -> None:
        """Take every connection that the server has, also those that others give back, until `give_back`."""
        self._let_go.clear()
        self._thread = threading.Thread(target=self._take)
        self._thread.start()

    def give_back(self) -> None:
        """Give back what was taken."""
        if self._thread:
            self._let_go.set()
            self._thread.join()
            self._thread = None

    def sever(self) -> None:
        """End every session but this one, as a failover does: what was not committed is gone, and nobody is told."""
        with suppress(psycopg.OperationalError), psycopg.connect(self.address, autocommit=True) as connection:
            connection.execute(SEVER)

    def _take(self) -> None:
        while not self._let_go.is_set():
            try:
                self._taken.append(psycopg.connect(self.address))
            except psycopg.OperationalError:
                self._let_go.wait(PAUSE_SECONDS)
        while self._taken:
            self._taken.pop().close()
