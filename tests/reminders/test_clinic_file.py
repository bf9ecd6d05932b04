"""One file holds what a clinic decides: out and in again it changes nothing, and each mistake has its line."""

import json
from typing import Any

import pytest

from config import db
from messaging.models import Clinic
from messaging.versions import publishing, toml_positions
from reminders import clinic_file, decision_kinds
from tests.reminders.conftest import World

GOOD = """[clinic]
name = "Larkspur East"
zone = "America/Denver"
phone = "+13035550101"

[[clinic.sites]]
name = "Elm House"
zone = "America/Phoenix"

[schedule]
[[schedule.asks]]
name = "annual"
instruments = ["phq2"]
every = "12 months"
"""


def drafts(world: World, text: str) -> list[str]:
    with db.unit_of_work(world.clinic.id) as session:
        clinic = session.get_one(Clinic, world.clinic.id)
        return clinic_file.draft(session, clinic, text, "operator:test")


def exported(world: World) -> str:
    with db.unit_of_work(world.clinic.id, read_only=True) as session:
        return clinic_file.export(session, session.get_one(Clinic, world.clinic.id))


def refused(text: str) -> list[str]:
    with pytest.raises(clinic_file.BadFile) as bad:
        clinic_file.parse(text)
    return [str(problem) for problem in bad.value.problems]


def test_what_is_exported_is_read_back_and_differs_in_nothing(world):
    text = exported(world)
    assert set(clinic_file.parse(text)) == set(decision_kinds.KINDS)
    assert drafts(world, text) == []


def test_a_file_becomes_drafts_and_nothing_holds_by_that(world):
    assert drafts(world, GOOD) == ["clinic", "schedule"]
    with db.unit_of_work(world.clinic.id) as session:
        clinic = session.get_one(Clinic, world.clinic.id)
        assert clinic.name == "Larkspur Clinic"
        assert publishing.live(session, clinic.id, "clinic") is None
        draft = publishing.draft(session, clinic.id, "clinic")
        assert draft is not None
        publishing.publish(session, clinic, decision_kinds.KINDS["clinic"], edit=draft.edit, actor="operator")
        assert clinic.name == "Larkspur East"
    assert 'name = "Elm House"' in exported(world)


def test_where_somebody_works_on_a_draft_nothing_at_all_is_kept(world):
    drafts(world, GOOD.split("[schedule]")[0])
    with pytest.raises(clinic_file.BadFile, match="somebody is working") as bad:
        drafts(world, GOOD)
    assert [(problem.field, problem.line) for problem in bad.value.problems] == [("clinic", 1)]
    with db.unit_of_work(world.clinic.id, read_only=True) as session:
        assert publishing.draft(session, world.clinic.id, "schedule") is None


def test_every_mistake_has_its_line():
    wrong = GOOD.replace("America/Phoenix", "America/Fenix").replace("12 months", "often")
    wrong = wrong.replace("+13035550101", "12") + "[rotas]\n"
    assert [line.split(":")[:2] for line in refused(wrong)] == [
        ["line 4", " clinic.phone"],
        ["line 8", " clinic.sites[0].zone"],
        ["line 14", " schedule.asks[0].every"],
        ["line 15", " rotas"],
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[clinic]\nname = \n", "line 2: file: column 8: this is not TOML: Invalid value"),
        ("[clinic]\nname = 'x", "line 2: file: column 10: this is not TOML: "),
        ("clinic = 3\n", "line 1: clinic: expected a table, [clinic]"),
        ("", "it decides nothing"),
        ("# x\n" * 300_000, "more than"),
    ],
)
def test_what_is_no_file_says_where_and_what(text, said):
    assert said in refused(text)[0]


def test_the_schema_is_made_from_the_models():
    schema = clinic_file.schema()
    assert set(schema["properties"]) == set(decision_kinds.KINDS)
    assert schema["properties"]["clinic"]["properties"]["sites"]["items"] == {"$ref": "#/$defs/clinic.Site"}
    names = json.dumps(schema)
    definitions: dict[str, Any] = schema["$defs"]
    for part in names.split('"$ref": "#/$defs/')[1:]:
        assert part.split('"')[0] in definitions


@pytest.mark.parametrize(
    ("field", "line"),
    [
        ("a", 1),
        ("b.c", 3),
        ("b.missing", 2),
        ("d[1].e", 8),
        ("d[1].f[0].g", 10),
        ("d[7].e", None),
        ("x", None),
    ],
)
def test_a_field_is_found_in_the_text(field, line):
    text = 'a = 1\n[b]\n"c" = 2 # c\n[[d]]\ne = 1\n\n[[d]]\ne = 2\n[[d.f]]\ng = 3\n'
    assert toml_positions.line_of(text, toml_positions.path_of(field)) == line
