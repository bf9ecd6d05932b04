"""A registry from a spreadsheet: each row an episode as the page would have made it, or a reason at its column."""

import csv
import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner

from caseload import registry_import
from caseload.models import Episode
from config import clock
from messaging.models import Patient
from reminders.imports import csv_import
from service.cli import opening, registry
from tests.web.caseload.seeding import Scene, answer, with_registry

# By a short name, the column as a clinic's spreadsheet calls it.
HEAD = {
    "record": "MRN",
    "name": "Patient Name",
    "born": "DOB",
    "enrolled": "Enrollment Date",
    "consent": "Consent",
    "cost": "Cost sharing",
    "manager": "BHCM",
    "clinician": "PCP",
    "payer": "Insurance",
    "first": "Initial PHQ-9",
    "first_on": "Initial PHQ-9 date",
    "last": "Last PHQ-9",
    "last_on": "Last PHQ-9 date",
    "phase": "Status",
    "check": "Next follow up",
    "ended": "Discharge date",
    "why": "Discharge reason",
}


@pytest.fixture
def scene(house: Any) -> Any:
    return with_registry(house)


def today(scene: Scene) -> date:
    return clock.now().astimezone(ZoneInfo(scene.house.clinic.zone)).date()


def ago(scene: Scene, days: int) -> str:
    return (today(scene) - timedelta(days=days)).strftime("%m/%d/%Y")


def row(scene: Scene, patient: Patient | None, **changed: str) -> dict[str, str]:
    """A row that is right: enrolled sixty days ago, from 16 to 8."""
    good = {
        "record": patient.record or "" if patient else "",
        "enrolled": ago(scene, 60),
        "consent": "Verbal",
        "cost": "yes",
        "manager": scene.rosa.email.upper(),
        "clinician": "dr.  ames",
        "payer": "Medicare",
        "first": "16",
        "first_on": ago(scene, 58),
        "last": "8",
        "last_on": ago(scene, 3),
    }
    return good | changed


def take(scene: Scene, folder: Path, *rows: dict[str, str], dry_run: bool = False) -> tuple[Any, list[tuple[str, str]]]:
    """Import these rows; return the tally, and the line and reason of rows not taken."""
    path, errors = folder / "registry.csv", folder / "errors.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEAD.values())
        writer.writerows([each.get(name, "") for name in HEAD] for each in rows)
    errors.unlink(missing_ok=True)
    result = csv_import.import_file(
        registry_import.NAME, scene.house.clinic.id, path, dry_run=dry_run, errors_path=errors
    )
    if not errors.exists():
        return result, []
    with errors.open() as file:
        return result, [(line[0], line[1]) for line in csv.reader(file)][1:]


def test_a_registry_from_a_spreadsheet_stands_in_the_table(scene: Any, tmp_path: Path) -> None:
    patient, gone = scene.house.patient(first_name="Walter"), scene.house.patient(first_name="Gone")
    ended = {"ended": ago(scene, 9), "why": "Lost to follow-up", "phase": "Discharged"}
    result, wrong = take(scene, tmp_path, row(scene, patient), row(scene, gone, **ended, last="", last_on=""))
    assert (result.created, wrong) == (2, [])
    page = scene.browser.get("/caseload").text
    line = page.split("Walter")[1].split("</tr>")[0]
    assert "16 → <b>8</b>" in line
    assert "−8 (−50 %)" in line
    assert ">8 wk<" in line
    assert "Gone" not in page
    assert "Gone" in scene.browser.get("/caseload?phase=discharged").text
    first, second = scene.episodes()
    assert (first.consent, first.phase, first.manager_id) == ("verbal", "active", scene.rosa.id)
    assert (second.end_reason, second.ended_on) == ("lost", today(scene) - timedelta(days=9))
    assert b"16]" not in (first.imported_ct or b"16]")


