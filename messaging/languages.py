"""Reads the language of a person as people and systems write it: "spa", "es-MX", "Spanish", "Español"."""

import re
import tomllib
import unicodedata
from functools import cache
from importlib import resources
from typing import Any

TAG = re.compile(r"([a-z]{2,3})((?:-[a-z0-9]{2,8})*)")
REGION = re.compile(r"[a-z]{2}|\d{3}")
ASIDE = re.compile(r"\([^)]*\)")
BETWEEN = re.compile(r"[;,/|]| - ")


class UnknownLanguage(ValueError):
    """No language is known by this name, or more than one stands there; the message says what is expected."""


def read(typed: str) -> str | None:
    """Return the code of a language, of two letters where there is one (ISO 639-1, else 639-2), perhaps with a region
    ("es-mx"); None where nothing is said. A code that we do not know stays as it is. Raises UnknownLanguage."""
    trimmed = typed.strip()
    if _plain(trimmed) in _not_said():
        return None
    code = _named(trimmed)
    if code:
        return code
    tag = TAG.fullmatch(trimmed.casefold().replace("_", "-"))
    if tag is None:
        raise UnknownLanguage('expected one language, such as "en", "spa" or "Spanish"')
    region = next((part for part in tag[2].split("-") if REGION.fullmatch(part)), None)
    primary = _codes().get(tag[1], tag[1])
    return f"{primary}-{region}" if region else primary


def name(code: str) -> str:
    """Return the English name of a language for staff; a code that we do not know as it is."""
    names = [spelling for spelling in _data()["codes"].get(code.split("-")[0], ()) if len(spelling) > 3]
    return str(names[0]) if names else code


def _named(written: str) -> str | None:
    """The code of a name, also with more beside it: "Spanish; Castilian", "Español (México)"."""
    without = ASIDE.sub(" ", written)
    for parts in ([written], [without], BETWEEN.split(without)):
        codes = {_codes().get(_plain(part)) for part in parts}
        if len(codes) == 1 and None not in codes:
            return codes.pop()
    return None


def _plain(text: str) -> str:
    spread = unicodedata.normalize("NFKD", text.casefold())
    return "".join(character for character in spread if character.isalnum())


@cache
def _codes() -> dict[str, str]:
    """The code of every code and name, these without case, accents and spaces."""
    return {_plain(spelling): code for code, names in _data()["codes"].items() for spelling in (code, *names)}


@cache
def _not_said() -> frozenset[str]:
    return frozenset(map(_plain, ["", *_data()["not_said"]]))


@cache
def _data() -> dict[str, Any]:
    return tomllib.loads(resources.files("messaging").joinpath("texts", "languages.toml").read_text("utf-8"))
