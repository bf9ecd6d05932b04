"""Which minutes of a month count for a patient, and why the others do not. Pure.

Time is kept to the second (and below) and rounded down once, at the end of the month: nothing is rounded up to a
threshold. Elapsed time counts, whatever the clocks did meanwhile.

What is the same person's at the same time, for whichever patient, is that which was begun first; what several persons
do for one patient at the same time counts once. Entries of a person for a patient that touch are one stretch of work,
so that it makes no difference in how many entries somebody has written it down.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal, get_args

from caseload.codes import intervals
from caseload.codes.intervals import Interval

Role = Literal["care_manager", "consultant", "automatic", "clerical"]
Why = Literal["before_consent", "after_discharge", "inpatient", "overlap", "other_month", "role"]
WHYS: tuple[Why, ...] = get_args(Why)
# The consultant is paid by contract; what no clinical person has done is no care.
COUNTS: frozenset[Role] = frozenset(["care_manager"])
MINUTE = timedelta(minutes=1)
EVER = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Entry:
    """Work of one person for one patient, from `start` to `end` (both UTC; never before the start).

    `key` is what the caller knows it by; nothing is decided by it.
    """

    start: datetime
    end: datetime
    person: str
    patient: str = ""
    role: Role = "care_manager"
    key: str = ""


@dataclass(frozen=True, slots=True)
class Bounds:
    """Within what minutes count: the month's two local midnights, consent, discharge, stays in a hospital (all UTC).

    `consent_at` None: given before the month. `away` are nights as an inpatient or under observation; they may overlap.
    """

    month: Interval
    consent_at: datetime | None = None
    discharged_at: datetime | None = None
    away: tuple[Interval, ...] = ()


@dataclass(frozen=True, slots=True)
class Share:
    """What became of one entry: the time that counts, and the time that does not, by reason. Together all of it."""

    entry: Entry
    counted: timedelta
    excluded: Mapping[Why, timedelta]


@dataclass(frozen=True, slots=True)
class Count:
    """A patient's month. `shares` stand in the order in which the patient's entries begin."""

    shares: tuple[Share, ...]

    @property
    def counted(self) -> timedelta:
        """All time that counts, to the second and below."""
        return sum((share.counted for share in self.shares), timedelta())

    @property
    def minutes(self) -> int:
        """Whole minutes that count: all seconds together, rounded down once."""
        return self.counted // MINUTE

    @property
    def excluded(self) -> dict[Why, int]:
        """Whole minutes that do not count by reason, each reason's seconds rounded down once; none under a minute."""
        totals = dict.fromkeys(WHYS, timedelta())
        for share in self.shares:
            for why, length in share.excluded.items():
                totals[why] += length
        return {why: total // MINUTE for why, total in totals.items() if total >= MINUTE}


def count(entries: Iterable[Entry], patient: str, bounds: Bounds) -> Count:
    """Return what counts of the patient's entries. Those of other patients only say when a person was busy."""
    given = list(entries)
    ours = sorted(
        (entry for entry in given if entry.patient == patient),
        key=lambda entry: (entry.start, entry.end, entry.person, entry.role, entry.key),
    )
    walls, busy = _walls(bounds), _Busy([entry for entry in given if entry.role in COUNTS], patient)
    credited: list[Interval] = []
    shares = []
    for entry in ours:
        # Entries come by their start: what was credited before it can overlap no later one either.
        credited = [piece for piece in credited if piece[1] > entry.start]
        if entry.role in COUNTS:
            share, pieces = _share(entry, walls, [*busy.elsewhere(entry), *credited])
            credited += pieces
        else:
            share = Share(entry, timedelta(), {"role": entry.end - entry.start})
        shares.append(share)
    return Count(tuple(shares))


def by_patient(entries: Iterable[Entry]) -> dict[str, list[Entry]]:
    """Return by patient the entries that decide what counts for them: their own, and what the same person did for
    others in one stretch with these. `count` of them is `count` of all, which looks at all of them for each patient."""
    deciding, by_person = defaultdict[str, list[Entry]](list), defaultdict[str, list[Entry]](list)
    for entry in entries:
        deciding[entry.patient].append(entry)
        if entry.role in COUNTS:
            by_person[entry.person].append(entry)
    for theirs in by_person.values():
        for stretch in _stretches(theirs):
            for patient in {entry.patient for entry in stretch} if len(stretch) > 1 else ():
                deciding[patient] += [entry for entry in stretch if entry.patient != patient]
    return dict(deciding)


def _stretches(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    """Entries that touch or share time, together."""
    stretch, until = list[Entry](), EVER[0]
    for entry in sorted(entries, key=lambda entry: entry.start):
        if stretch and entry.start > until:
            yield stretch
            stretch = []
        stretch.append(entry)
        until = max(until, entry.end)
    if stretch:
        yield stretch


def _share(
    entry: Entry, walls: Iterable[tuple[Why, Sequence[Interval]]], overlaps: Sequence[Interval]
) -> tuple[Share, list[Interval]]:
    """The entry's share and the pieces that count. A second that two reasons exclude has the first of them."""
    pieces, left = [(entry.start, entry.end)], entry.end - entry.start
    excluded: dict[Why, timedelta] = {}
    for why, holes in (*walls, ("overlap", overlaps)):
        pieces = intervals.without(pieces, holes)
        remaining = intervals.length(pieces)
        if remaining < left:
            excluded[why], left = left - remaining, remaining
    return Share(entry, left, excluded), pieces


def _walls(bounds: Bounds) -> list[tuple[Why, Sequence[Interval]]]:
    past, future = EVER
    begins, ends = bounds.month
    walls: list[tuple[Why, Sequence[Interval]]] = [("other_month", [(past, begins), (ends, future)])]
    if bounds.consent_at is not None:
        walls.append(("before_consent", [(past, bounds.consent_at)]))
    if bounds.discharged_at is not None:
        walls.append(("after_discharge", [(bounds.discharged_at, future)]))
    if bounds.away:
        walls.append(("inpatient", bounds.away))
    return walls


class _Busy:
    """When the persons who work for a patient were busy with what they had begun before, for other patients."""

    def __init__(self, working: Sequence[Entry], patient: str) -> None:
        ours = {entry.person for entry in working if entry.patient == patient}
        raw: dict[str, dict[str, list[Interval]]] = {person: {} for person in ours}
        for entry in working:
            if entry.person in ours:
                raw[entry.person].setdefault(entry.patient, []).append((entry.start, entry.end))
        self._patient = patient
        self._stretches = {
            person: {each: intervals.merged(times) for each, times in by_patient.items()}
            for person, by_patient in raw.items()
            if len(by_patient) > 1
        }

    def elsewhere(self, entry: Entry) -> list[Interval]:
        """What of the person's other stretches keeps the minutes it shares with this entry."""
        by_patient = self._stretches.get(entry.person)
        if by_patient is None:
            return []
        began, _ = intervals.around(by_patient[self._patient], entry.start)
        return [
            (start, end)
            for patient, stretches in by_patient.items()
            if patient != self._patient
            for start, end in intervals.overlapping(stretches, entry.start, entry.end)
            # Of two that begin in the same second the name decides, so that both patients' months agree.
            if (start, patient) < (began, self._patient)
        ]