def test_a_dry_run_writes_nothing_and_a_second_run_changes_nothing(scene: Any, tmp_path: Path) -> None:
    patient = scene.house.patient()
    assert take(scene, tmp_path, row(scene, patient), dry_run=True)[0].created == 1
    assert scene.episodes() == []
    assert take(scene, tmp_path, row(scene, patient))[0].created == 1
    result, wrong = take(scene, tmp_path, row(scene, patient))
    assert (result.unchanged, result.created, wrong) == (1, 0, [])
    result, wrong = take(scene, tmp_path, row(scene, patient, payer="Medicaid"))
    assert (result.unchanged, result.noted) == (1, 1)
    assert "differs in payer" in wrong[0][1]
    assert [episode.payer for episode in scene.episodes()] == ["medicare"]


WRONG: list[tuple[dict[str, str], str]] = [
    ({"enrolled": ""}, "enrolled_on: is empty"),
    ({"enrolled": "soon"}, "enrolled_on: expected a date"),
    ({"enrolled": "-1"}, "enrolled_on: is in the future"),
    ({"enrolled": "1/1/1999"}, "enrolled_on: expected a day from 2000 on"),
    ({"consent": ""}, "consent: is empty"),
    ({"consent": "perhaps"}, "consent: expected verbal or written"),
    ({"cost": "no"}, "cost_told: nobody is enrolled"),
    ({"payer": "gold"}, "payer: expected"),
    ({"manager": "Somebody Else"}, "manager: no colleague"),
    ({"clinician": "Dr. Silva"}, "clinician: no colleague"),
    ({"first": "28"}, "first_score: expected a whole number from 0 to 27"),
    ({"last": "-1"}, "last_score: expected a whole number"),
    ({"last": "8.5"}, "last_score: expected a whole number"),
    ({"last_on": ""}, "last_on: is empty, with a score beside it"),
    ({"first": ""}, "first_score: is empty, with a day beside it"),
    ({"first_on": "2"}, "last_on: is before first_on"),
    ({"first_on": "91"}, "first_on: is more than 30 days before the enrollment"),
    ({"last_on": "-1"}, "last_on: is after the discharge, or in the future"),
    ({"ended": "61", "why": "moved"}, "ended_on: is before the enrollment"),
    ({"ended": "-1", "why": "moved"}, "ended_on: is in the future"),
    ({"ended": "4", "why": "moved"}, "last_on: is after the discharge"),
    ({"ended": "2"}, "end_reason: is empty"),
    ({"phase": "discharged"}, "ended_on: is empty"),
    ({"phase": "active", "ended": "2", "why": "moved"}, "phase: active, but with a discharge"),
    ({"phase": "Relapse prevention"}, "check_on: is empty"),
    ({"record": "nobody"}, "record: no patient has this record number"),
    ({"record": ""}, "record: is empty, and without a birth date"),
]


def test_what_is_wrong_with_a_row_is_named_and_nothing_of_it_is_kept(scene: Any, tmp_path: Path) -> None:
    patient, days = scene.house.patient(), ("enrolled", "first_on", "last_on", "ended")
    rows = []
    for changed, _ in WRONG:
        said = {
            name: ago(scene, int(value)) if name in days and value.lstrip("-").isdecimal() else value
            for name, value in changed.items()
        }
        rows.append(row(scene, patient, **said))
    result, wrong = take(scene, tmp_path, *rows)
    assert result.failed == len(WRONG)
    by_line = sorted(wrong, key=lambda line: int(line[0]))
    for (changed, said), (_, why) in zip(WRONG, by_line, strict=True):
        assert said in why, changed
    assert scene.episodes() == []


