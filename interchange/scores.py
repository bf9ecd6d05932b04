"""Which score a LOINC code names, and whether a value is possible for it; each way of sending scores asks here."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from intake_links import scoring
from interchange.problems import Problems

WHOLE = re.compile(r"(\d{1,4})(?:\.0*)?", re.ASCII)


@dataclass(frozen=True)
class Coded:
    """What a code names: the total, one item or the whole panel of an instrument, and its possible values."""

    instrument: str
    part: str  # total | item | panel
    values: range
    item: str | None = None
    answers: tuple[tuple[str, int], ...] = ()


def coded(loinc: str) -> Coded | None:
    """Return what a LOINC code names; None for what is no score of ours."""
    return _codes().get(loinc)


def whole(written: object) -> int | None:
    """Return a whole number, whether it was sent as one or as text ("14", "14.0"); None for anything else."""
    if isinstance(written, bool):
        return None
    text = str(written).strip() if isinstance(written, (int, float, str)) else ""
    number = WHOLE.fullmatch(text)
    return int(number[1]) if number else None


def told(named: Coded, value: int | None, where: str, problems: Problems) -> dict[str, object] | None:
    """Return the act of a score without whose it is; None where its value is impossible, which is told."""
    if named.part == "panel":
        problems.note("score_under_panel", where)
    elif value is None:
        problems.note("score_unreadable", where)
    elif value not in named.values:
        problems.note("score_out_of_range", where)
    else:
        of_item = {"item": named.item, "value": value} if named.part == "item" else {"total": value}
        return {"act": "score", "instrument": named.instrument, **of_item}
    return None


@cache
def _codes() -> dict[str, Coded]:
    return dict(pair for instrument in scoring.instruments().values() for pair in _of(instrument))


def _of(instrument: scoring.Instrument) -> Iterator[tuple[str, Coded]]:
    highest = sum(max(item.values) for item in instrument.items if item.scored)
    if instrument.panel_loinc:
        yield instrument.panel_loinc, Coded(instrument.id, "panel", range(0))
    for item in instrument.items:
        if item.loinc:
            answers = tuple((answer.loinc, answer.value) for answer in item.answers if answer.loinc)
            yield item.loinc, Coded(instrument.id, "item", range(max(item.values) + 1), item.id, answers)
    if instrument.total_loinc:
        yield instrument.total_loinc, Coded(instrument.id, "total", range(highest + 1))
