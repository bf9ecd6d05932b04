"""`warmthread clinic export | import | schema`: a file goes out, comes back as drafts, and its mistakes end with 3."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from config import db
from messaging.models import Clinic
from messaging.versions import publishing
from service.cli import clinics, opening


@pytest.fixture
def run(clinic: Clinic, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Runs the command; a text stands for a file with it."""
    monkeypatch.setattr(opening, "begin", lambda: None)

    def run(verb: str, text: str | None = None) -> Result:
        file = tmp_path / "clinic.toml"
        file.write_text(text or "", encoding="utf-8")
        return CliRunner().invoke(clinics.clinic, [verb, *([str(file)] if text is not None else [])])

    return run


def test_what_is_exported_is_imported_and_changes_nothing(run):
    text = run("export").stdout
    assert "[clinic]" in text
    again = run("import", text)
    assert again.exit_code == 0
    assert "Nothing in this file differs" in again.output


def test_a_changed_file_becomes_a_draft(run, clinic):
    text = run("export").stdout.replace(f'name = "{clinic.name}"', 'name = "Elm"')
    assert "clinic" in run("import", text).output
    with db.unit_of_work(clinic.id, read_only=True) as session:
        assert publishing.draft(session, clinic.id, "clinic") is not None
        assert session.get_one(Clinic, clinic.id).name == clinic.name


def test_a_mistake_ends_with_3_and_its_line(run):
    answer = run("import", "[clinic]\nzone = 3\n[cadence\n")
    assert answer.exit_code == 3
    assert "clinic.toml: line 3: file: column 9" in answer.stderr


def test_the_schema_is_json(run):
    assert set(json.loads(run("schema").stdout)["properties"]) >= {"clinic", "cadence", "schedule"}
