"""The words a carrier acts on when they are a whole text, as texts/reading/carrier.toml lists them. Pure."""

import tomllib
from functools import cache
from importlib import resources


@cache
def listed() -> dict[str, list[str]]:
    """Return the words in capitals under what the carrier takes them for: stop, start or help."""
    source = resources.files("messaging").joinpath("texts", "reading", "carrier.toml").read_text(encoding="utf-8")
    return {rule["means"]: rule["alone"] for rule in tomllib.loads(source)["consent"]}


def acts_on(text: str) -> bool:
    """Whether the carrier answers this text itself: it reads one exact word, in any case."""
    return any(text.strip().upper() in words for words in listed().values())


def surprising(means: str) -> list[str]:
    """Return the words of this meaning but the one that says it (STOP, START, HELP): nobody expects them to act."""
    return [word for word in listed()[means] if word != means.upper()]
