"""The 90-day review in words: shares as they are said, sentences about what is left out, and the run chart. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType

from caseload.figures import adding_up, definitions
from caseload.figures.adding_up import Result, Row, Share
from web import times, words

LEFT, RIGHT, TOP, BOTTOM = 42, 312, 8, 84
WEEKS = 26
# The run chart ends at the lowest of these that holds every point, in per cent.
CEILINGS = (10, 25, 50, 100)
NO_WORDS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Line:
    """A row in words: these days and those before, each as (per cent, "12 of 40"), and the per cent as numbers."""

    key: str
    label: str
    now: tuple[str, str]
    before: tuple[str, str]
    percents: tuple[float | None, float | None]


@dataclass(frozen=True)
class Chart:
    """The share of each week: a path through the weeks that have one, dots, where these days begin, and the top."""

    path: str
    dots: tuple[tuple[float, float], ...]
    divider: float
    ceiling: int
    first: str
    last: str
    table: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True)
class Card:
    """A measure in words."""

    key: str
    title: str
    defined: str
    caution: str
    finding: Line | None
    lines: tuple[Line, ...]
    excluded: str
    chart: Chart | None
    missing: str = ""


@dataclass(frozen=True)
class Section:
    """Measures that belong together."""

    key: str
    title: str
    cards: tuple[Card, ...]


def sections(
    results: Sequence[Result], charts: dict[str, Chart | None], own: Mapping[str, str] = NO_WORDS
) -> list[Section]:
    """Return the measures in their sections, in order; `own` are the clinic's own words for rows, by key."""
    return [
        Section(key, title, cards)
        for key, title in definitions.words("sections").items()
        if (cards := tuple(card(each, charts.get(each.measure.key), own) for each in results if _in(each, key)))
    ]


def _in(result: Result, section: str) -> bool:
    return result.measure.section == section


def card(result: Result, chart: Chart | None = None, own: Mapping[str, str] = NO_WORDS) -> Card:
    """Return one measure in words."""
    measure = result.measure
    return Card(
        key=measure.key,
        title=measure.title,
        defined=measure.defined,
        caution=measure.caution,
        finding=line(result.main) if result.main else None,
        lines=() if result.missing else tuple(line(row, own) for row in result.rows),
        excluded=left_out(result),
        chart=chart,
        missing=result.missing,
    )


def line(row: Row, own: Mapping[str, str] = NO_WORDS) -> Line:
    """Return a row in words."""
    now, before = (_said(row, share) for share in (row.now, row.before))
    percents = (None, None) if row.is_rate else (row.now.percent, row.before.percent)
    return Line(row.key, label(row.key, own), now, before, percents)


def _said(row: Row, share: Share) -> tuple[str, str]:
    if row.is_rate:
        return rate_said(share)
    return mean_said(share) if row.is_mean else said(share, row.is_share)


def rate_said(share: Share) -> tuple[str, str]:
    """Return (how often in a hundred months, "12 in 400 months"); what is hidden says so."""
    if share.n is None or share.of is None:
        return words.say("review", "hidden"), "" if share.of is None else words.say(
            "review", "months", of=f"{share.of:,}"
        )
    often = "–" if share.percent is None else f"{share.percent:.1f}"
    return often, words.say("review", "in_months", n=f"{share.n:,}", of=f"{share.of:,}")


def label(key: str, own: Mapping[str, str] = NO_WORDS) -> str:
    """Return the name of a row; a language by its own name, a question by its words, a code as it is."""
    return own.get(key) or definitions.words("keys").get(key) or words.table_of("languages").get(key, key)


def mean_said(share: Share) -> tuple[str, str]:
    """Return (mean, "of 40 answers"); what is hidden says so."""
    if share.n is None and share.mean is None:
        return words.say("review", "hidden"), ""
    mean = "–" if share.mean is None else f"{share.mean:.1f}"
    return mean, "" if share.n is None else words.say("review", "answers", n=f"{share.n:,}")


def said(share: Share, is_share: bool) -> tuple[str, str]:
    """Return (per cent, "12 of 40"); a number alone is its own first part; what is hidden says so."""
    if not is_share:
        return (f"{share.n:,}" if share.n is not None else words.say("review", "hidden"), "")
    if share.of is None:
        return words.say("review", "hidden"), ""
    if share.n is None:
        return words.say("review", "hidden"), words.say("review", "of_all", of=f"{share.of:,}")
    percent = "–" if share.percent is None else f"{share.percent:.0f} %"
    return percent, words.say("review", "of", n=f"{share.n:,}", of=f"{share.of:,}")


def left_out(result: Result) -> str:
    """Return what was left out, with its numbers, in one sentence; empty where nothing was."""
    said_out = [
        f"{words.say('review', 'few') if row.now.n is None else f'{row.now.n:,}'}"
        f" {definitions.said('excluded', row.key)}"
        for row in result.excluded
        if row.now.n != 0
    ]
    return words.say("review", "left_out", what="; ".join(said_out)) if said_out else ""


def chart(weeks: Sequence[tuple[date, Share]], first: date) -> Chart | None:
    """Draw the share of each week; None where fewer than two weeks have one. `first` is the first of these days."""
    shares = [(begins, share) for begins, share in weeks if share.percent is not None]
    if len(shares) < 2:
        return None
    start, length = weeks[0][0], 7 * len(weeks)
    highest = max(share.percent or 0 for _, share in shares)
    ceiling = next(top for top in CEILINGS if highest <= top or top == CEILINGS[-1])

    def x(day: date, middle: float = 0.0) -> float:
        return round(LEFT + ((day - start).days + middle) / length * (RIGHT - LEFT), 1)

    def y(percent: float) -> float:
        return round(BOTTOM - min(percent, ceiling) / ceiling * (BOTTOM - TOP), 1)

    dots = tuple((x(begins, 3.5), y(share.percent or 0)) for begins, share in shares)
    table = tuple((times.date_of(begins), *said(share, True)) for begins, share in weeks)
    return Chart(
        path="M" + "L".join(f"{across} {down}" for across, down in dots),
        dots=dots,
        divider=x(first),
        ceiling=ceiling,
        first=times.date_of(start),
        last=times.date_of(weeks[-1][0]),
        table=table,
    )


def charts(days: adding_up.Days, results: Sequence[Result], last: date, first: date) -> dict[str, Chart | None]:
    """Return the run chart of each measure that has a main row, by its key."""
    return {
        each.measure.key: chart(adding_up.weeks(days, each.measure, last, WEEKS), first)
        for each in results
        if each.measure.main
    }


def csv_row(result: Result, row: Row, own: Mapping[str, str] = NO_WORDS) -> list[str]:
    """Return the cells of one row of the table for a spreadsheet, means last; what is hidden says so."""
    cells = [result.measure.title, label(row.key, own)]
    for share in (row.now, row.before):
        cells += [_cell(share.n), _cell(share.of) if row.is_share else "", _percent(share)]
    return cells + ["" if share.mean is None else f"{share.mean:.2f}" for share in (row.now, row.before)]


def _cell(number: int | None) -> str:
    return words.say("review", "hidden") if number is None else str(number)


def _percent(share: Share) -> str:
    return "" if share.percent is None else f"{share.percent:.1f}"
