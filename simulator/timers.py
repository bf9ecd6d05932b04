"""Things that happen later, on one thread, in the order they are due."""

import heapq
import itertools
import threading
import time
from collections.abc import Callable

Action = Callable[[], None]


class Timers:
    """A heap of actions; `after` may be called from any thread, actions run on the timers' own and must be brief."""

    def __init__(self) -> None:
        self._due: list[tuple[float, int, Action]] = []
        self._order = itertools.count()
        self._changed = threading.Condition()
        threading.Thread(target=self._run, name="timers", daemon=True).start()

    def after(self, seconds: float, action: Action) -> None:
        """Run `action` once, `seconds` from now."""
        with self._changed:
            heapq.heappush(self._due, (time.monotonic() + seconds, next(self._order), action))
            self._changed.notify()

    def clear(self) -> None:
        """Forget everything that has not happened yet."""
        with self._changed:
            self._due.clear()

    def _run(self) -> None:
        while True:
            self._next()()

    def _next(self) -> Action:
        with self._changed:
            while True:
                wait = self._due[0][0] - time.monotonic() if self._due else None
                if wait is not None and wait <= 0:
                    return heapq.heappop(self._due)[2]
                self._changed.wait(wait)
