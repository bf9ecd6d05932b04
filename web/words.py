"""The words staff read where they depend on data: states, kinds, languages; kept in texts/en.toml."""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources


@cache
def _texts() -> dict[str, dict[str, str]]:
    return tomllib.loads(resources.files("web").joinpath("texts/en.toml").read_text(encoding="utf-8"))


def say(table: str, key: str | None, **filled: object) -> str:
    """Return the words for `key` in `table`; a key without words is said as it is, with spaces for underscores."""
    words = table_of(table).get(key or "", (key or "").replace("_", " "))
    return words.format(**filled) if filled else words


def table_of(table: str) -> Mapping[str, str]:
    """Return one table of words by key."""
    return _texts()[table]


def one_line(texts: str | None) -> str:
    """Return several texts, a line each, on one line and told apart."""
    return " · ".join((texts or "").splitlines())
