"""Does to the stage what the plan says, at its times."""

import json
import signal
import time
import urllib.request
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from tools.faults.plan import Fault
from tools.faults.stage import Stage

EVERY_SECONDS = 0.05


def act(stage: Stage, faults: Iterable[Fault], began: float) -> None:
    """Meet each fault at its time after `began` (monotonic seconds), and end it; returns when all have ended."""
    steps = sorted(_steps(stage, faults), key=lambda step: step[0])
    for at, step in steps:
        while time.monotonic() < began + at:
            stage.poll()
            time.sleep(EVERY_SECONDS)
        step()
    calm(stage)


def calm(stage: Stage) -> None:
    """End whatever may still be in force."""
    for name in stage.supervisor.status():
        stage.send(name, signal.SIGCONT, group=True)
    network(stage, "DELETE", "/sim/faults")
    stage.clock.leap(0)
    stage.disk.free()
    if stage.wire:
        stage.wire.mend()
    if stage.sessions:
        stage.sessions.give_back()
    if stage.postgresql:
        stage.start_database()


def network(stage: Stage, method: str, path: str, body: Any = None) -> Any:
    """Ask the phone network's own interface."""
    data = None if body is None else json.dumps(body).encode()
    address, headers = stage.scene.network + path, {"Content-Type": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(address, data, headers, method=method), timeout=60) as answer:  # noqa: S310 - an address of this machine
        content = answer.read()
    return json.loads(content) if content else None


def _steps(stage: Stage, faults: Iterable[Fault]) -> list[tuple[float, Callable[[], object]]]:
    steps: list[tuple[float, Callable[[], object]]] = []
    for fault in faults:
        begin, end = _ways(stage, fault)
        steps.append((fault.at, begin))
        if end:
            steps.append((fault.ends, end))
    return steps


def _ways(stage: Stage, fault: Fault) -> tuple[Callable[[], object], Callable[[], object] | None]:
    if fault.target == "postgresql":
        return _at_postgresql(stage)[fault.act]
    send, ask = partial(stage.send, fault.target), partial(network, stage)
    ways: dict[str, tuple[Callable[[], object], Callable[[], object] | None]] = {
        "kill": (partial(send, signal.SIGKILL, group=False), None),
        "freeze": (partial(send, signal.SIGSTOP, group=True), partial(send, signal.SIGCONT, group=True)),
        "flush": (stage.flush, None),
        "storm": (partial(ask, "PUT", "/sim/faults", list(fault.rules)), partial(ask, "DELETE", "/sim/faults")),
        "fill": (stage.disk.fill, stage.disk.free),
        "leap": (partial(stage.clock.leap, fault.by), partial(stage.clock.leap, 0)),
    }
    return ways[fault.act]


def _at_postgresql(stage: Stage) -> dict[str, tuple[Callable[[], object], Callable[[], object] | None]]:
    assert stage.sessions
    ways: dict[str, tuple[Callable[[], object], Callable[[], object] | None]] = {
        "stop": (stage.stop_database, stage.start_database),
        "sever": (stage.sessions.sever, None),
        "exhaust": (stage.sessions.exhaust, stage.sessions.give_back),
    }
    return ways | ({"cut": (stage.wire.cut, stage.wire.mend)} if stage.wire else {})
