"""What walks share: a whole service of real processes, and an address where no Redis listens."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from sqlalchemy import Engine, select

from config import clock, db, runtime
from reminders.models import Reminder
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


def hurry_reminders() -> None:
    """Nobody waits here for the minutes until the reminder of a day before is due."""
    now = clock.now()
    with db.unit_of_work(db.EVERY) as session:
        soon = select(Reminder).where(Reminder.state == "planned", Reminder.try_after < now + timedelta(minutes=3))
        for reminder in session.scalars(soon):
            reminder.try_after = min(reminder.try_after, now)
