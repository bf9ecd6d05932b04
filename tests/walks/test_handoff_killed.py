"""A handoff whose processes are killed between its steps: the patient is told once, and nobody is forgotten."""

import json
import os
import signal
import urllib.request
from collections.abc import Callable
from contextlib import suppress

from service.cli.walk import day
from service.cli.walk.steps import Walk, import_a_day, sign_everyone_in
from tests.waiting import PATIENCE
from tests.walks.kit import Running

NAMED = ("worker.urgent", "worker.default", "ticker")


def kill(running: Running, *names: str) -> None:
    """End these processes without a warning; the supervisor starts them again."""
    running.service.supervisor.poll()
    for name in names:
        pid = running.pid(name)
        if pid:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def slow_carrier(running: Running) -> None:
    data, headers = json.dumps({"latency_ms": 600}).encode(), {"Content-Type": "application/json"}
    request = urllib.request.Request(f"{running.scene.network}/sim/faults", data, headers, method="PUT")
    urllib.request.urlopen(request, timeout=PATIENCE).close()


def test_who_sends_is_killed_after_each_step_and_the_patient_is_told_once(serve: Callable[..., Running]) -> None:
    running = serve(WARMTHREAD_SETTLE_SECONDS="4")
    walk = Walk(running.scene)
    for step in (import_a_day, sign_everyone_in):
        step(walk)
    slow_carrier(running)
    sam, rosa = walk.browsers["Sam"], walk.browsers["Rosa"]
    page = sam.get("/handoffs")
    sam.submit(page, page.form(action="/handoffs", having="record"), record=day.HERE.record, place="Room 4")
    kill(running, *NAMED)
    page = walk.scene.page_with(rosa, "/handoffs", day.HERE.first, "Offered to you")
    rosa.submit(page, page.form(action="/accept"))
    kill(running, *NAMED)  # accepted, and the text has not left

    def told() -> str | None:
        running.service.supervisor.poll()
        texts = [text["body"] for text in walk.scene.texts(day.HERE.number) if "expecting you" in text["body"]]
        return texts[0] if texts else None

    walk.scene.soon(told, "the patient's text")
    kill(running, *NAMED)
    walk.scene.type(day.HERE.number, "HERE")

    def there() -> bool | None:
        running.service.supervisor.poll()
        return "They are there" in rosa.get("/handoffs").text or None

    walk.scene.soon(there, "the patient to be there")
    page = rosa.get("/handoffs")
    rosa.submit(page, page.form(action="/met"))
    walk.scene.page_with(sam, "/handoffs", "What became of those you asked for", day.HERE.first)
    ready = [text for text in walk.scene.texts(day.HERE.number) if "expecting you" in text["body"]]
    assert len(ready) == 1
