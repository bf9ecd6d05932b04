"""`warmthread reading report`, and what must hold on the sentences that no rule was written from."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from messaging.reading import read_reply
from service.cli import reading as reports

SENTENCES = list(reports.load(reports.CORPUS))
REPORT = reports.measure(iter(SENTENCES))


def _run(*args: str) -> str:
    result = CliRunner().invoke(reports.reading, ["report", *args])
    assert result.exit_code == 0, result.output
    return result.output


def test_the_report_tells_precision_recall_and_every_miss() -> None:
    printed = _run()
    assert "held_out, es: 366 sentences" in printed
    assert f"{len(REPORT.misses)} read otherwise than a person would" in printed
    assert all(repr(miss.text) in printed for miss in REPORT.misses)


def test_the_report_is_json_for_programs() -> None:
    report = json.loads(_run("--json"))
    assert report["version"] == read_reply.VERSION
    assert len(report["misses"]) == len(REPORT.misses)
    assert {row["language"] for row in report["classes"]} == {"en", "es"}


def test_a_clinic_measures_its_own_sentences(tmp_path: Path) -> None:
    kinds = '[[kind]]\nname = "ours"\ncrisis = true\ntexts = ["I want to die", "lovely weather"]\n'
    (tmp_path / "clinic.en.toml").write_text(kinds, encoding="utf-8")
    report = json.loads(_run(str(tmp_path), "--json"))
    assert [(row["class"], row["right"], row["missed"]) for row in report["classes"]] == [("crisis", 1, 1)]
    assert [miss["text"] for miss in report["misses"]] == ["lovely weather"]


def test_a_directory_without_sentences_is_a_mistake(tmp_path: Path) -> None:
    assert CliRunner().invoke(reports.reading, ["report", str(tmp_path)]).exit_code == 2


def test_the_sentences_kept_apart_stay_apart() -> None:
    trained = {sentence.text for sentence in SENTENCES if sentence.part == "trained" and len(sentence.text) > 24}
    assert not trained & {sentence.text for sentence in SENTENCES if sentence.part != "trained"}


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize(("label", "recall", "precision"), [("crisis", 0.95, 0.97), ("consent stop", 0.9, 0.97)])
def test_sentences_kept_apart_are_read_well_too(language: str, label: str, recall: float, precision: float) -> None:
    count = REPORT.counts["held_out", language, label]
    assert count.recall is not None
    assert count.recall >= recall
    assert count.precision is not None
    assert count.precision >= precision


def test_a_crisis_that_is_missed_is_still_left_for_a_human_to_read() -> None:
    crises = [sentence for sentence in SENTENCES if sentence.expected.get("crisis")]
    assert len(crises) >= 936
    left_to_nobody = []
    for sentence in crises:
        read = read_reply.read(sentence.text, sentence.language)
        if not (read.crisis or (read.content and not read.thanks)):
            left_to_nobody.append((sentence, read.why))
    assert left_to_nobody == []


@pytest.mark.parametrize("part", ["own_words", "own_words_held_out"])
def test_consent_in_own_words_is_read_and_what_looks_like_it_is_left_alone(part: str) -> None:
    stops = [sentence for sentence in SENTENCES if sentence.part == part and sentence.expected.get("consent") == "stop"]
    others = [sentence for sentence in SENTENCES if sentence.part == part and not sentence.expected.get("consent")]
    read = sum(read_reply.read(sentence.text, sentence.language).consent == "stop" for sentence in stops)
    taken = sum(read_reply.read(sentence.text, sentence.language).consent == "stop" for sentence in others)
    assert len(stops) >= 90
    assert read / len(stops) >= 0.97
    assert taken / len(others) <= 0.02


def test_what_the_own_words_were_written_for_is_read_without_a_mistake() -> None:
    assert [miss.text for miss in REPORT.misses if miss.part == "own_words"] == []
