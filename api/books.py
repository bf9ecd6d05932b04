"""Reads a body by the rules that hold for a row of the clinic's files."""

from collections.abc import Callable, Mapping
from typing import TypeVar

from api.problems import Place, Problem, reasons
from api.shapes import Shape
from messaging.models import Clinic
from reminders.imports.faults import WrongRow

Record = TypeVar("Record")


def read(
    reader: Callable[[Mapping[str, str], Clinic], Record], clinic: Clinic, body: Shape, columns: Mapping[str, str]
) -> Record:
    """Return what an import would make of the body; `columns` maps fields to the file's names where they differ.

    Raises Problem with a pointer to each field that is wrong and what is expected there, never with what stood there.
    """
    given = {columns.get(name, name): _cell(value) for name, value in body.model_dump(exclude_none=True).items()}
    try:
        return reader(given, clinic)
    except WrongRow as wrong:
        places = (_place(fault, given, columns) for fault in wrong.faults)
        raise Problem("invalid", *places) from None


def _place(fault: str, given: Mapping[str, str], columns: Mapping[str, str]) -> Place:
    column, _, why = fault.partition(": ")
    field = next((name for name, other in columns.items() if other == column), column)
    echoes = given.get(column, "") and given[column][:20] in why
    return Place(pointer=f"/{field}", detail=reasons()["expected"] if echoes else why)


def _cell(value: object) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
