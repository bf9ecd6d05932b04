"""The making of the second reader: the same bytes each time, from what stands here, and from no line of a test set."""

import tomllib
from collections import Counter
from pathlib import Path

import pytest
from click.testing import CliRunner

from messaging.reading.likeness import features, model
from messaging.reading.likeness.model import FACTS, FOLDER, WEIGHTS
from service.cli.tier_report import Share
from tools.reading import __main__ as commands
from tools.reading import build, corpus_files, duplicates, sealed, thresholds, training
from tools.reading.corpus_files import Line

TRAINING = build.training_lines(corpus_files.CORPUS)


def line(text: str, crisis: bool = False, manner: str = "hard", hand: str = "x", language: str = "en") -> Line:
    return Line(hand, crisis, "idiom", manner, language, text)


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A corpus of every ninetieth line of the true one."""
    for part, lines in (("train", corpus_files.load("train")), ("everyday", corpus_files.load("everyday"))):
        (tmp_path / part).mkdir()
        for each in lines[::90]:
            heading = f"# {'crisis' if each.crisis else 'ordinary'} {each.kind} {each.manner} {each.language}\n"
            with (tmp_path / part / f"{each.hand}.txt").open("a", encoding="utf-8") as file:
                file.write(heading + each.text + "\n")
    return tmp_path


def test_the_same_texts_make_the_same_bytes(small: Path, tmp_path: Path) -> None:
    first, again = build.build(small), build.build(small)
    assert first == again
    first.write(tmp_path)
    reader = model.current(tmp_path)
    assert isinstance(reader, model.Model)
    assert len(reader.canaries) == 50


def test_the_weights_that_ship_were_made_of_the_texts_that_stand_here() -> None:
    facts = tomllib.loads((FOLDER / FACTS).read_text(encoding="utf-8"))
    assert facts["trained_on"] == build.provenance(corpus_files.CORPUS)
    assert (FOLDER / WEIGHTS).stat().st_size == features.BUCKETS


def test_they_were_written_by_many_hands() -> None:
    train = [each for each in TRAINING if each.manner != "everyday"]
    hands = Counter(each.hand for each in train)
    assert len(train) >= 10_000
    assert len(hands) >= 12
    assert 0.35 <= sum(each.crisis for each in train) / len(train) <= 0.45
    assert sum(each.language != "en" for each in train) / len(train) >= 0.4
    assert len({each.kind for each in train if each.crisis}) == 11
    everyday = [each for each in TRAINING if each.manner == "everyday"]
    assert len(everyday) >= 5_000
    assert sum(each.language != "en" for each in everyday) / len(everyday) >= 0.45


def test_no_line_stands_in_a_test_set_or_twice() -> None:
    assert duplicates.found(TRAINING) == []


@pytest.mark.parametrize(
    "text",
    [
        "I keep driving past the quarry on the way home",
        "i KEEP driving past the quarry, on the way home!!",
        "i keep drivin past the quarry on the way home",
    ],
)
def test_a_line_of_a_test_set_is_noticed_also_in_other_clothes(tmp_path: Path, text: str) -> None:
    (tmp_path / "dev").mkdir()
    told = "# crisis ideation indirect en\nI keep driving past the quarry on the way home\n"
    (tmp_path / "dev" / "a.txt").write_text(told, encoding="utf-8")
    other = line("the quarry trip with school was fun, we drove past your clinic")
    assert duplicates.of_test_sets([line(text), other], tmp_path, tmp_path) == [line(text)]


def test_the_build_fails_on_a_hit_and_cleaning_takes_it_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for part in ("train", "dev"):
        (tmp_path / part).mkdir()
        told = "# ordinary chat hard en\nmy phone is about to die on the bus\n"
        told += "twins at last, twins at last\ntwins at last, twins at LAST\n" if part == "train" else ""
        (tmp_path / part / "a.txt").write_text(told, encoding="utf-8")
    monkeypatch.setattr(corpus_files, "CORPUS", tmp_path)
    monkeypatch.setattr(duplicates.found, "__defaults__", (tmp_path,))
    failed = CliRunner().invoke(commands.reading, ["build"])
    assert failed.exit_code == 1
    assert "my phone is about to die on the bus" in failed.output
    assert CliRunner().invoke(commands.reading, ["clean"]).output == "a: 2\n"
    left = (tmp_path / "train" / "a.txt").read_text(encoding="utf-8")
    assert left == "# ordinary chat hard en\ntwins at last, twins at last\n"


def test_what_separates_two_texts_is_learned() -> None:
    texts = [("my light is going out", True), ("my lunch is going well", False)]
    examples = [training.Example(features.of(text.split()), crisis, 3.0) for text, crisis in texts]
    separator = training.fit(examples)
    margins = [separator.margin(example.buckets) for example in examples]
    assert margins[0] > 0.5 > -0.5 > margins[1]


def test_a_threshold_is_exceeded_by_its_share_of_hard_ordinary_texts() -> None:
    lines = [line("x") for _ in range(200)]
    scores = [place / 200 for place in range(200)]
    found = thresholds.of_languages(lines, scores)["en"]
    assert sum(score >= found["worry"] for score in scores) == int(200 * thresholds.SHARES["worry"])
    assert sum(score >= found["crisis"] for score in scores) == int(200 * thresholds.SHARES["crisis"])


def test_the_sealed_test_is_opened_once_a_version(tmp_path: Path) -> None:
    page = tmp_path / "reading.md"
    page.write_text(f"{sealed.HEADING}\n", encoding="utf-8")
    (tmp_path / "sealed").mkdir()
    with pytest.raises(ValueError, match="no sealed test"):
        sealed.open_once("2026-12-01", page, tmp_path)
    told = "# crisis ideation explicit en\nI want to die\n# ordinary thanks easy en\nthanks\n"
    (tmp_path / "sealed" / "a.txt").write_text(told, encoding="utf-8")
    sealed.open_once("2026-12-01", page, tmp_path)
    written = page.read_text(encoding="utf-8")
    assert "Opened 2026-12-01." in written
    assert "| crisis, all | 1/1 = 1.000 (0.207-1.000) |" in written
    with pytest.raises(sealed.Opened):
        sealed.open_once("2026-12-02", page, tmp_path)
    assert page.read_text(encoding="utf-8") == written


def test_wilsons_interval() -> None:
    low, high = Share(121, 127).interval
    assert (round(low, 3), round(high, 3)) == (0.901, 0.978)


def test_a_heading_that_says_too_little_is_a_mistake(tmp_path: Path) -> None:
    (tmp_path / "train").mkdir()
    (tmp_path / "train" / "a.txt").write_text("# crisis ideation\nx\n", encoding="utf-8")
    with pytest.raises(ValueError, match="no heading"):
        corpus_files.load("train", tmp_path)
