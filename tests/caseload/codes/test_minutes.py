"""Which minutes count: every second once, with a reason wherever it does not, in whatever order it is written down."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as some

from caseload.codes import intervals, minutes, proposing, tables
from caseload.codes.minutes import Bounds, Count, Entry
from caseload.months import Month, span
from reminders.rules import zones

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
MARCH = span(Month(2026, 3), zones.zone("America/Chicago"))
SECOND = timedelta(seconds=1)
seconds = some.integers(0, 120).map(lambda count: timedelta(seconds=count))
roles = some.sampled_from(["care_manager", "care_manager", "care_manager", "consultant", "automatic", "clerical"])
entries_of = some.lists(
    some.builds(
        lambda begins, length, person, patient, role: Entry(
            NOON + begins, NOON + begins + length, person, patient, role
        ),
        seconds,
        seconds,
        some.sampled_from("ab"),
        some.sampled_from(["", "", "q", "r"]),
        roles,
    ),
    max_size=7,
)
moments = some.none() | seconds.map(lambda after: NOON + after)
stays = some.lists(some.tuples(seconds, seconds), max_size=3).map(
    lambda pairs: tuple((NOON + begins, NOON + begins + length) for begins, length in pairs)
)
bounds_of = some.builds(
    Bounds,
    month=some.just(MARCH) | seconds.map(lambda after: (NOON + after, MARCH[1])),
    consent_at=moments,
    discharged_at=moments,
    away=stays,
)


def at(begins: int, ends: int, person: str = "a", patient: str = "", role: minutes.Role = "care_manager") -> Entry:
    return Entry(NOON + timedelta(minutes=begins), NOON + timedelta(minutes=ends), person, patient, role)


def counted(*entries: Entry, **bounds: object) -> Count:
    return minutes.count(entries, "", Bounds(MARCH, **bounds))  # type: ignore[arg-type]


@given(entries_of, bounds_of)
def test_of_everybodys_work_only_a_part_decides_for_a_patient(entries: list[Entry], bounds: Bounds) -> None:
    deciding = minutes.by_patient(entries)
    assert set(deciding) == {entry.patient for entry in entries}
    for patient, part in deciding.items():
        assert minutes.count(part, patient, bounds) == minutes.count(entries, patient, bounds)


def test_a_role_that_never_counts_takes_nothing_from_what_does() -> None:
    for role in ("consultant", "automatic", "clerical"):
        count = counted(at(0, 30, role=role), at(10, 40))
        assert (count.minutes, count.excluded) == (30, {"role": 30})
        elsewhere = counted(at(0, 30, patient="q", role=role), at(10, 40))
        assert (elsewhere.minutes, elsewhere.excluded) == (30, {})


def test_a_reason_stands_once_with_all_its_minutes() -> None:
    count = counted(at(0, 10, role="clerical"), at(20, 30, role="consultant"), at(40, 50), at(40, 45, "b"))
    assert (count.minutes, count.excluded) == (10, {"overlap": 5, "role": 20})


def test_a_second_that_two_reasons_exclude_has_the_first_of_them() -> None:
    half = NOON + timedelta(minutes=30)
    count = counted(at(0, 60), consent_at=half, away=((NOON, NOON + timedelta(minutes=45)),))
    assert (count.minutes, count.excluded) == (15, {"before_consent": 30, "inpatient": 15})


def test_stays_that_overlap_are_left_out_once() -> None:
    stay = (NOON, NOON + timedelta(minutes=20)), (NOON + timedelta(minutes=10), NOON + timedelta(minutes=30))
    assert counted(at(0, 60), away=stay).excluded == {"inpatient": 30}


def test_consent_counts_from_its_second_and_discharge_up_to_its() -> None:
    call = at(0, 30)
    assert counted(call, consent_at=call.start).minutes == 30
    assert counted(call, consent_at=call.end).excluded == {"before_consent": 30}
    assert counted(call, discharged_at=call.end).minutes == 30
    assert counted(call, discharged_at=call.start).excluded == {"after_discharge": 30}
    ended_first = counted(call, consent_at=call.start + timedelta(minutes=10), discharged_at=call.start)
    assert (ended_first.minutes, ended_first.excluded) == (0, {"before_consent": 10, "after_discharge": 20})


def test_a_reason_of_less_than_a_minute_is_not_listed_and_not_counted() -> None:
    nearly = replace(at(0, 30), end=NOON + timedelta(minutes=29, seconds=30))
    count = counted(nearly, consent_at=NOON + timedelta(seconds=59))
    assert (count.minutes, count.excluded) == (28, {})
    assert count.shares[0].excluded == {"before_consent": timedelta(seconds=59)}


def test_fractions_of_a_second_are_kept_too() -> None:
    half = timedelta(milliseconds=500)
    first = Entry(NOON, NOON + timedelta(minutes=16) - half, "a")
    assert counted(first).minutes == 15
    assert counted(first, Entry(NOON + timedelta(hours=1), NOON + timedelta(hours=1) + half, "a")).minutes == 16


def test_what_a_person_began_first_keeps_the_shared_minutes_for_both_patients() -> None:
    mine, other = at(0, 20), at(10, 30, patient="q")
    assert minutes.count([mine, other], "", Bounds(MARCH)).minutes == 20
    assert minutes.count([mine, other], "q", Bounds(MARCH)).minutes == 10


def test_one_stretch_of_work_may_be_written_down_in_several_entries() -> None:
    other = at(5, 25, patient="q")
    for entries in ([at(0, 30)], [at(0, 10), at(10, 30)], [at(0, 15), at(10, 30)], [at(10, 30), at(0, 10)]):
        assert counted(*entries, other).minutes == 30
        assert minutes.count([*entries, other], "q", Bounds(MARCH)).minutes == 0
    # A pause is the end of the stretch, and what was begun in it goes first.
    assert counted(at(0, 4), at(10, 30), other).minutes == 9


def test_of_two_begun_in_the_same_second_one_patient_has_the_minutes() -> None:
    both = [at(0, 20, patient="p"), at(0, 30, patient="q")]
    by_patient = [minutes.count(both, patient, Bounds(MARCH)).minutes for patient in ("p", "q")]
    assert by_patient == [20, 10]


def test_work_taken_by_another_patient_does_not_take_a_colleague_s() -> None:
    count = counted(at(-10, 20, patient="q"), at(0, 20), at(0, 20, "b"))
    assert (count.minutes, count.excluded) == (20, {"overlap": 20})


def test_who_never_worked_for_the_patient_takes_nothing_from_them() -> None:
    assert counted(at(0, 20), at(0, 20, "b", "q")).minutes == 20


def test_no_work_is_nothing() -> None:
    count = counted()
    assert (count.minutes, count.excluded, count.shares) == (0, {}, ())
    assert counted(at(0, 0)).minutes == 0


def seconds_of(entries: list[Entry], patient: str, bounds: Bounds) -> int:
    """The same by walking through every second: the oracle."""
    working = [entry for entry in entries if entry.role == "care_manager"]
    total, moment = 0, NOON - SECOND
    while moment < NOON + timedelta(seconds=241):
        moment += SECOND
        allowed = bounds.month[0] <= moment < bounds.month[1]
        allowed = allowed and (bounds.consent_at is None or moment >= bounds.consent_at)
        allowed = allowed and (bounds.discharged_at is None or moment < bounds.discharged_at)
        allowed = allowed and not any(start <= moment < end for start, end in bounds.away)
        total += bool(allowed and _somebody_works(working, patient, moment))
    return total


def _somebody_works(working: list[Entry], patient: str, moment: datetime) -> bool:
    for person in {entry.person for entry in working}:
        busy = [
            (_begun(working, entry), entry.patient)
            for entry in working
            if entry.person == person and entry.start <= moment < entry.end
        ]
        if busy and min(busy)[1] == patient:
            return True
    return False


def _begun(working: list[Entry], entry: Entry) -> datetime:
    """When the stretch of work began that the entry belongs to."""
    start = entry.start
    while True:
        same = (each for each in working if (each.person, each.patient) == (entry.person, entry.patient))
        earlier = min((each.start for each in same if each.start < start <= each.end), default=start)
        if earlier == start:
            return start
        start = earlier


@given(entries_of, bounds_of)
def test_every_second_counts_once_or_not_at_all(entries: list[Entry], bounds: Bounds) -> None:
    for patient in ("", "q"):
        counted_time = minutes.count(entries, patient, bounds).counted
        assert counted_time == timedelta(seconds=seconds_of(entries, patient, bounds))


@given(entries_of, bounds_of)
def test_counted_and_excluded_are_all_that_was_given(entries: list[Entry], bounds: Bounds) -> None:
    for share in minutes.count(entries, "", bounds).shares:
        given_time = share.entry.end - share.entry.start
        assert share.counted + sum(share.excluded.values(), timedelta()) == given_time
        assert all(length > timedelta() for length in share.excluded.values()) or not given_time


@given(entries_of, bounds_of, moments)
def test_nothing_before_consent_counts(entries: list[Entry], bounds: Bounds, consent_at: datetime | None) -> None:
    agreed = replace(bounds, consent_at=consent_at)
    before = [entry for entry in entries if consent_at is not None and entry.end <= consent_at]
    assert minutes.count(before, "", agreed).counted == timedelta()
    after = intervals.merged((max(e.start, consent_at or e.start), e.end) for e in entries if e.patient == "")
    assert minutes.count(entries, "", agreed).counted <= sum(
        (max(end - start, timedelta()) for start, end in after), timedelta()
    )


@given(entries_of, bounds_of, some.randoms())
def test_the_order_of_entries_makes_no_difference(entries: list[Entry], bounds: Bounds, chance: object) -> None:
    shuffled = list(entries)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    ordered, mixed = (minutes.count(each, "", bounds) for each in (entries, shuffled))
    assert (ordered.counted, ordered.excluded) == (mixed.counted, mixed.excluded)


def halves(entries: list[Entry], place: int, share: float) -> Iterator[Entry]:
    for index, entry in enumerate(entries):
        if index == place:
            middle = entry.start + timedelta(seconds=int((entry.end - entry.start).total_seconds() * share))
            yield replace(entry, end=middle)
            yield replace(entry, start=middle)
        else:
            yield entry


@given(entries_of, bounds_of, some.integers(0, 6), some.floats(0, 1))
def test_an_entry_split_in_two_is_the_same_work(entries: list[Entry], bounds: Bounds, place: int, share: float) -> None:
    split = minutes.count(halves(entries, place, share), "", bounds)
    whole = minutes.count(entries, "", bounds)
    assert (split.counted, split.excluded) == (whole.counted, whole.excluded)


@given(some.integers(0, 500), some.booleans(), some.sampled_from([16, 30, None]), some.sampled_from([None, 0, 4]))
def test_more_minutes_never_earn_less(
    count: int, first_month: bool, g2214_min: int | None, addon_cap: int | None
) -> None:
    [table] = tables.payers()["medicare"]
    style = table.model_copy(update={"g2214_min": g2214_min, "addon_cap": addon_cap})
    ranks = {"G2214": 1, "99492": 2, "99493": 2, "99494": 2}
    less, more = (
        sum(ranks[each.code] * each.units for each in proposing.propose(of, style, first_month=first_month).codes)
        for of in (count, count + 1)
    )
    assert less <= more
