"""The words by which consent is asked, given and taken back, by the version that a line of the ledger keeps."""

import tomllib
from functools import cache
from importlib import resources
from typing import Any

LANGUAGES = ("en", "es")


def present(source: str, event: str) -> str | None:
    """Return the version in force for words of this source ("spoken", "text" ...) and event, None if nothing is said.

    Events are the ledger's granted and revoked; for texts also revoked_some and revoked_keyword.
    """
    version: str | None = _data()["now"].get(f"{source}.{event}")
    return version


def privacy() -> str:
    """Return the version in force of what is read out before somebody chooses how open texts may be."""
    return str(_data()["now"]["privacy"])


def title(version: str | None) -> str | None:
    """Return what kind of words a version is, in English, None for a version that nobody has kept."""
    version_texts = _versions().get(version or "")
    return str(version_texts["title"]) if version_texts else None


def text(version: str | None, key: str, language: str) -> str | None:
    """Return the words of a version for a programme, in that language ("es-MX" too) or in English.

    None for a line from before versions were kept, and where the version has no words for it.
    """
    by_language = _versions().get(version or "")
    if by_language is None:
        return None
    primary = language.lower().replace("_", "-").split("-")[0]
    by_programme = by_language[primary if primary in LANGUAGES else "en"]
    words = by_programme.get(key) or by_programme.get("all")
    return str(words) if words else None


def script(programme: str) -> dict[str, str]:
    """Return by language what is read out before somebody agrees to a programme."""
    version = present("spoken", "granted")
    return {language: text(version, programme, language) or "" for language in LANGUAGES}


def goodbye() -> dict[str, str]:
    """Return by language what whoever stops texts aloud is told."""
    version = present("spoken", "revoked")
    return {language: text(version, "all", language) or "" for language in LANGUAGES}


def carriers() -> frozenset[str]:
    """Return the versions of stops that the carrier itself enforces: only the phone can lift them."""
    return frozenset(name for name, texts in _versions().items() if texts.get("carrier"))


def versions() -> list[str]:
    """Return the id of every version that was ever in force."""
    return list(_versions())


def _versions() -> dict[str, Any]:
    return {name: texts for name, texts in _data().items() if name != "now"}


@cache
def _data() -> dict[str, Any]:
    return tomllib.loads(resources.files("messaging").joinpath("texts", "consent.toml").read_text("utf-8"))
