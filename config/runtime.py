"""What this process runs with: its settings, and the things made once from them."""

import threading
from collections.abc import Callable
from typing import TypeVar

from config import clock
from config.settings import Settings

T = TypeVar("T")
_settings: Settings | None = None
_made: dict[str, object] = {}
_making = threading.RLock()


class NotConfigured(RuntimeError):
    """Something was asked of the process before `configure` was called."""


def configure(settings: Settings) -> None:
    """Choose the settings of this process; everything made from earlier ones is forgotten."""
    global _settings
    _settings = settings
    clock.shift(settings.clock_shift)
    if settings.clock_file:
        clock.follow(settings.clock_file)
    _made.clear()


def settings() -> Settings:
    """Return the settings of this process. Raises NotConfigured before `configure`."""
    if _settings is None:
        raise NotConfigured("call config.runtime.configure(settings) first")
    return _settings


def once(name: str, make: Callable[[], T]) -> T:
    """Return what `make` made the first time `name` was asked for in this process."""
    if name not in _made:
        with _making:  # several threads may ask at once; what is made is made once
            if name not in _made:
                _made[name] = make()
    return _made[name]  # type: ignore[return-value]


def forget(name: str) -> None:
    """Let `name` be made anew when it is next asked for."""
    _made.pop(name, None)
