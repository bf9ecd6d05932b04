"""What is wrong with a row, column by column: all of it at once, so that nobody mends a file once for each fault."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any


class WrongRow(ValueError):
    """What is wrong with a row: of each fault its column and what was expected there, "starts_at: is empty"."""

    def __init__(self, *faults: str) -> None:
        super().__init__(line(faults))
        self.faults = faults


def line(faults: Sequence[str]) -> str:
    """Return faults in one line, as the file of rows that were not taken has them."""
    return "; ".join(faults)


def of(error: ValueError) -> tuple[str, ...]:
    """Return the faults an error tells of."""
    return error.faults if isinstance(error, WrongRow) else (str(error),)


def every(readers: Mapping[str, Callable[[], Any]]) -> dict[str, Any]:
    """Return each field as its reader has it. Raises WrongRow with what all of them find wrong, each fault once.

    A reader that depends on another field may read it again: what is wrong there is said once.
    """
    fields: dict[str, Any] = {}
    faults: list[str] = []
    for name, read in readers.items():
        try:
            fields[name] = read()
        except WrongRow as wrong:
            faults += wrong.faults
    if faults:
        raise WrongRow(*dict.fromkeys(faults))
    return fields
