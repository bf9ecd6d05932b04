"""The second reader: whatever it is given it answers, the same each time, and a disguise changes nothing."""

import shutil
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from messaging.reading import likeness
from messaging.reading.likeness import model
from messaging.reading.likeness.model import FACTS, FOLDER, WEIGHTS, Model, Thresholds, Unfit

KNOWN = [
    "I want to die tonight and nobody would notice",
    "ya no quiero vivir me quiero morir",
    "I took all of my pills and I am getting sleepy",
    "he hit me again and I am scared to go home",
]
GRAVITY = ("none", "worry", "crisis")


def band(text: str) -> str:
    read = likeness.read(text)
    assert read is not None
    return read.band


def reader_in(folder: Path) -> Model:
    reader = model.current(folder)
    assert isinstance(reader, Model)
    return reader


@given(st.text())
@settings(deadline=None, max_examples=200)
def test_whatever_is_typed_is_read_the_same_each_time(text: str) -> None:
    first, again = likeness.read(text), likeness.read(text)
    assert first is not None
    assert first == again
    assert 0 <= first.score <= 1
    begin, end = likeness.weighed_most(text[:60])
    assert 0 <= begin <= end <= len(text[:60])
    likeness.nearest(text)


@pytest.mark.parametrize("text", ["\ud800", "\x00", "💀" * 3000, "a" * 20_000, "ß" * 5000, " " * 9999, "ﷺ" * 500])
def test_no_character_and_no_length_is_too_much(text: str) -> None:
    assert likeness.read(text) is not None


DISGUISES = {
    "zero width": lambda text: "\u200b".join(text),
    "capitals": str.upper,
    "apart": lambda text: "  ".join(" ".join(word) for word in text.split()),
    "dotted": lambda text: " ".join(".".join(word) for word in text.split()),
    "run on": lambda text: text.replace(" ", ""),
    "full width": lambda text: "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text),
    "look-alikes": lambda text: text.translate(str.maketrans("aeopc", "аеорс")),
    "leet": lambda text: text.translate(str.maketrans("eo", "30")),
    "hyphens": lambda text: text.replace(" ", "-"),
    "rows": lambda text: text.replace(" ", "\n"),
    "stretched": lambda text: text.replace("i", "iii"),
}


@pytest.mark.parametrize("disguise", DISGUISES)
@pytest.mark.parametrize("text", KNOWN)
def test_a_disguise_does_not_lower_the_band(text: str, disguise: str) -> None:
    assert band(text) != "none"
    assert GRAVITY.index(band(DISGUISES[disguise](text))) >= GRAVITY.index(band(text))


@pytest.mark.parametrize("drawn", ["I just want to 💀", "quiero ☠️ ya no puedo", "going to ⚰ tonight"])
def test_an_emoji_in_place_of_a_verb_is_read_as_the_verb(drawn: str) -> None:
    said = drawn.replace("💀", "die").replace("☠️", "die").replace("⚰", "die")
    drawn_read, said_read = likeness.read(drawn), likeness.read(said)
    assert drawn_read is not None
    assert said_read is not None
    assert drawn_read.score == said_read.score


def test_laughter_is_no_verb() -> None:
    assert band("that was so funny 💀💀") == "none"


@pytest.mark.parametrize(
    ("text", "registered", "language"),
    [
        ("I will be there on Tuesday with my daughter", None, "en"),
        ("el martes no puedo llevar a la niña", "en", "es"),
        ("sorry for no contestar, ya ni duermo, I just sit outside con ideas bien feas", None, "mixed"),
        ("mmm 15:30", "es", "es"),
        ("mmm 15:30", None, "en"),
        ("👍", "es", "es"),
    ],
)
def test_the_language_is_guessed_from_the_words_and_only_else_from_the_patient(
    text: str, registered: str | None, language: str
) -> None:
    read = likeness.read(text, registered)
    assert read is not None
    assert read.language == language


