"""Threads of their own for each kind of client: whoever is many takes no thread from the others."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
MACHINES = ("/webhooks/", "/api/")
PROGRAMS = ("/api/",)
# What browsers report comes from pages, and must keep nobody from working: it shares the threads of patients' pages.
PATIENTS = ("/i/", "/k/", "/reports/")
OPERATORS = ("/healthz/", "/readyz/", "/metrics/")
OF_PATHS = {"programs": PROGRAMS, "machines": MACHINES, "patients": PATIENTS, "operators": OPERATORS}


def name_of(path: str) -> str:
    """Return the name of the bulkhead of whoever asks for `path`: also what figures call them."""
    path += "/"
    for name, paths in (
        ("programs", PROGRAMS),
        ("machines", MACHINES),
        ("patients", PATIENTS),
        ("operators", OPERATORS),
    ):
        if path.startswith(paths):
            return name
    return "staff"


class Full(Exception):
    """All threads of these clients are busy and as many as may do so wait: nothing was done."""


class Bulkhead:
    """So many threads for one kind of client, and how many may wait for one, so many seconds at most."""

    def __init__(self, name: str, threads: int, waiting: float, patience: float = 10.0) -> None:
        self.name = name
        self._most, self._patience, self._inside = threads + waiting, patience, 0
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix=name)

    async def run(self, work: Callable[[], T]) -> T:
        """Do the work in one of our threads. Raises Full."""
        if self._inside >= self._most:
            raise Full
        self._inside += 1
        ends = time.monotonic() + self._patience
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, _in_time(work, ends))
        finally:
            self._inside -= 1


def _in_time(work: Callable[[], T], ends: float) -> Callable[[], T]:
    """Refuse work whose turn comes so late that nobody waits for it any more."""

    def begin() -> T:
        if time.monotonic() > ends:
            raise Full
        return work()

    return begin


class Bulkheads:
    """One for each kind of client. A carrier's request is never refused: it waits for a thread of its own kind,
    and a clinic's programs have others."""

    def __init__(self) -> None:
        self.machines = Bulkhead("machines", 8, float("inf"), float("inf"))
        self.programs = Bulkhead("programs", 4, 40)
        self.patients = Bulkhead("patients", 12, 100)
        self.staff = Bulkhead("staff", 10, 30)
        self.operators = Bulkhead("operators", 2, 10)

    def of(self, path: str) -> Bulkhead:
        """Return the bulkhead of whoever asks for `path`."""
        bulkhead: Bulkhead = getattr(self, name_of(path))
        return bulkhead
