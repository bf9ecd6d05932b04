"""The second reader's weights are taken away and damaged while the service serves: real processes, files that go."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.waiting import PATIENCE

ROOT = Path(__file__).parents[2]
ROOMS = ("config", "messaging", "intake_links", "reminders", "webhooks", "portal", "web", "service", "simulator")
OFF = "the second reading is off"


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a service said of itself and did with texts; it runs from a copy, so that nobody else loses the weights."""
    folder = tmp_path_factory.mktemp("walk")
    house = folder / "house"
    for room in ROOMS:
        shutil.copytree(ROOT / room, house / room, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(Path(__file__).with_name("without_weights.py"), house)
    env = {name: value for name, value in os.environ.items() if not name.startswith("WARMTHREAD_")}
    ended = subprocess.run(
        [sys.executable, "without_weights.py", str(folder)],
        cwd=house,
        env=env | {"PYTHONPATH": str(house)},
        capture_output=True,
        text=True,
        timeout=10 * PATIENCE,
    )
    assert ended.returncode == 0, ended.stderr[-2000:]
    said: dict[str, Any] = json.loads(ended.stdout.strip().splitlines()[-1])
    return said


def test_whole_weights_read_and_the_service_says_nothing_of_them(seen: dict[str, Any]) -> None:
    assert (seen["whole"]["kind"], seen["whole"]["off"]) == ("reply", None)
    assert not any(reason.startswith("worry") for reason in seen["whole"]["reason"])
    assert not any(said.startswith(OFF) for said in seen["whole"]["ready"])


def test_without_weights_every_free_text_is_read_within_minutes_and_the_operator_is_told(seen: dict[str, Any]) -> None:
    assert seen["removed"]["off"] == "missing"
    assert seen["removed"]["reason"][0] == "worry_unread"
    assert f"{OFF}: weights_missing" in seen["removed"]["ready"]
    assert seen["removed"]["ready"][0] in ("degraded", "not ready")


def test_without_weights_the_rules_go_on(seen: dict[str, Any]) -> None:
    assert seen["sure"]["kind"] == "safety"


def test_weights_that_come_back_are_used_without_a_restart(seen: dict[str, Any]) -> None:
    assert seen["back"]["off"] is None
    assert not any(reason.startswith("worry") for reason in seen["back"]["reason"])


def test_damaged_weights_are_not_believed(seen: dict[str, Any]) -> None:
    assert seen["damaged"]["off"] == "misfit"
    assert seen["damaged"]["reason"][0] == "worry_unread"
    assert f"{OFF}: weights_changed" in seen["damaged"]["ready"]
