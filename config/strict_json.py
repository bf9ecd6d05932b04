"""JSON as RFC 8259 has it and I-JSON (RFC 7493) asks for it, from whoever may write anything: one object."""

import json
from typing import Any


def loaded(body: str | bytes) -> dict[str, Any]:
    """Return the object that a body is.

    Raises ValueError for what is none, for letters that are not of UTF-8, 16 or 32, for a name twice in one object
    (whose value was meant nobody knows), and for NaN and Infinity, which JSON does not have.
    """
    try:
        document = json.loads(body, object_pairs_hook=_once, parse_constant=_no_number)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not isinstance(document, dict):
        raise ValueError("no object")
    return document


def showable(text: str) -> str:
    """Return text in which lone surrogates are U+FFFD: JSON can write half of a letter, and neither a page nor a digest
    takes it."""
    return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        raise ValueError("a name twice in one object")
    return made


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no number of JSON")
