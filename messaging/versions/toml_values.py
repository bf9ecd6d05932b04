"""Values as a TOML file writes them on one line, in the order and layout its writer wants. Pure."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

_PLAIN_KEY = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")


def fields(table: Mapping[str, Any]) -> Iterator[str]:
    """Yield each field of a table as a line, `key = value`."""
    return (f"{key(name)} = {value(content)}" for name, content in table.items())


def value(content: Any) -> str:
    """Return a text, number, truth value, list or table as TOML; None has no form there."""
    if isinstance(content, Mapping):
        return "{ " + ", ".join(fields(content)) + " }"
    if isinstance(content, list | tuple):
        return "[" + ", ".join(map(value, content)) + "]"
    # JSON's texts, numbers and booleans are TOML's, but for one character that TOML wants escaped.
    return json.dumps(content, ensure_ascii=False).replace("\x7f", "\\u007f")


def key(name: str) -> str:
    """Return the name of a field or table, in quotes where it must have them."""
    return name if name and set(name) <= _PLAIN_KEY else value(name)
