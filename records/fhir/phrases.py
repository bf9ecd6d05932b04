"""The words of the resources, from texts/en.toml."""

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources


@cache
def words() -> Mapping[str, Mapping[str, str]]:
    """Return all words, by table and key."""
    return tomllib.loads(resources.files("records").joinpath("texts", "en.toml").read_text("utf-8"))


def say(table: str, key: str) -> str | None:
    """Return the words of a key, None where there are none."""
    return words()[table].get(key)


def filled(table: str, key: str, **values: object) -> str:
    """Return words with these values in their places, "" where there are none; a value is never read as a place."""
    words = say(table, key) or ""
    parts = re.split(r"\{(\w+)\}", words)
    return "".join(str(values.get(part, "")) if place % 2 else part for place, part in enumerate(parts))
