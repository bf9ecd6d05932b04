"""Which score a LOINC code names, and whether a value is possible for it; each way of sending scores asks here."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from intake_links import scoring
from interchange.problems import Problems

# The act of a value that cannot be right, and asks for a person: never filed as a score.
UNCLEAR = "score.unclear"
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


def told(
    named: Coded, value: int | None, where: str, problems: Problems, *, empty: bool = False
) -> dict[str, object] | None:
    """Return the act of a score without whose it is; where its value is impossible, that is told, and the act is
    "score.unclear", or None where it asks nothing more of a person. `empty` is what says nothing at all.
    """
    if named.part == "panel":
        problems.note("score_under_panel", where)
    elif value is None:
        problems.note("score_unreadable", where)
    elif value not in named.values:
        problems.note("score_out_of_range", where)
    else:
        of_item = {"item": named.item, "value": value} if named.part == "item" else {"total": value}
        return {"act": "score", "instrument": named.instrument, **of_item}
    return None if empty else _unclear(named, value)


def unclear(act: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return of a score that cannot be filed what it asks of a person; None for nothing."""
    if act["act"] != "score" or act["state"] == "withdrawn":
        return dict(act) if act["act"] == UNCLEAR else None
    definition = scoring.instrument(str(act["instrument"]))
    answers, total = answers_of(act), act.get("total")
    score = scoring.score(definition.id, answers, None, total if isinstance(total, int) else None)
    kind = "safety" if score.alerts else "screen" if score.positive else None
    return {**act, "act": UNCLEAR, "part": "form", "kind": kind} if kind else None


def answers_of(act: Mapping[str, Any]) -> list[int | None]:
    """Return the answers that an act tells, in the instrument's order."""
    items = scoring.instrument(str(act["instrument"])).items
    given = act.get("answers")
    if isinstance(given, list):
        return given
    value = act.get("value")
    return [value if isinstance(value, int) and item.id == act.get("item") else None for item in items]


def _unclear(named: Coded, value: int | None) -> dict[str, object] | None:
    """What may be a positive answer to an alerting item, or a positive total under another code, asks for a person."""
    definition = scoring.instrument(named.instrument)
    alerting = {definition.items[rule.item - 1].id for rule in definition.alerts}
    if named.item in alerting:
        kind = "safety"
    elif value is None or value > definition.highest_total:
        kind = "screen" if named.part != "item" else ""
    else:
        score = scoring.score(definition.id, [None] * len(definition.items), None, value)
        kind = "safety" if score.alerts else "screen" if score.positive else ""
    part = named.item or "total"
    return {"act": UNCLEAR, "instrument": named.instrument, "part": part, "kind": kind} if kind else None


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
