"""A clinic's own cadence, from the file to the coming visits."""

import json
import os
import sqlite3
import subprocess
from datetime import UTC, datetime, timedelta

import pytest

from tests.commands import completed

FILE = """
name = "ours"

[[steps]]
name = "day_before"
before = "1 day"
at = "10:00"
text = "reminder_far"
"""


@pytest.fixture
def run(tmp_path):
    env = {
        "PATH": os.environ["PATH"],
        "TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
        "TWILIO_AUTH_TOKEN": "a token of the tests",
        "WARMTHREAD_PUBLIC_URL": "https://clinic.example",
        "WARMTHREAD_DATA_DIR": str(tmp_path / "data"),
    }

    def command(*words: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        ended = completed(words, env)
        assert ended.returncode == code, ended.stderr
        return ended

    command("clinic", "create", "--name", "Elm", "--zone", "America/Denver", "--number", "+13035550100")
    return command


def test_a_cadence_is_applied_to_the_visits_that_are_coming(run, tmp_path):
    starts = datetime.now(UTC) + timedelta(days=20)
    (tmp_path / "patients.csv").write_text("record,first_name,last_name,phone\n1,Ana,Prueba,+13035550101\n")
    (tmp_path / "visits.csv").write_text(f"visit,patient,starts_at\nV1,1,{starts:%Y-%m-%dT%H:%M:%SZ}\n")
    (tmp_path / "ours.toml").write_text(FILE)
    run("patients", "import", str(tmp_path / "patients.csv"))
    run("appointments", "import", str(tmp_path / "visits.csv"))
    applied = json.loads(run("cadence", "apply", str(tmp_path / "ours.toml"), "--json").stdout)
    assert [(row["version"], row["visits"]) for row in applied] == [(1, 1)]
    planned = json.loads(run("appointments", "plan", "--json").stdout)
    assert [row["step"] for row in planned if row["state"] == "planned"] == ["day_before"]
    assert json.loads(run("cadence", "show").stdout)["name"] == "ours"
    again = json.loads(run("cadence", "apply", str(tmp_path / "ours.toml"), "--json").stdout)
    assert again[0]["version"] == 2


def test_a_preview_is_the_plan_of_a_made_up_visit(run, tmp_path):
    (tmp_path / "ours.toml").write_text(FILE)
    made_up = ("--visit-at", "2026-03-10T14:00", "--booked-at", "2026-02-01T00:00:00Z", "--json")
    shown = json.loads(run("cadence", "preview", str(tmp_path / "ours.toml"), *made_up).stdout)
    assert [(row["step"], row["at"]) for row in shown] == [("day_before", "2026-03-09T16:00:00Z")]
    assert len(json.loads(run("cadence", "preview", *made_up).stdout)) == 3
    run("cadence", "preview", "--visit-at", "tomorrow", code=2)
    spanish = FILE + 'when = ["language:es"]\n[[kinds.group]]\nname = "eve"\nbefore = "1 day"\ntext = "reminder_day"\n'
    (tmp_path / "spanish.toml").write_text(spanish)
    preview = ("cadence", "preview", str(tmp_path / "spanish.toml"), *made_up)
    assert json.loads(run(*preview).stdout)[0]["at"] is None
    assert json.loads(run(*preview, "--language", "es").stdout)[0]["at"] == "2026-03-09T16:00:00Z"
    assert [row["step"] for row in json.loads(run(*preview, "--kind", "Group").stdout)] == ["eve"]


def test_a_preview_is_told_how_the_visit_went(run, tmp_path):
    missed = '[[steps]]\nname = "missed"\nafter = "1 day"\nwhen = ["no_show"]\ntext = "missed_visit"\n'
    (tmp_path / "ours.toml").write_text(FILE + missed)
    made_up = ("--visit-at", "2026-03-10T14:00", "--booked-at", "2026-02-01T00:00:00Z", "--json")
    preview = ("cadence", "preview", str(tmp_path / "ours.toml"), *made_up)

    def leaving(*options):
        return [row["step"] for row in json.loads(run(*preview, *options).stdout) if row["at"]]

    assert leaving() == leaving("--marked", "no_show") == ["day_before", "missed"]
    assert leaving("--marked", "arrived") == ["day_before"]
    assert leaving("--confirmed", "--marked", "arrived") == []
    run(*preview, "--marked", "cancelled", code=2)


def test_a_preview_keeps_to_the_hours_that_the_clinic_leaves_whatever_window_a_step_has(run, tmp_path):
    rules = {"quiet_hours": {"start": "13:00", "end": "09:00"}}
    [file] = (tmp_path / "data").glob("*.sqlite3")
    with sqlite3.connect(file) as database:
        database.execute("UPDATE clinic SET rules = ?", [json.dumps(rules)])
    (tmp_path / "ours.toml").write_text(FILE + 'window = { start = "08:00", end = "20:00" }\n')
    made_up = ("--visit-at", "2026-03-10T18:00", "--booked-at", "2026-02-01T00:00:00Z", "--json")
    [row] = json.loads(run("cadence", "preview", str(tmp_path / "ours.toml"), *made_up).stdout)
    hour = int(row["local"][11:13])
    assert 9 <= hour < 13


def test_the_cadence_shown_is_a_file_to_start_from_and_its_schema_is_printed(run, tmp_path):
    (tmp_path / "shown.toml").write_text(run("cadence", "show", "--toml").stdout)
    assert run("cadence", "check", str(tmp_path / "shown.toml")).stderr == "shown.toml: 3 steps, no mistake.\n"
    assert json.loads(run("cadence", "schema").stdout)["title"] == "Warmthread cadence"


def test_a_cadence_with_unknown_words_or_instruments_is_not_applied(run, tmp_path):
    wrong = FILE.replace("reminder_far", "reminder_never") + 'intake = ["phq99"]\n'
    (tmp_path / "wrong.toml").write_text(wrong)
    for verb in ("check", "apply"):
        complaint = run("cadence", verb, str(tmp_path / "wrong.toml"), code=3).stderr
        assert "no text reminder_never" in complaint
        assert "no instrument phq99" in complaint
    assert json.loads(run("cadence", "show").stdout)["name"] == "default"


def test_a_file_that_is_no_toml_is_named_with_line_and_column(run, tmp_path):
    (tmp_path / "ours.toml").write_text(FILE.replace('"10:00"', "10 o'clock"))
    assert (
        "line 7: file: column 9: this is not TOML"
        in run("cadence", "check", str(tmp_path / "ours.toml"), code=3).stderr
    )
