"""What the carrier itself understands of a text: the exact single words that stop, start or ask for help."""

import tomllib
from importlib import resources
from typing import Any

_CARRIER: dict[str, Any] = tomllib.loads(
    resources.files("simulator").joinpath("carrier.toml").read_text(encoding="utf-8")
)
_KINDS = {word: kind for kind, words in _CARRIER["keywords"].items() for word in words}


def read(body: str) -> str | None:
    """Return "STOP", "START" or "HELP" when the whole text is one such word in any case, else None."""
    return _KINDS.get(body.strip().upper())


def reply(kind: str) -> str:
    """The carrier's own answer to a keyword of that kind."""
    return str(_CARRIER["replies"][kind])
