"""Writes a cadence as the TOML file that reads back as the same cadence."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from reminders.cadence import cadence_definition

PLAIN_KEY = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")


def write(cadence: cadence_definition.Cadence) -> str:
    """Return the file, every field written out except those that are empty or say what is understood anyway."""
    fields = cadence.model_dump(mode="json", exclude={"steps", "kinds", "quiet_hours"}, exclude_none=True)
    lines = [f"{name} = {_value(value)}" for name, value in fields.items() if value != []]
    lines += ["", "[quiet_hours]", *_fields(cadence.quiet_hours.model_dump(mode="json"))]
    tables = [("steps", cadence.steps), *((f"kinds.{_key(kind)}", of) for kind, of in cadence.kinds.items())]
    for header, steps in tables:
        for step in steps:
            lines += ["", f"[[{header}]]"]
            lines += _fields(step.model_dump(mode="json", exclude_defaults=True))
    return "\n".join(lines) + "\n"


def _fields(table: Mapping[str, Any]) -> Iterator[str]:
    return (f"{name} = {_value(value)}" for name, value in table.items())


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(_fields(value)) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(_value(element) for element in value) + "]"
    # JSON's texts, numbers and booleans are TOML's, but for one character that TOML wants escaped.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _key(name: str) -> str:
    return name if set(name) <= PLAIN_KEY else _value(name)
