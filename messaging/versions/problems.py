"""What may not stay so in something a clinic decides, and in which line of its file."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake: the field ("steps[1].before"), what is expected, and the line where it is known."""

    field: str
    message: str
    line: int | None = None

    def __str__(self) -> str:
        where = f"line {self.line}" if self.line else ""
        return ": ".join(filter(None, [where, self.field, self.message]))
