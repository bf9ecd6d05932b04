"""A whole service of real processes for a walk: embedded or on PostgreSQL, with Redis or without."""

from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import create_engine, make_url, text

from config import migrations, processes, runtime, start
from config.cli.walk import demo
from config.cli.walk.scene import Scene
from config.embedded import ports

NO_REDIS = "unix:///nowhere/redis.sock"


class Running:
    """A running service and its scene."""

    def __init__(self, service: processes.Service, scene: Scene) -> None:
        self.service, self.scene = service, scene

    def pid(self, name: str) -> int:
        """The present pid of one of its processes."""
        return self.service.supervisor.status()[name].pid


@pytest.fixture
def serve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Running]]:
    """Start a service with more settings by environment name; it ends with the test."""
    started: list[processes.Service] = []
    monkeypatch.setattr(runtime, "_settings", None)
    monkeypatch.setattr(runtime, "_made", {})

    def begin(**more: str) -> Running:
        web, network = ports.free_ports(2)
        settings = demo.settings_for(tmp_path, web, network, **more)
        start.use(settings, "test")
        migrations.upgrade()
        service = processes.Service(settings, [demo.simulator_for(settings, network)])
        started.append(service)
        service.supervisor.start()
        env = start.environment(settings, service.valkey.url if service.valkey else settings.redis_url)
        return Running(service, Scene(settings.public_url, f"http://127.0.0.1:{network}", env, tmp_path))

    yield begin
    for service in started:
        service.stop()


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
