"""A patient's month from work to codes: the minutes that count, and what the payer's table proposes for them. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from caseload.codes import minutes, proposing, tables
from caseload.months import Month
from messaging.reasons import Reason


@dataclass(frozen=True, slots=True)
class Asked:
    """What is known of a patient's month beside the work: whose it is, within what it counts, how it is billed.

    `patient` is the name that the patient has among the entries. `first_month`: whether this is the first calendar
    month of Collaborative Care in the episode; `tables` and `payer` as `tables.payers` has them.
    """

    month: Month
    bounds: minutes.Bounds
    payer: str
    tables: Sequence[tables.Table]
    first_month: bool
    patient: str = ""
    program: proposing.Program = "cocm"
    apcm_base: str | None = None
    biller: proposing.Biller = "physician"


@dataclass(frozen=True, slots=True)
class Reckoning:
    """A month reckoned. `version` names the table that proposed; None, with no code, where no table holds."""

    month: Month
    count: minutes.Count
    proposal: proposing.Proposal
    version: str | None


def reckon(entries: Iterable[minutes.Entry], asked: Asked) -> Reckoning:
    """Return the month's minutes and codes."""
    count = minutes.count(entries, asked.patient, asked.bounds)
    table = tables.table_of(asked.month, asked.tables)
    if table is None:
        missing = Reason("no_table", {"payer": asked.payer, "month": str(asked.month)})
        return Reckoning(asked.month, count, proposing.Proposal(warnings=(missing,)), None)
    proposal = proposing.propose(
        count.minutes,
        table,
        first_month=asked.first_month,
        program=asked.program,
        apcm_base=asked.apcm_base,
        biller=asked.biller,
    )
    return Reckoning(asked.month, count, proposal, table.version)
