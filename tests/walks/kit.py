"""What walks share: a whole service of real processes, and an address where no Redis listens."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from sqlalchemy import Engine

from config import clock, runtime
from service.cli.walk import demo_service
from service.cli.walk.demo_service import Running
from tests.waiting import PATIENCE

NO_REDIS = "unix:///nowhere/redis.sock"


@contextmanager
def running(folder: Path, **overrides: str) -> Iterator[Running]:
    """Run a service in `folder`; the test process forgets its settings afterwards."""
    with forgotten(), demo_service.running(folder, patience=PATIENCE, **overrides) as service:
        yield service


@contextmanager
def forgotten() -> Iterator[None]:
    """Forget afterwards what this process was configured with inside."""
    before = (runtime._settings, dict(runtime._made))
    try:
        yield
    finally:
        runtime._settings = before[0]
        clock.shift(timedelta(0))
        for made in runtime._made.values():
            if isinstance(made, Engine) and made not in before[1].values():
                made.dispose()  # else a later test finds its connections open
        runtime._made.clear()
        runtime._made.update(before[1])
