"""Texts survive: a carrier that accepts and then fails or goes silent, and workers killed at random moments."""

import csv
import json
import os
import random
import signal
import time
import urllib.request
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from config import clock
from service.cli.walk import day
from tests.waiting import PATIENCE, until
from tests.walks.kit import Running

TEXTS = 300
FAULTS = {
    "latency_ms": 250,
    "rules": [
        {"answer": "accept_then_timeout", "hang_s": 20, "count": 6, "probability": 0.05, "seed": 1},
        {"answer": "accept_then_500", "probability": 0.08, "seed": 2},
        {"answer": "503", "probability": 0.06, "seed": 3},
        {"answer": "429", "probability": 0.05, "seed": 4},
        {"answer": "drop", "probability": 0.03, "seed": 5},
        {"callbacks": "lose", "probability": 0.3, "seed": 6},
        {"callbacks": "duplicate", "probability": 0.1, "seed": 7},
        {"callbacks": "reverse", "probability": 0.1, "seed": 8},
    ],
}


def test_300_texts_none_lost_none_doubled(serve: Callable[..., Running]) -> None:
    running = serve(WARMTHREAD_SETTLE_SECONDS="4")
    set_faults(running)
    book(running)
    kill_at_random(running, seconds=10)
    accepted = wait_for_all(running)
    assert len(accepted) == TEXTS
    assert {number: count for number, count in accepted.items() if count > 1} == {}
    wait_for_ticks(running, 4)  # nothing more may come after all have arrived
    assert counted(running) == accepted


def set_faults(running: Running) -> None:
    data = json.dumps(FAULTS).encode()
    headers = {"Content-Type": "application/json"}
    urllib.request.urlopen(
        urllib.request.Request(f"{running.scene.network}/sim/faults", data, headers, method="PUT"),
        timeout=PATIENCE,
    ).close()


def numbers() -> list[str]:
    # 555-0100 to 555-0189 of four area codes; the last ten of each are the simulator's magic numbers.
    return [f"+1{area}555{line:04}" for area in (303, 415, 512, 617) for line in range(100, 190)][:TEXTS]


def book(running: Running) -> None:
    scene = running.scene
    scene.command("clinic", "create", "--name", day.CLINIC, "--zone", day.ZONE, "--number", day.NUMBER)
    patients, visits = Path(scene.folder, "p.csv"), Path(scene.folder, "v.csv")
    with patients.open("w", newline="") as people:
        first = csv.writer(people)
        first.writerow(("record", "first_name", "last_name", "phone", "birth_date"))
        first.writerows((index, f"Name{index}", "Test", number, "1980-01-01") for index, number in enumerate(numbers()))
    assert scene.command("patients", "import", str(patients))[0]["created"] == TEXTS
    # Only now: whose time has passed before the visits are booked is not reminded.
    starts = clock.now().astimezone(ZoneInfo(day.ZONE)).replace(tzinfo=None) + timedelta(days=1, seconds=20)
    booked = (clock.now() - timedelta(days=9)).isoformat(timespec="seconds")
    with visits.open("w", newline="") as times:
        second = csv.writer(times)
        second.writerow(("visit", "patient", "starts_at", "zone", "booked_at"))
        second.writerows(
            (f"V{index}", index, starts.isoformat(timespec="seconds"), day.ZONE, booked) for index in range(TEXTS)
        )
    assert scene.command("appointments", "import", str(visits))[0]["created"] == TEXTS


def kill_at_random(running: Running, seconds: float) -> None:
    # The one that sends is killed without warning, whoever it is: the worker with its horse, or the ticker.
    wait_until_the_first_leaves(running)
    chance, end = random.Random(11), time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(chance.uniform(0.2, 0.9))
        running.service.supervisor.poll()
        pid = running.pid(chance.choice(("worker.bulk", "worker.bulk", "ticker")))
        if pid:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        running.service.supervisor.poll()


def wait_until_the_first_leaves(running: Running) -> None:
    running.scene.soon(lambda: counted(running) or None, "the first text")


def wait_for_all(running: Running) -> Counter[str]:
    def arrived() -> Counter[str] | None:
        running.service.supervisor.poll()
        accepted = counted(running)
        return accepted if len(accepted) == TEXTS and not owed(running) else None

    # Who was killed often is started again after up to half a minute, and what is in doubt waits its time.
    accepted = until(arrived, f"{TEXTS} texts", within=15 * 60, pause=0.5)
    assert accepted is not None
    return accepted


def wait_for_ticks(running: Running, count: int) -> None:
    """Until the ticker has gone round `count` times more, and every lane was looked at."""
    for _ in range(count):
        began = time.time()

        def ticked(began: float = began) -> bool:
            running.service.supervisor.poll()
            return time.time() - figure(running, "warmthread_tick_age_seconds") > began

        until(ticked, "the ticker")


def counted(running: Running) -> Counter[str]:
    with urllib.request.urlopen(f"{running.scene.network}/sim/messages", timeout=PATIENCE) as answer:
        messages = json.loads(answer.read())["messages"]
    return Counter(message["to"] for message in messages)


def owed(running: Running) -> bool:
    """Whether a row still waits: our own figures say so."""
    return figure(running, 'warmthread_lane_oldest_seconds{lane="deliver') > 0


def figure(running: Running, name: str) -> float:
    """The largest of our own figures whose name begins so."""
    with urllib.request.urlopen(f"{running.scene.service}/metrics", timeout=PATIENCE) as answer:
        lines = answer.read().decode().splitlines()
    return max(float(line.split()[-1]) for line in lines if line.startswith(name))
