"""The operator's own list of breached passwords, as large as it likes: each that stands there is refused, no other."""

import hashlib
from pathlib import Path
from typing import Any

import pytest

from config import runtime
from web.account import breached_passwords, passwords

WORDS = [f"a password of somebody {number}" for number in range(3_000)]


def digest(word: str) -> str:
    return hashlib.sha1(word.encode()).hexdigest().upper()


def listed(path: Path, words: list[str], end: str = "\r\n", counts: bool = True) -> Path:
    lines = (f"{line}:{len(line) * at}" if counts else line for at, line in enumerate(sorted(map(digest, words))))
    path.write_text(end.join(lines), "ascii", newline="")
    return path


@pytest.mark.parametrize(("end", "counts"), [("\r\n", True), ("\n", True), ("\n", False)])
def test_what_is_listed_is_told_wherever_it_stands_and_nothing_else(tmp_path: Path, end: str, counts: bool) -> None:
    file = listed(tmp_path / "breached", WORDS[::2], end, counts)
    assert [word for word in WORDS[::2] if not breached_passwords.holds(file, word)] == []
    assert [word for word in WORDS[1::2] if breached_passwords.holds(file, word)] == []


@pytest.mark.parametrize("size", [0, 1, 2, 3, 5])
def test_a_list_of_few_lines_is_read_too(tmp_path: Path, size: int) -> None:
    file = listed(tmp_path / "breached", WORDS[:size])
    assert [breached_passwords.holds(file, word) for word in WORDS[:6]] == [at < size for at in range(6)]


def test_a_breached_password_is_refused_where_a_password_is_chosen(
    house: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    passwords.check("seven quiet herons wait")
    file = listed(tmp_path / "breached", [*WORDS, "seven quiet herons wait"])
    monkeypatch.setattr(runtime, "_settings", runtime.settings().model_copy(update={"breached_passwords": file}))
    with pytest.raises(passwords.Refused, match="common"):
        passwords.check("seven quiet herons wait")
    passwords.check("nine slow barges drift past")