def test_a_band_begins_at_its_threshold() -> None:
    thresholds = Thresholds(worry=0.5, crisis=0.8)
    assert [thresholds.band(score) for score in (0.49, 0.5, 0.79, 0.8)] == ["none", "worry", "worry", "crisis"]
    for own in reader_in(FOLDER).thresholds.values():
        assert 0 < own.worry < own.crisis < 1


def test_what_weighed_most_is_a_few_words_of_the_text() -> None:
    text = "yes tuesday at nine is fine. I took all my pills, thanks for everything"
    begin, end = likeness.weighed_most(text)
    assert 1 <= len(text[begin:end].split()) <= 4
    assert begin >= text.index("I took")


def test_the_nearest_line_is_one_of_the_invented_ones() -> None:
    lines = (FOLDER / "likeness.lines.txt").read_text(encoding="utf-8").splitlines()
    assert likeness.nearest("I took the whole bottle of pills") in lines
    assert likeness.nearest("") is None
    assert likeness.nearest("zxqv") is None


def test_all_fifty_canaries_score_as_when_the_weights_were_made() -> None:
    reader = reader_in(FOLDER)
    assert len(reader.canaries) == 50
    assert reader.rings()
    assert likeness.check() is None


def copied(to: Path) -> Path:
    for name in (FACTS, WEIGHTS):
        shutil.copy(FOLDER / name, to / name)
    return to


def unfit(folder: Path) -> str | None:
    found = model.current(folder)
    return found.key if isinstance(found, Unfit) else None


@pytest.mark.parametrize("name", [FACTS, WEIGHTS])
def test_a_file_that_is_gone_is_seen_at_once_and_so_is_its_return(tmp_path: Path, name: str) -> None:
    folder = copied(tmp_path)
    assert unfit(folder) is None
    kept = (folder / name).read_bytes()
    (folder / name).unlink()
    assert unfit(folder) == "weights_missing"
    (folder / name).write_bytes(kept)
    assert unfit(folder) is None


@pytest.mark.parametrize("name", [FACTS, WEIGHTS])
@pytest.mark.parametrize("place", [0, 70, -1])
def test_one_wrong_bit_anywhere_is_noticed(tmp_path: Path, name: str, place: int) -> None:
    folder = copied(tmp_path)
    damaged = bytearray((folder / name).read_bytes())
    damaged[place] ^= 1
    (folder / name).write_bytes(damaged)
    assert unfit(folder) == "weights_changed"


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"sha256 = 1\n[x"])
def test_a_file_of_something_else_is_noticed(tmp_path: Path, content: bytes) -> None:
    folder = copied(tmp_path)
    (folder / FACTS).write_bytes(content)
    assert unfit(folder) == "weights_changed"
    pin = model.pinned(content, (folder / WEIGHTS).read_bytes())
    (folder / FACTS).write_bytes(pin + b"\n" + content)
    assert unfit(folder) == "weights_changed"


def test_a_canary_that_scores_otherwise_makes_the_reader_unfit(tmp_path: Path) -> None:
    folder = copied(tmp_path)
    _, _, facts = (folder / FACTS).read_bytes().partition(b"\n")
    canary = reader_in(folder).canaries[0]
    wrong = facts.replace(f"score = {canary[1]}".encode(), f"score = {(canary[1] + 0.5) % 1:.6f}".encode(), 1)
    assert wrong != facts
    (folder / FACTS).write_bytes(model.pinned(wrong, (folder / WEIGHTS).read_bytes()) + b"\n" + wrong)
    assert unfit(folder) == "canaries_differ"


@pytest.mark.parametrize("taken", [WEIGHTS, FACTS])
def test_without_its_files_it_says_nothing_and_check_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, taken: str
) -> None:
    folder = copied(tmp_path)
    monkeypatch.setattr(model.current, "__defaults__", (folder,))
    assert likeness.read("I want to die") is not None
    (folder / taken).unlink()
    assert likeness.check() == "weights_missing"
    assert likeness.read("I want to die") is None
    assert likeness.weighed_most("I want to die") == (0, 0)
    assert likeness.nearest("I want to die") is None
