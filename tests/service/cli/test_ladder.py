"""`warmthread ladder`: a policy is shown, checked and applied, and one with a coverage gap is refused with exit 3."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select

from config import db
from messaging.inbox.routing import policy_definition, policy_file
from messaging.models import Clinic, Staff
from messaging.versions import publishing as versions
from service.cli import ladder, opening

GOOD = """fallback = ["ines@clinic.example"]
repeat = 7
[on_call]
"ines@clinic.example" = "Sat-Sun all day"
[[call]]
name = "Dr Wu"
phone = "+13035550177"
"""


@pytest.fixture
def run(
    clinic: Clinic, new_staff: Callable[..., Staff], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Result]:
    """Runs the command on a clinic where Ines works; FILE stands for a file with `text`."""
    monkeypatch.setattr(opening, "begin", lambda: None)
    new_staff("Ines", email="ines@clinic.example")

    def run(verb: str, text: str | None = None) -> Result:
        file = tmp_path / "ladder.toml"
        file.write_text(text or "")
        return CliRunner().invoke(ladder.ladder, [verb, *([str(file)] if text else [])])

    return run


def test_what_is_applied_is_shown_and_can_be_applied_again(run, clinic):
    assert run("check", GOOD).exit_code == 0
    assert run("apply", GOOD).exit_code == 0
    shown = run("show")
    assert policy_file.parse(shown.stdout) == policy_file.parse(GOOD)
    assert shown.stderr == ""
    assert run("apply", shown.stdout).exit_code == 0


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("repeat = 7", "repeat = soon", "line 2: file: column 10: this is not TOML: Invalid value"),
        ("repeat = 7", "repeat = 0", "line 2: repeat"),
        ("repeat = 7", "repeat = 45", "at most 30 minutes"),
        ("ines@clinic.example", "nobody@clinic.example", "nobody active here"),
        ("[[call]]", "[safety]\nanswer = 40\n[[call]]", "line 6: safety.answer: at most 30 minutes"),
    ],
)
def test_a_mistake_or_a_hole_is_named_and_nothing_changes(run, clinic, old, new, message):
    for verb in ("check", "apply"):
        ended = run(verb, GOOD.replace(old, new))
        assert ended.exit_code == 3
        assert message in ended.stderr
    with db.unit_of_work(db.EVERY) as session:
        assert session.get_one(Clinic, clinic.id).rules == {}


def test_a_clinic_that_has_decided_nothing_is_told_what_is_missing(run):
    shown = run("show")
    assert policy_file.parse(shown.stdout) == policy_definition.EscalationPolicy()
    assert "# fallback: name at least one colleague" in shown.stderr


def test_what_could_silence_an_alert_waits_for_somebody_else_with_exit_4(run, clinic):
    assert run("apply", GOOD).exit_code == 0
    with db.unit_of_work(db.EVERY) as session:
        for colleague in session.scalars(select(Staff)):
            colleague.password_hash = "x"
    slower = GOOD.replace("repeat = 7", "repeat = 9")
    ended = run("apply", slower)
    assert ended.exit_code == 4
    assert "everyone is told again every 9 minutes instead of every 7" in ended.stderr
    with db.unit_of_work(db.EVERY) as session:
        waiting = versions.draft(session, clinic.id, "rules")
        assert (waiting.state, waiting.definition["repeat"]) == ("asked", 9)
        assert session.get_one(Clinic, clinic.id).rules["rung_minutes"] == 7
    again = run("apply", GOOD)
    assert again.exit_code == 1
    assert "somebody is working on a draft" in again.output


def test_a_rule_that_names_no_band_is_refused_with_its_line(run):
    rule = '[[route]]\nname = "x"\nto = "on_duty"\ninstrument = "phq9"\nband = "grave"\n'
    ended = run("check", GOOD + rule)
    assert ended.exit_code == 3
    assert "line 12: route[0].band: phq9 has the bands minimal, mild, moderate" in ended.stderr
