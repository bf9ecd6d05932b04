"""Numbers that always fail in the same way; the table is magic.toml and is shown at /sim/help."""

import re
import tomllib
from dataclasses import dataclass
from importlib import resources


@dataclass(frozen=True)
class Effect:
    """What a number does: `refuse` a create with a code, be `busy` that many times, or end in `status` with `error`."""

    means: str = ""
    refuse: int | None = None
    busy: int = 0
    status: str = "delivered"
    error: int | None = None

    def steps(self) -> list[tuple[str, int | None]]:
        """The statuses a message passes through after queued, each with its error code."""
        way: list[tuple[str, int | None]] = [("sending", None), ("sent", None)]
        return way if self.status == "sent" else [*way, (self.status, self.error)]


def _load() -> dict[str, Effect]:
    text = resources.files("simulator").joinpath("magic.toml").read_text(encoding="utf-8")
    effects = {}
    for suffix, row in tomllib.loads(text).items():
        end = row.pop("ends", {})
        effects[suffix] = Effect(**row, **end)
    return effects


TABLE = _load()
_RESERVED = re.compile(r"\+1\d{3}555(\d{4})")
_ORDINARY = Effect()


def effect(number: str) -> Effect:
    """The effect of a number; an ordinary one is delivered."""
    match = _RESERVED.fullmatch(number)
    return TABLE.get(match[1], _ORDINARY) if match else _ORDINARY
