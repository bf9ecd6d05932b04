"""Numbers so small that they may point at somebody, hidden in what leaves the clinic. Pure.

Fewer than eleven are hidden (the convention of CMS for its own data), none at all is not. So is a number whose
complement is as small, and, of parts of one whole or steps of one count, one from which a hidden one could be told.
"""

from collections.abc import Sequence
from dataclasses import replace

from caseload.figures.adding_up import Result, Row, Share

LEAST = 11


def small(number: int | None) -> bool:
    """Whether a number is hidden: 1 to 10."""
    return number is not None and 0 < number < LEAST


def hide(results: Sequence[Result]) -> list[Result]:
    """Return the results as they may leave the clinic."""
    return _guarded(
        [
            replace(
                each,
                rows=_hidden(each),
                excluded=tuple(replace(row, now=_share(row.now), before=_share(row.before)) for row in each.excluded),
            )
            for each in results
        ]
    )


def on_the_page(results: Sequence[Result]) -> list[Result]:
    """Return the results as the clinic itself sees them: small numbers stand there, but not of who is unnamed."""
    hidden = hide(results)
    return [less if whole.measure.unnamed else whole for whole, less in zip(results, hidden, strict=True)]


def _guarded(results: Sequence[Result]) -> list[Result]:
    """Hide what would tell a hidden number of another measure: how many there are of a whole. A mean may stand."""
    by_key = {each.measure.key: each for each in results}
    return [_behind(each, by_key[each.measure.guard]) if each.measure.guard in by_key else each for each in results]


def _behind(result: Result, guard: Result) -> Result:
    gone = [any(getattr(row, when).n is None for row in guard.rows) for when in ("now", "before")]
    return replace(result, rows=tuple(_without_number(row, *gone) for row in result.rows))


def _without_number(row: Row, now: bool, before: bool) -> Row:
    return replace(
        row,
        now=Share(None, None, row.now.mean) if now else row.now,
        before=Share(None, None, row.before.mean) if before else row.before,
    )


def _hidden(result: Result) -> tuple[Row, ...]:
    now = _column(result, [row.now for row in result.rows])
    before = _column(result, [row.before for row in result.rows])
    return tuple(
        row if not row.people else replace(row, now=ours, before=theirs)
        for row, ours, theirs in zip(result.rows, now, before, strict=True)
    )


def _column(result: Result, shares: Sequence[Share]) -> list[Share]:
    hidden = [_share(share) for share in shares]
    if result.measure.parts:
        return _parts(result, shares, hidden)
    if result.measure.steps:
        return _steps(shares, hidden)
    return hidden


def _share(share: Share) -> Share:
    if share.mean is not None:
        return Share(None) if small(share.n) else share
    if small(share.of):
        return Share(None, None)
    rest = None if share.of is None or share.n is None else abs(share.of - share.n)
    return Share(None, share.of) if small(share.n) or small(rest) else share


def _parts(result: Result, shares: Sequence[Share], hidden: Sequence[Share]) -> list[Share]:
    """One hidden part would follow from the whole and the others: the smallest that is shown goes with it."""
    keys = [row.key for row in result.rows]
    places = [place for place, key in enumerate(keys) if key != result.measure.total]
    gone = [place for place in places if hidden[place].n is None]
    shown = sorted((shares[place].n or 0, place) for place in places if hidden[place].n)
    out = list(hidden)
    if len(gone) == 1 and shown:
        place = shown[0][1]
        out[place] = Share(None, None if hidden[gone[0]].of is None else shares[place].of)
    return out


def _steps(shares: Sequence[Share], hidden: Sequence[Share]) -> list[Share]:
    """The difference of two steps of one count is a number as well."""
    out, before = list(hidden), None
    for place, share in enumerate(shares):
        if out[place].n is None:
            continue
        if before is not None and small(abs((share.n or 0) - before)):
            out[place] = Share(None, out[place].of)
        else:
            before = share.n
    return out
