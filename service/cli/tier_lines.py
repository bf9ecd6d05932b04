"""Texts by which both readers are measured: of the rules' sentences, or of files with headings as in tools/reading."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

LANGUAGES = ("en", "es", "mixed")


@dataclass(frozen=True)
class Line:
    """One invented text: whose it is, and what it is an example of.

    `manner` is explicit or indirect of a crisis, easy, hard or everyday of an ordinary text; empty where nobody said.
    """

    hand: str
    crisis: bool
    kind: str
    manner: str
    language: str
    text: str


def load(directory: Path) -> list[Line]:
    """Return the texts of a directory by file name, in the order of each file.

    Raises ValueError for a heading that says less than what it should.
    """
    headed = [line for path in sorted(directory.glob("*.txt")) for line in read(path)]
    return headed + [line for path in sorted(directory.glob("*.toml")) for line in _sentences(path)]


def read(path: Path) -> Iterator[Line]:
    """Yield the texts of one file with headings: "# crisis KIND MANNER LANGUAGE", "# everyday LANGUAGE"."""
    heading: list[str] = []
    for row in path.read_text(encoding="utf-8").splitlines():
        if row.startswith("# "):
            heading = _heading(row, path)
        elif text := row.strip():
            if not heading:
                raise ValueError(f"{path.name}: no heading before {text!r}")
            crisis, kind, manner, language = heading
            yield Line(path.stem, crisis == "crisis", kind, manner, language, text)


def _heading(row: str, path: Path) -> list[str]:
    words = row[2:].split()
    if len(words) == 2 and words[0] == "everyday" and words[1] in LANGUAGES:
        return ["ordinary", "everyday", "everyday", words[1]]
    if len(words) != 4 or words[0] not in ("crisis", "ordinary") or words[3] not in LANGUAGES:
        raise ValueError(f"{path.name}: no heading: {row!r}")
    return words


def _sentences(path: Path) -> Iterator[Line]:
    """Yield the sentences of the rules' own form; those about topics alone are not measured for crises."""
    part, _, language = path.stem.rpartition(".")
    for kind in tomllib.loads(path.read_text(encoding="utf-8"))["kind"]:
        if "topics" not in kind and "crisis" in kind.get("only", ("crisis",)):
            for text in kind["texts"]:
                yield Line(part or "trained", bool(kind.get("crisis")), kind["name"], "", language, text)
