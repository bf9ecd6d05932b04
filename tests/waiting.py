"""The one way in which tests wait: until something is so, however busy the machine is."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
# Seconds that anything may take where six other programs want the processor and the disk stalls: no finding yet.
PATIENCE = 90.0


def until(condition: Callable[[], T], what: str = "", within: float = PATIENCE, pause: float = 0.01) -> T:
    """Return the first answer of `condition` that is true, asked every `pause` seconds.

    Raises AssertionError when `within` seconds bring none.
    """
    ends = time.monotonic() + within
    while not (answer := condition()):
        assert time.monotonic() < ends, f"waited {within:.0f} s in vain{what and f' for {what}'}"
        time.sleep(pause)
    return answer
