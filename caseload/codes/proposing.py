"""Which codes a month's minutes propose, or what a person must choose between, and how far the next code is. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from caseload.codes.tables import Table, Timed
from messaging.reasons import Reason

Program = Literal["cocm", "bhi"]
# Who bills the month: whoever has an own code for general integration where a physician has 99484; "either" where a
# person must still choose which of the two bills.
Biller = Literal["physician", "psychologist", "social_worker", "either"]


@dataclass(frozen=True, slots=True)
class Units:
    """A code and how often it is billed."""

    code: str
    units: int = 1


@dataclass(frozen=True, slots=True)
class Next:
    """The next code, and how many minutes are missing for it."""

    code: str
    minutes: int


@dataclass(frozen=True, slots=True)
class Proposal:
    """`codes` as they would be billed; empty while there are `choices`, of which a person takes one and never two.

    `to_next` is None where nothing more can be reached.
    """

    codes: tuple[Units, ...] = ()
    choices: tuple[tuple[Units, ...], ...] = ()
    to_next: Next | None = None
    warnings: tuple[Reason, ...] = ()


def propose(
    minutes: int,
    table: Table,
    *,
    first_month: bool,
    program: Program = "cocm",
    apcm_base: str | None = None,
    biller: Biller = "physician",
) -> Proposal:
    """Return what the month's whole minutes propose. `apcm_base`: the base code of advanced primary care management
    that the same practitioner bills in this month; `biller` matters for general integration only."""
    base = _general(table, biller)[0] if program == "bhi" else table.first if first_month else table.later
    timed, above = _bhi(minutes, base) if program == "bhi" else _cocm(minutes, table, base)
    options = [timed] if timed else []
    if program == "bhi":
        options += [other for each in _general(table, biller)[1:] if (other := _bhi(minutes, each)[0])]
    if apcm_base is not None and minutes and base.code in table.mirrors:
        options.append((Units(table.mirrors[base.code]),))
    warnings = [Reason("unit_above_limit" if above == 1 else "units_above_limit", {"units": above})] if above else []
    if options and not timed:
        warnings.append(Reason("not_timed", {"code": options[0][0].code}))
    return Proposal(
        codes=options[0] if len(options) == 1 else (),
        choices=tuple(options) if len(options) > 1 else (),
        to_next=_next(minutes, _bhi_steps(base) if program == "bhi" else _cocm_steps(table, base)),
        warnings=tuple(warnings),
    )


def _general(table: Table, biller: Biller) -> tuple[Timed, ...]:
    """The codes of a month of general integration by who bills it; one of several, never two."""
    if biller == "physician" or table.bhi_own is None:
        return (table.bhi,)
    return (table.bhi, table.bhi_own) if biller == "either" else (table.bhi_own,)


def _bhi(minutes: int, base: Timed) -> tuple[tuple[Units, ...], int]:
    return ((Units(base.code),) if minutes >= base.minutes else ()), 0


def _cocm(minutes: int, table: Table, base: Timed) -> tuple[tuple[Units, ...], int]:
    """The codes, and how many units of the add-on are above the payer's limit."""
    if minutes < table.reached(base.minutes):
        short = table.g2214_min is not None and minutes >= table.g2214_min
        return ((Units(table.short.code),) if short else ()), 0
    reached = max(0, (minutes - _first_addon(table, base)) // table.addon.minutes + 1)
    units = reached if table.addon_cap is None else min(reached, table.addon_cap)
    addons = (Units(table.addon.code, units),) if units else ()
    return (Units(base.code), *addons), reached - units


def _first_addon(table: Table, base: Timed) -> int:
    return base.minutes + table.reached(table.addon.minutes)


def _bhi_steps(base: Timed) -> Iterator[tuple[int, str]]:
    yield base.minutes, base.code


def _cocm_steps(table: Table, base: Timed) -> Iterator[tuple[int, str]]:
    """From how many minutes which code comes in, in order; the add-on without end where the payer has no limit."""
    if table.g2214_min is not None:
        yield table.g2214_min, table.short.code
    yield table.reached(base.minutes), base.code
    units = 0
    while table.addon_cap is None or units < table.addon_cap:
        yield _first_addon(table, base) + units * table.addon.minutes, table.addon.code
        units += 1


def _next(minutes: int, steps: Iterator[tuple[int, str]]) -> Next | None:
    return next((Next(code, least - minutes) for least, code in steps if least > minutes), None)
