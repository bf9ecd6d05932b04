"""How soon the embedded service has its first page, and what its processes take: forked, and as interpreters.

The floor is the same service with each of its processes begun as an interpreter of its own. The supervisor, which here
is the measurement, is not counted.
"""

import os
import time
from typing import NamedTuple

from bench import stage
from config import runtime
from service import processes
from service.embedded import ports

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))
# So long after the first page memory is read: by then every lane has been looked at.
SETTLED_SECONDS = 5


class Taken(NamedTuple):
    """Seconds until the first page, seconds of processor until memory was read, and memory (PSS) in MB."""

    page: float
    processor: float
    memory: float

    def __str__(self) -> str:
        return f"first page {self.page:5.1f} s, processor {self.processor:5.1f} s, memory {self.memory:4.0f} MB"


def measure() -> str:
    """Return what each way takes, the soonest of its rounds, and their ratios."""
    forked, apart = (min(_round(forks=forks) for _ in range(ROUNDS)) for forks in (True, False))
    ratios = ", ".join(f"{ours / floor:.2f}" for ours, floor in zip(forked, apart, strict=True))
    return f"forked:       {forked}\ninterpreters: {apart}\nratios: {ratios}"


def _round(*, forks: bool) -> Taken:
    with stage.folder() as folder:
        stage.begin(folder, network=ports.free_port(), redis="")
        output = os.open(os.devnull, os.O_WRONLY)
        service = processes.Service(runtime.settings(), output=output)
        if not forks:
            service.supervisor.forks = None
        begun = time.monotonic()
        try:
            service.supervisor.start()
            page = time.monotonic() - begun
            time.sleep(SETTLED_SECONDS)
            pids = stage.family(os.getpid())[1:]
            return Taken(page, stage.processor_seconds(pids), stage.memory_mb(pids))
        finally:
            service.stop()
            os.close(output)
