"""The brakes from a terminal."""

import json

import pytest
from click.testing import CliRunner

from config import db
from messaging.delivery.brakes import braking
from service.cli import brakes, opening


@pytest.fixture(autouse=True)
def _begun(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "begin", lambda: None)


def run(*arguments: str, code: int = 0) -> str:
    result = CliRunner().invoke(brakes.brakes, list(arguments))
    assert result.exit_code == code, result.output
    return result.output


def test_a_brake_is_pulled_shown_and_released(clinic):
    assert "Nothing is held back" in run("show")
    assert "are held back" in run("pull", "reminder")
    assert "held back before" in run("pull", "reminder")
    (row,) = json.loads(run("show", "--json"))
    assert (row["kind"], row["held"], row["by"].partition(":")[0]) == ("reminder", 0, "operator")
    assert "go again" in run("release", "reminder")
    assert "were not held back" in run("release", "reminder")


@pytest.mark.parametrize("kind", ["crisis", "staff_alert", "handoff", "stopped", "everything"])
def test_what_safety_hangs_on_cannot_even_be_said(clinic, kind):
    assert "is not one of" in run("pull", kind, code=2)
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        assert braking.pulled(session, clinic.id) == {}
