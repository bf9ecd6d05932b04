"""What this process has counted and not handed on yet: names and labels of our own making, never anything of a patient.

Counting touches memory alone, so that nothing waits for it. `config.queue.push_tallies` hands on what was counted to
Redis, where all processes' add up; what Redis loses begins at nought again, as counters may.
"""

import re
import threading
from collections import defaultdict

# Seconds; the last bucket is without end.
BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
LABEL = re.compile(r"[a-z0-9_.]+")
_lock = threading.Lock()
_counted: defaultdict[str, float] = defaultdict(float)


def add(name: str, *labels: str, by: float = 1) -> None:
    """Add to the counter `name` with these labels. Raises ValueError for a label that no word of our own can be."""
    field = "|".join((name, *labels))
    if not all(LABEL.fullmatch(part) for part in (name, *labels)):
        raise ValueError("a label of a counter is a small word of our own")
    with _lock:
        _counted[field] += by


def observe(name: str, *labels: str, seconds: float) -> None:
    """Add a duration to the histogram `name`: its sum, and its bucket."""
    bucket = next((f"{edge:g}" for edge in BUCKETS if seconds <= edge), "inf")
    add(f"{name}_sum", *labels, by=seconds)
    add(f"{name}_bucket", *labels, bucket)


def take() -> dict[str, float]:
    """Return what was counted since the last time, by name and labels parted by bars, and begin anew."""
    with _lock:
        taken = dict(_counted)
        _counted.clear()
    return taken


def put_back(taken: dict[str, float]) -> None:
    """Count what could not be handed on again."""
    with _lock:
        for field, by in taken.items():
            _counted[field] += by
