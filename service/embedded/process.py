"""What is to run under the supervisor, and how."""

import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Process:
    """One process to keep running.

    `env` None inherits ours. `critical`: its end is not repaired but ends everything, for what must not come
    back behind the others' backs. `once`: it is to end with 0 before the next one starts, and is not started again;
    any other end of it ends everything. `ready` is asked after the start, for at most `ready_timeout` seconds,
    before the next process starts; it must return soon and not raise. `stop_timeout` in seconds, from the
    stop signal to SIGKILL. `pass_fds` are descriptors the process keeps open.
    """

    name: str
    argv: Sequence[str]
    env: Mapping[str, str] | None = None
    critical: bool = False
    once: bool = False
    ready: Callable[[], bool] | None = None
    ready_timeout: float = 60.0
    stop_signal: signal.Signals = signal.SIGTERM
    stop_timeout: float = 10.0
    pass_fds: Sequence[int] = ()
