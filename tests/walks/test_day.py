"""One clinic's day through the doors: on SQLite, on PostgreSQL, and with Redis stopped."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

from sqlalchemy import create_engine, make_url, text

from config import db, runtime, settings
from service import database_roles, migrations
from service.cli.walk.steps import STEPS, Walk
from tests.walks.kit import NO_REDIS, Running, forgotten

Serve = Callable[..., Running]


def every_step(running: Running) -> dict[str, Any]:
    walk = Walk(running.scene)
    return {title: step(walk) for title, step in STEPS}


@contextmanager
def a_role(house: settings.Settings, address: str) -> Iterator[str]:
    """Bring the database at `address` to head as its owner; yield the address by which the service's role comes."""
    role = f"walk_{uuid4().hex[:8]}"
    with forgotten():
        runtime.configure(house.model_copy(update={"database_url": address}))
        migrations.upgrade()
        database_roles.set_up(role, "a password of its own")
        db.engine().dispose()
    yield make_url(address).set(username=role).render_as_string(hide_password=False)
    owner = create_engine(address)
    with owner.begin() as connection:
        connection.execute(text(f"DROP OWNED BY {role} CASCADE"))
        connection.execute(text(f"DROP ROLE {role}"))
    owner.dispose()


def test_a_day_on_sqlite(serve: Serve) -> None:
    assert len(every_step(serve())) == len(STEPS)


def test_a_day_on_postgresql_by_a_role_that_owns_nothing(
    serve: Serve, house: settings.Settings, empty_postgresql: str
) -> None:
    with a_role(house, empty_postgresql) as address:
        assert len(every_step(serve(DATABASE_URL=address))) == len(STEPS)


def test_a_day_with_redis_stopped(serve: Serve) -> None:
    assert len(every_step(serve(REDIS_URL=NO_REDIS))) == len(STEPS)
