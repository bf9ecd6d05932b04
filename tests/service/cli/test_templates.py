"""`warmthread templates check`: the shipped words, each clinic's own, and a file; exit 3 for what may not be texted."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from config import db
from config.settings import SettingsError
from messaging.models import Clinic
from messaging.versions.models import Version
from messaging.wording import clinic_words
from service.cli import opening, templates
from tests.messaging.wording.test_clinic_words import say


@pytest.fixture
def run(clinic: Clinic, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Runs the command beside a clinic; with `text` on a file that holds it."""
    monkeypatch.setattr(opening, "begin", lambda: None)

    def run(text: str | bytes | None = None) -> Result:
        file = tmp_path / "words.toml"
        file.write_bytes(text.encode() if isinstance(text, str) else text or b"")
        return CliRunner().invoke(templates.templates, ["check", "--json", *([str(file)] if text else [])])

    return run


def test_the_shipped_words_and_published_ones_have_no_problem(run, clinic):
    say(clinic, "late", "Take your time, {first_name}.")
    checked = run()
    assert (checked.exit_code, json.loads(checked.stdout)) == (0, [])


def test_words_that_were_published_before_a_rule_are_found(run, clinic):
    say(clinic, "late", "Take your time, {first_name}.")
    with db.unit_of_work(clinic.id) as session:
        newest = session.query(Version).order_by(Version.number.desc()).first()
        newest.definition = {"en": {"late": "About your depression", "gone": "x"}}
    checked = run()
    assert checked.exit_code == 3
    (row,) = json.loads(checked.stdout)
    assert (row["where"], row["text"]) == (clinic.name, "en.late")
    assert "“depression” (character 12)" in row["problem"]


@pytest.mark.parametrize(
    ("text", "line", "field"),
    [
        ('[en]\nlate = "About your depression"\n', 2, "en.late"),
        ('[es]\n\nlate = "Hola {link}"\n', 3, "es.late"),
        ('[en]\nlaet = "x"\n', 2, "en.laet"),
        ('[en]\nreminder_hours = "We see you today, {time}"\n', 2, "en.reminder_hours"),
        ("[en", 1, "file"),
        ("[en]\nlate = Take your time\n", 2, "file"),
        (b'[en]\nlate = "\xff"\n', None, ""),
    ],
)
def test_a_mistake_in_a_file_is_named_with_its_line(run, text, line, field):
    checked = run(text)
    assert checked.exit_code == 3
    (row,) = json.loads(checked.stdout)
    assert (row["line"], row["text"]) == (line, field)


def test_a_day_that_is_right_on_one_day_only_is_to_be_written_as_its_place(run):
    (row,) = json.loads(run('[es]\nreminder_hours = "Le esperamos hoy, {time}"\n').stdout)
    assert row["problem"] == "“hoy” (character 14) is right on one day only: write {day}"


def test_a_file_made_from_a_clinics_words_is_well(run):
    definition = clinic_words.read({"en": {"late": "Take your time"}, "es": {"late": "Venga cuando pueda. 😊"}})
    assert run(clinic_words.toml(definition)).exit_code == 0


def test_without_settings_the_shipped_words_are_checked_all_the_same(run, monkeypatch):
    def nothing() -> None:
        raise SettingsError(["TWILIO_ACCOUNT_SID is missing"])

    monkeypatch.setattr(opening, "begin", nothing)
    checked = run()
    assert checked.exit_code == 0
    assert "no clinic's own words" in checked.stderr
