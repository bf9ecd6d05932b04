"""What this process has opened or made of what it read: a bounded number of things, each for a few minutes."""

import time
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

V = TypeVar("V")


class Remembered(Generic[V]):
    """Values by key, each for `seconds` after it was put there; of more than `most` the oldest leaves first.

    A key must hold everything that its value is made of: then nothing has to be told when something changes.
    """

    def __init__(self, most: int, seconds: float) -> None:
        self._most, self.seconds = most, seconds
        self._kept: dict[Hashable, tuple[float, V]] = {}

    def get(self, key: Hashable) -> V | None:
        """Return the value of a key, None where there is none or its time is over."""
        entry = self._kept.get(key)
        return entry[1] if entry and time.monotonic() - entry[0] < self.seconds else None

    def put(self, key: Hashable, value: V) -> None:
        """Keep a value, in place of the one that was there."""
        self._kept.pop(key, None)
        while len(self._kept) >= self._most:
            self._kept.pop(next(iter(self._kept)), None)
        self._kept[key] = (time.monotonic(), value)

    def forget(self, which: Callable[[Hashable], bool]) -> None:
        """Forget the values whose key meets a condition."""
        for key in [key for key in self._kept if which(key)]:
            self._kept.pop(key, None)
