"""`warmthread reading report` on both readers: crises found, ordinary texts flagged, with their intervals."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from messaging.reading import likeness
from service.cli import reading as reports

HEADED = (
    "# crisis ideation explicit en\nI want to die\n"
    "# crisis overdose indirect en\nbottle is empty now just waiting\n"
    "# ordinary idiom hard es\nme muero de ganas de verla el martes\n"
    "# everyday mixed\nok thanks, nos vemos el lunes\n"
)


@pytest.fixture
def headed(tmp_path: Path) -> Path:
    (tmp_path / "ours.txt").write_text(HEADED, encoding="utf-8")
    return tmp_path


def run(*args: str) -> str:
    result = CliRunner().invoke(reports.reading, ["report", *args])
    assert result.exit_code == 0, result.output
    return result.output


def test_it_tells_what_each_reader_and_both_find(headed: Path) -> None:
    report = json.loads(run(str(headed), "--json"))
    read = likeness.read("")
    assert report["weights"] == (read.version if read else None)
    shares = {(row["texts"], row["group"], row["by"]): row for row in report["tiers"]}
    plain = shares["crisis", "kind ideation explicit", "crisis"]
    assert (plain["flagged"], plain["of"], round(plain["low"], 3), plain["high"]) == (1, 1, 0.207, 1.0)
    assert shares["crisis", "all", "rules"]["of"] == 2
    assert shares["crisis", "indirect", "reader"]["flagged"] == 1
    assert shares["ordinary", "everyday mixed", "either"] | {"low": 0, "high": 0} == {
        "part": "ours",
        "texts": "ordinary",
        "group": "everyday mixed",
        "by": "either",
        "flagged": 0,
        "of": 1,
        "low": 0,
        "high": 0,
    }


def test_it_is_a_table_for_people(headed: Path) -> None:
    printed = run(str(headed))
    assert "ours: crises found" in printed
    assert "ours: ordinary texts flagged" in printed
    assert "1/1 = 1.000 (0.207-1.000)" in printed
    assert "sentences" not in printed


def test_sentences_of_the_rules_are_measured_by_both_too(tmp_path: Path) -> None:
    kinds = '[[kind]]\nname = "ours"\ncrisis = true\ntexts = ["I want to die"]\n'
    kinds += '[[kind]]\nname = "about"\ntopics = ["billing"]\ntexts = ["my bill is too high"]\n'
    (tmp_path / "clinic.en.toml").write_text(kinds, encoding="utf-8")
    rows = json.loads(run(str(tmp_path), "--json"))["tiers"]
    assert {(row["part"], row["texts"], row["of"]) for row in rows} == {("clinic", "crisis", 1)}
    assert [row["flagged"] for row in rows if row["group"] == "all"] == [1] * 5


def test_a_heading_that_is_none_is_a_mistake(tmp_path: Path) -> None:
    (tmp_path / "ours.txt").write_text("I want to die\n", encoding="utf-8")
    result = CliRunner().invoke(reports.reading, ["report", str(tmp_path)])
    assert result.exit_code == 2
    assert "ours.txt: no heading" in result.output
