"""What was wrong with something an EHR said: a code and where it stood, never what stood there."""

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

Act = dict[str, object]
# How much a problem weighs, the heaviest first. A message is "rejected" that cannot be ours (HL7: AR); "error" is
# content that its sender must mend (AE); "held" is understood but waits for a human of the clinic; a "warning" is told.
WEIGHTS = ("rejected", "error", "held", "warning")
# That somebody has died, and that their records fall under 42 CFR Part 2.
AT_ONCE = ("patient.deceased", "part_two.label")


@dataclass(frozen=True)
class Problem:
    """A key of texts/problems.toml, and where: "SCH-11.4", "PID-13(2)", "/entry/1/resource/start"."""

    code: str
    where: str = ""

    @property
    def weight(self) -> str:
        """Return one of WEIGHTS."""
        return str(_texts()[self.code]["weight"])

    @property
    def hl7(self) -> str:
        """Return the code of HL7 table 0357 that says it to a sender."""
        return str(_texts()[self.code].get("hl7", "207"))

    @property
    def words(self) -> str:
        """Return a sentence for staff."""
        return str(_texts()[self.code]["words"])

    def told(self) -> dict[str, str]:
        """Return the problem as `warmthread explain` prints it."""
        return {"problem": self.code, "weight": self.weight, "where": self.where, "words": self.words}


class Problems(list[Problem]):
    """The problems of one reading, in the order they were met, each once."""

    def __init__(self, known: Iterable[Problem] = ()) -> None:
        super().__init__(known)
        self._noted = set(self)

    def note(self, code: str, where: str = "") -> None:
        """Add a problem unless it is there."""
        problem = Problem(code, where)
        if problem not in self._noted:
            self._noted.add(problem)
            self.append(problem)


def heaviest(problems: Iterable[Problem]) -> str | None:
    """Return the heaviest weight among the problems, None where there are none."""
    weights = {problem.weight for problem in problems}
    return next((weight for weight in WEIGHTS if weight in weights), None)


def waiting(acts: list[Act], problems: Iterable[Problem]) -> list[Act]:
    """Return the acts, marked as held where something waits for a person; what is done AT_ONCE waits for nobody."""
    if heaviest(problems) != "held":
        return acts
    return [act if act["act"] in AT_ONCE else act | {"held": True} for act in acts]


@cache
def _texts() -> dict[str, dict[str, Any]]:
    return tomllib.loads(resources.files("interchange").joinpath("texts", "problems.toml").read_text("utf-8"))
