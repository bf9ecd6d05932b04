"""How a column may be named: its header as it stands, with what is short written out, without words that say nothing.
Pure."""

import re
import tomllib
import unicodedata
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


def plain(text: str) -> str:
    """Return a text in small letters without accents, spaces and signs, as the tables have it."""
    spread = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in spread if char.isalnum())


def forms(kind: str, header: str) -> tuple[str, str, str]:
    """Return how a header of this kind of file may be looked up, the narrowest first."""
    long = [_table()["short"].get(word, word) for word in _words(header)]
    filler = _table()["filler"][kind]
    return plain(header), "".join(long), "".join(word for word in long if word not in filler)


def _words(header: str) -> list[str]:
    spread = unicodedata.normalize("NFKD", header)
    unaccented = "".join(char for char in spread if not unicodedata.combining(char))
    return [word.casefold() for word in WORD.findall(unaccented)]


def find(kind: str, field: str, headers: Sequence[str]) -> str | None:
    """Return the header that means our field, by the first word for it that any of them is called."""
    by_form = {
        form: header for width in (2, 1, 0) for header in reversed(headers) if (form := forms(kind, header)[width])
    }
    return next((by_form[synonym] for synonym in _table()[kind][field] if synonym in by_form), None)


def fields(kind: str) -> tuple[str, ...]:
    """Return every field that a column of this kind of file may mean."""
    return tuple(_table()[kind])


@cache
def _table() -> dict[str, Any]:
    return tomllib.loads((Path(__file__).parents[1] / "texts" / "columns.toml").read_text(encoding="utf-8"))