def test_all_that_is_wrong_with_a_row_is_said_at_once(scene: Any, tmp_path: Path) -> None:
    both = {"phase": "discharged", "ended": ago(scene, 90), "why": ""}
    wrong_first = row(
        scene, scene.house.patient(), enrolled="soon", cost="", payer="?", first="99", last="x", check="then", **both
    )
    nobody = row(scene, None, record="nobody", manager="Nemo", clinician="Nobody")
    _, wrong = take(scene, tmp_path, wrong_first, nobody)
    columns = [[fault.partition(":")[0] for fault in why.split("; ")] for _, why in sorted(wrong)]
    assert columns == [
        ["enrolled_on", "cost_told", "payer", "first_score", "last_score", "end_reason", "check_on"],
        ["record", "manager", "clinician"],
    ]
    assert scene.episodes() == []


def test_the_command_says_how_many_and_where_the_reasons_stand(
    scene: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "begin", lambda: None)
    take(scene, tmp_path, row(scene, scene.house.patient()), row(scene, None, record="nobody"), dry_run=True)
    file = str(tmp_path / "registry.csv")
    answer = CliRunner().invoke(registry.caseload, ["import", file, "--json", "--clinic", scene.house.clinic.name])
    assert answer.exit_code == 3
    (told,) = json.loads(answer.stdout.splitlines()[-1])
    assert (told["created"], told["failed"]) == (1, 1)
    assert "no patient has this record number" in (tmp_path / "registry.errors.csv").read_text()
    assert CliRunner().invoke(registry.caseload, ["import", file, "--complete", "clinic"]).exit_code == 2


def test_nobody_is_open_twice_nor_in_two_episodes_at_once(scene: Any, tmp_path: Path) -> None:
    patient, other = scene.house.patient(), scene.house.patient()
    past = {"ended": ago(scene, 80), "why": "moved", "last": "", "last_on": "", "first": "", "first_on": ""}
    result, wrong = take(
        scene,
        tmp_path,
        row(scene, patient),
        row(scene, patient, enrolled=ago(scene, 20), first="", first_on=""),
        row(scene, patient, enrolled=ago(scene, 200), **past),
        row(scene, patient, enrolled=ago(scene, 150), **past),
        row(scene, other),
    )
    assert (result.created, result.failed) == (3, 2)
    assert "an episode of theirs is open already" in wrong[0][1]
    assert "overlaps the episode that began on" in wrong[1][1]


def test_whoever_has_no_record_number_is_found_by_name_and_birth_date(scene: Any, tmp_path: Path) -> None:
    born = {"birth_date": date(1980, 2, 29)}
    patient = scene.house.patient(first_name="Ana", last_name="Quill", **born)
    whose = {"name": "Quill, Ana", "born": "2/29/1980"}
    assert take(scene, tmp_path, row(scene, None, **whose))[0].created == 1
    assert [episode.patient_id for episode in scene.episodes()] == [patient.id]
    assert (
        "no patient has this name" in take(scene, tmp_path, row(scene, None, **whose | {"name": "Bo Quill"}))[1][0][1]
    )
    scene.house.patient(first_name="Ana", last_name="Quill", **born)
    assert "two patients have this name" in take(scene, tmp_path, row(scene, None, **whose))[1][0][1]


def test_a_form_of_the_same_day_knows_more_than_the_spreadsheet(scene: Any, tmp_path: Path) -> None:
    patient = scene.house.patient(first_name="Walter")
    take(scene, tmp_path, row(scene, patient))
    answer(scene.house, patient, 0, 4)
    answer(scene.house, patient, 3, 11)
    line = scene.browser.get("/caseload").text.split("Walter")[1].split("</tr>")[0]
    assert 'aria-label="PHQ-9: 16, 11, 4"' in line
    assert "16 → <b>4</b>" in line


def test_another_clinics_patients_and_colleagues_are_nobody(scene: Any, another_house: Any, tmp_path: Path) -> None:
    other = with_registry(another_house())
    theirs = other.house.patient()
    result, wrong = take(scene, tmp_path, row(scene, theirs))
    assert result.failed == 1
    assert "no patient has this record number" in wrong[0][1]
    assert scene.rows(Episode) == []
