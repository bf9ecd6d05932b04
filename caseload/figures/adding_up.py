"""The review of a span of days, added up from the kept counts of each day, beside the days before. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from caseload.figures.days import Span
from caseload.figures.definitions import By, Measure, Part, measures

Days = Mapping[date, Mapping[str, int]]
NUMBERS, NUMBER = "numbers", "number."
WEEK = 7


@dataclass(frozen=True, slots=True)
class Share:
    """`n` of `of`; `of` None: a number and no share. Either is None in what leaves the clinic where it is too small.

    Of marks it is how many there are (`n`), and their `mean`, None where there are none or too few.
    """

    n: int | None
    of: int | None = None
    mean: float | None = None

    @property
    def percent(self) -> float | None:
        """The share in per cent; None where it is of nobody, hidden or no share: nothing of nothing is no rate."""
        return 100 * self.n / self.of if self.of and self.n is not None else None


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a measure, of these days and of those before; `is_share` says that it is n of N, `is_mean` that it is
    a mean of marks."""

    key: str
    now: Share
    before: Share
    is_share: bool
    people: bool = True
    is_mean: bool = False
    is_rate: bool = False


@dataclass(frozen=True, slots=True)
class Result:
    """A measure counted: its rows, and what was left out of them."""

    measure: Measure
    rows: tuple[Row, ...]
    excluded: tuple[Row, ...]

    @property
    def main(self) -> Row | None:
        """The row that stands for the measure, if one does."""
        return next((row for row in self.rows if row.key == self.measure.main), None)

    @property
    def missing(self) -> str:
        """What to do where the first row is of nothing, as far as the measure has words for it."""
        return self.measure.missing if self.rows and self.rows[0].now.of == 0 else ""


def added(days: Days, span: Span) -> Counter[str]:
    """Return the sum of the counts of a span, each number texted counted once.

    A day keeps how long ago each of its numbers had been texted before: it is new where that lies before the span.
    """
    total: Counter[str] = Counter()
    for day, counts in days.items():
        if day not in span:
            continue
        since = (day - span.first).days
        for name, number in counts.items():
            if not name.startswith(NUMBER):
                total[name] += number
            elif int(name.removeprefix(NUMBER)) > since:
                total[NUMBERS] += number
    return total


def review(days: Days, span: Span, *, registry: bool) -> list[Result]:
    """Return every measure of a span beside as many days before; those of the registry where there is one."""
    now, before = added(days, span), added(days, span.before)
    return [result(measure, now, before) for measure in measures().values() if registry or not measure.registry]


def in_order(results: Sequence[Result], keys: Sequence[str]) -> list[Result]:
    """Return the results with means in the order of these keys: the clinic's own questions as it asks them."""
    places = {key: place for place, key in enumerate(keys)}

    def place(row: Row) -> int:
        return places.get(row.key, len(places)) if row.is_mean else 0

    return [replace(each, rows=tuple(sorted(each.rows, key=place))) for each in results]


def result(measure: Measure, now: Counter[str], before: Counter[str]) -> Result:
    """Return one measure of two sums of counts."""
    rows = measure.rows if measure.by is None else _by(measure.by, {*now, *before})
    return Result(
        measure,
        tuple(_row(row, now, before) for row in rows),
        tuple(_row(row, now, before) for row in measure.excluded),
    )


def weeks(days: Days, measure: Measure, last: date, many: int) -> list[tuple[date, Share]]:
    """Return the main row of each of so many weeks until `last`, each by its first day, the oldest first."""
    part = next((row for row in measure.rows if row.key == measure.main), None)
    if part is None:
        return []
    spans = [Span(last - timedelta(days=WEEK * back - 1), last - timedelta(days=WEEK * (back - 1)))
             for back in range(many, 0, -1)]  # fmt: skip
    return [(span.first, _share(part, added(days, span))) for span in spans]


def _by(by: By, names: Iterable[str]) -> Sequence[Part]:
    keys = sorted({name.removeprefix(by.prefix).split(".")[0] for name in names if name.startswith(by.prefix)})

    def full(key: str, rest: str) -> str:
        return f"{by.prefix}{key}.{rest}" if rest else f"{by.prefix}{key}"

    return [
        Part(key, (full(key, by.n),), tuple(full(key, rest) for rest in by.of), people=bool(by.of), mean=by.mean)
        for key in keys
    ]


def _row(part: Part, now: Counter[str], before: Counter[str]) -> Row:
    is_share = bool(part.of) and not part.mean
    return Row(part.key, _share(part, now), _share(part, before), is_share, part.people, part.mean, part.rate)


def _share(part: Part, counts: Counter[str]) -> Share:
    if part.mean:
        total, many = _sum(part.n, counts), _sum(part.of, counts)
        return Share(many, mean=total / many if many else None)
    return Share(_sum(part.n, counts) // part.each, _sum(part.of, counts) // part.of_each if part.of else None)


def _sum(names: Sequence[str], counts: Counter[str]) -> int:
    return sum(-counts[name[1:]] if name.startswith("-") else counts[name] for name in names)
