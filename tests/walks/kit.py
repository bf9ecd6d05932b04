"""What walks share: a whole service of real processes, its scene, and an address where no Redis listens."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from config import migrations, processes, runtime, start
from config.cli.walk import demo
from config.cli.walk.scene import Scene
from config.embedded import ports

NO_REDIS = "unix:///nowhere/redis.sock"


@dataclass
class Running:
    """A running service and its scene."""

    service: processes.Service
    scene: Scene

    def pid(self, name: str) -> int | None:
        """The present pid of one of its processes."""
        return self.service.supervisor.status()[name].pid


@contextmanager
def running(folder: Path, **more: str) -> Iterator[Running]:
    """Run a service in `folder` with more settings by environment name; it ends with the block."""
    before = (runtime._settings, dict(runtime._made))
    web, network = ports.free_ports(2)
    settings = demo.settings_for(folder, web, network, **more)
    start.use(settings, "test")
    migrations.upgrade()
    service = processes.Service(settings, [demo.simulator_for(settings, network)])
    env = start.environment(settings, service.valkey.url if service.valkey else settings.redis_url)
    try:
        service.supervisor.start()
        yield Running(service, Scene(settings.public_url, f"http://127.0.0.1:{network}", env, folder))
    finally:
        service.stop()
        runtime._settings = before[0]
        runtime._made.clear()
        runtime._made.update(before[1])
