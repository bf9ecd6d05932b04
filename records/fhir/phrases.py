"""The words of the resources, from texts/en.toml."""

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
