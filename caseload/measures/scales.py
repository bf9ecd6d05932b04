"""What the totals of a scale mean: elevated, improved, in remission. Numbers stand in scales.toml. Pure."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources


@dataclass(frozen=True, slots=True)
class Scale:
    """A scale; totals are points. `below`, `half` and `points` are ways to have improved: one of them is enough."""

    name: str
    highest: int
    elevated: int
    remission_below: int
    below: int | None = None
    half: bool = False
    points: int | None = None

    def is_elevated(self, total: int) -> bool:
        """Whether somebody with this baseline can improve."""
        return total >= self.elevated

    def has_improved(self, baseline: int, current: int) -> bool:
        """Whether `current` is a response: half of the baseline counts, and so does exactly `points` better."""
        return (
            (self.below is not None and current < self.below)
            or (self.half and 2 * current <= baseline)
            or (self.points is not None and baseline - current >= self.points)
        )

    def is_remission(self, total: int) -> bool:
        """Whether the total says remission."""
        return total < self.remission_below


@cache
def known() -> Mapping[str, Scale]:
    """Return each scale by its name; another form of a scale by its own name too ("phq9m" is "phq9")."""
    file = resources.files("caseload.measures").joinpath("scales.toml")
    tables = tomllib.loads(file.read_text(encoding="utf-8"))
    own = {name: Scale(name, **table) for name, table in tables.items() if "same_as" not in table}
    return own | {name: own[table["same_as"]] for name, table in tables.items() if "same_as" in table}
