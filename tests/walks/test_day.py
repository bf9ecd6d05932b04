"""One clinic's day through the doors: on SQLite, on PostgreSQL, and with Redis stopped."""

from collections.abc import Callable
from typing import Any

from service.cli.walk.steps import STEPS, Walk
from tests.walks.kit import NO_REDIS, Running

Serve = Callable[..., Running]


def every_step(running: Running) -> dict[str, Any]:
    walk = Walk(running.scene)
    return {title: step(walk) for title, step in STEPS}


def test_a_day_on_sqlite(serve: Serve) -> None:
    assert len(every_step(serve())) == len(STEPS)


def test_a_day_on_postgresql(serve: Serve, empty_postgresql: str) -> None:
    assert len(every_step(serve(DATABASE_URL=empty_postgresql))) == len(STEPS)


def test_a_day_with_redis_stopped(serve: Serve) -> None:
    assert len(every_step(serve(REDIS_URL=NO_REDIS))) == len(STEPS)
