"""The invented texts: one file a hand, each line one text under a heading that says what it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

CORPUS = Path(__file__).parent / "corpus"
LANGUAGES = ("en", "es", "mixed")


@dataclass(frozen=True)
class Line:
    """One invented text: whose it is, and what it is an example of.

    `manner` is explicit or indirect of a crisis, easy, hard or everyday of an ordinary text.
    """

    hand: str
    crisis: bool
    kind: str
    manner: str
    language: str
    text: str


def load(part: str, corpus: Path = CORPUS) -> list[Line]:
    """Return the lines of train, everyday, dev or sealed, by file name and in the order of each file.

    Raises ValueError for a heading that says less than what it should.
    """
    return [line for path in sorted((corpus / part).glob("*.txt")) for line in read(path)]


def read(path: Path) -> Iterator[Line]:
    """Yield the lines of one file."""
    heading: list[str] = []
    for row in path.read_text(encoding="utf-8").splitlines():
        if row.startswith("# "):
            heading = _heading(row, path)
        elif text := row.strip():
            crisis, kind, manner, language = heading
            yield Line(path.stem, crisis == "crisis", kind, manner, language, text)


def _heading(row: str, path: Path) -> list[str]:
    words = row[2:].split()
    if len(words) != 4 or words[0] not in ("crisis", "ordinary") or words[3] not in LANGUAGES:
        raise ValueError(f"{path.name}: a heading is '# crisis|ordinary KIND MANNER LANGUAGE', not {row!r}")
    return words
