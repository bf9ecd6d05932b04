"""What a payer pays for a month's minutes: tables as data, each for the days whose rules somebody has read. Pure."""

import tomllib
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from functools import cache
from importlib import resources
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import Field

from caseload import fields
from caseload.months import Month

DAY = timedelta(days=1)
Minutes = Annotated[int, Field(ge=1)]


class BadTable(ValueError):
    """A payer's file that cannot hold: a gap, an overlap, a year begun in the middle of a month, a missing field."""


class Timed(fields.Strict):
    """A code, and the minutes that are its whole time."""

    code: str
    minutes: Minutes


class Table(fields.Strict):
    """What holds from `valid_from` to `valid_to` (both included); payers/medicare.toml tells each field.

    `g2214_min` None: the payer knows no G2214. `addon_cap` None: any number of 99494 in a month.
    `first_again_months`: after how many months without Collaborative Care a new episode has a first month again, None:
    with each new episode. `bhi_own` is what psychologists and social workers bill in place of `bhi`.
    """

    version: str
    valid_from: date
    valid_to: date
    midpoint: bool
    g2214_min: Minutes | None = None
    addon_cap: Annotated[int, Field(ge=0)] | None = None
    first_again_months: Minutes | None = None
    first: Timed
    later: Timed
    addon: Timed
    short: Timed
    bhi: Timed
    bhi_own: Timed | None = None
    mirrors: Mapping[str, str] = {}

    def reached(self, minutes: int) -> int:
        """From how many minutes a code of so many counts as reached."""
        return minutes // 2 + 1 if self.midpoint else minutes


class Style(fields.Strict):
    """How a payer differs from Medicare; what it does not say is as there."""

    g2214_min: Literal[16, 30] | None = None
    addon_cap: Annotated[int, Field(ge=0)] | None = None
    midpoint: bool = True

    def over(self, table: Table) -> Table:
        """Return the table as this payer has it."""
        own = {name: getattr(self, name) for name in self.model_fields_set}
        return table.model_copy(update=own | {"version": f"{table.version}, own style"})


class _File(fields.Strict):
    payer: str
    table: Annotated[list[Table], Field(min_length=1)]


def read(text: str) -> tuple[str, tuple[Table, ...]]:
    """Return the payer's name and its tables in order of time, from the text of its file. Raises BadTable."""
    try:
        file = fields.read(_File, tomllib.loads(text))
    except (fields.BadLine, tomllib.TOMLDecodeError) as wrong:
        raise BadTable(str(wrong)) from None
    tables = sorted(file.table, key=lambda table: table.valid_from)
    for table in tables:
        if table.valid_from.day != 1 or (table.valid_to + DAY).day != 1 or table.valid_to < table.valid_from:
            raise BadTable(f"{table.version}: expected whole months, from the first of one to the last of another")
    for before, after in pairwise(tables):
        if before.valid_to + DAY != after.valid_from:
            what = "a gap" if before.valid_to < after.valid_from else "an overlap"
            raise BadTable(f"{what} between {before.valid_to} and {after.valid_from}")
    return file.payer, tuple(tables)


@cache
def payers() -> Mapping[str, Sequence[Table]]:
    """Return the tables of each payer that ships, by its name."""
    folder = resources.files("caseload.codes").joinpath("payers")
    texts = [file.read_text(encoding="utf-8") for file in folder.iterdir() if file.name.endswith(".toml")]
    return dict(read(text) for text in texts)


def table_of(month: Month, tables: Sequence[Table]) -> Table | None:
    """Return the table that holds in the month; None where nobody has loaded one: it is not guessed."""
    return next((table for table in tables if table.valid_from <= month.first <= table.valid_to), None)


def first_month_again(last: date, consent: date, table: Table) -> bool:
    """Whether a new episode has a first month again: `last` is the last day of Collaborative Care of the one before it,
    `consent` the day of the new consent. (North Carolina's Medicaid: after six whole months without.)"""
    if table.first_again_months is None:
        return True
    months = (consent.year - last.year) * 12 + consent.month - last.month - (consent.day < last.day)
    return months >= table.first_again_months
