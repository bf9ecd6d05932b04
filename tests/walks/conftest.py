"""A service for a walk: embedded or on PostgreSQL, with Redis or without."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import create_engine, make_url, text

from tests.walks.kit import Running, running


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    """Start a service with more settings by environment name; it ends with the test."""
    with ExitStack() as stack:
        yield lambda **overrides: stack.enter_context(running(tmp_path, **overrides))


@pytest.fixture
def empty_postgresql(database_url: str) -> Iterator[str]:
    """The address of a PostgreSQL database with nothing in it."""
    name = f"walk_{uuid4().hex[:12]}"
    server = create_engine(database_url, isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    yield make_url(database_url).set(database=name).render_as_string(hide_password=False)
    with server.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    server.dispose()
