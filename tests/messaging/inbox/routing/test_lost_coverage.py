"""What an act takes away, to the minute; what was a gap before is none it makes; whose cover would close it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st

from messaging.inbox.routing import assign, coverage_gaps, lost_coverage
from messaging.inbox.routing.assign import Hours, Rules
from messaging.inbox.routing.coverage_gaps import Away, Watch
from tests.messaging.inbox.routing.test_coverage_gaps import BEN, DAY, NIGHT, ROSA, START, clinics, said
from tests.messaging.inbox.routing.test_escalation_policy import person

DENVER = "America/Denver"
WEEK = timedelta(days=7)
NIGHTS = person("Cleo", on_call=NIGHT, hours=DAY)


def watch(*people, rules=None, absences=(), zone=DENVER) -> Watch:
    return Watch(people, rules or Rules(), absences, zone)


def away(who, start, end, cover=None) -> Away:
    return Away(who.id, cover.id if cover else None, start, end)


def test_a_phone_that_goes_is_a_hole_in_the_hours_of_whoever_had_it():
    before, after = watch(ROSA, BEN), watch(ROSA, replace(BEN, phone=False))
    assert said(lost_coverage.lost(before, after, START))[0] == "Mon 0:00 to Mon 8:00"
    assert lost_coverage.lost(after, before, START) == []


def test_a_role_that_cannot_open_an_item_reaches_nobody():
    called = replace(BEN, on_call=NIGHT)
    after = watch(ROSA, replace(called, role="front_desk"))
    assert said(lost_coverage.lost(watch(ROSA, called), after, START))[0] == "Mon 0:00 to Mon 8:00"


def test_a_hole_of_every_week_is_mended_also_where_an_absence_leaves_part_of_it():
    """Ben is put on call for nights nobody had; one of them he is away. That night had nobody before either."""
    night = away(BEN, START + WEEK, START + WEEK + timedelta(days=1))
    before, after = watch(ROSA, absences=[night]), watch(ROSA, BEN, absences=[night])
    assert lost_coverage.lost(before, after, START) == []
    assert [gap.when for gap in coverage_gaps.every(after, START)] == ["away"]


def test_a_new_holiday_is_compared_with_an_ordinary_day():
    open_all_day = Rules(hours=Hours(DENVER, DAY))
    closed = replace(open_all_day, hours=replace(open_all_day.hours, holidays=("2027-11-25",)))
    before = watch(ROSA, BEN, rules=open_all_day)
    assert said(lost_coverage.lost(before, watch(ROSA, BEN, rules=closed), START)) == ["Thu 0:00 to Fri 0:00"]
    over = datetime(2027, 11, 27, tzinfo=UTC)
    assert lost_coverage.lost(before, watch(ROSA, BEN, rules=closed), over) == []


def test_an_absence_that_begins_after_a_year_is_asked_too():
    start = START + timedelta(days=800)
    late = away(BEN, start, start + timedelta(days=1))
    assert lost_coverage.lost(watch(ROSA, BEN), watch(ROSA, BEN, absences=[late]), START)


def test_another_clock_moves_the_hours_into_an_absence():
    """Ben is away while Rosa is at work in Denver; three hours further east she has gone home before he is back."""
    start = datetime(2027, 6, 1, 14, tzinfo=UTC)
    gone = away(BEN, start, start + timedelta(hours=12))
    before = watch(ROSA, BEN, absences=[gone])
    moved = replace(before, zone="America/New_York", rules=Rules(hours=Hours("America/New_York")))
    assert said(lost_coverage.lost(before, moved, START), "America/New_York") == ["Tuesday 1 June 2027 20:00 to 22:00"]


def test_whose_cover_would_close_it_are_those_with_a_phone_who_are_here_and_may_act():
    cleo, finn = person("Cleo", hours=DAY), person("Finn", hours=DAY, phone=False)
    dana, ida = person("Dana", role="clinic_admin", hours=DAY), person("Ida", role="front_desk")
    start = START + WEEK
    absence = away(BEN, start, start + timedelta(days=2))
    busy = away(cleo, start + timedelta(days=1), start + timedelta(days=1, hours=1))
    team = watch(ROSA, BEN, cleo, finn, dana, ida, absences=[busy])
    assert [person.name for person in lost_coverage.closing(team, absence, START)] == ["Rosa", "Dana"]


def test_whoever_covers_is_called_in_the_hours_of_whom_they_stand_in_for_and_after_whoever_is_at_work():
    gone = replace(BEN, away=True, covered_by=ROSA.id)
    night = datetime(2027, 6, 1, 23)
    assert coverage_gaps.awake([ROSA, gone], Rules(), night) == ("Rosa",)
    members = [coverage_gaps.present(person, night, Hours()) for person in (ROSA, gone, NIGHTS)]
    (rosa,) = [member for member in assign.ranked(coverage_gaps.SAFETY, members, Rules()) if member.name == "Rosa"]
    assert (rosa.on_duty, rosa.on_call, rosa.in_place_of) == (False, True, (BEN.email,))
    at_work = coverage_gaps.present(person("Elif"), night, Hours())
    assert assign.choose(coverage_gaps.SAFETY, [*members, at_work], Rules()).owner_id == at_work.id


def reached(watch: Watch, at: datetime) -> bool:
    gone = {
        absence.staff_id: absence.cover_id for absence in watch.absences if absence.starts_at <= at < absence.ends_at
    }
    team = [replace(person, away=person.id in gone, covered_by=gone.get(person.id)) for person in watch.people]
    local = at.astimezone(ZoneInfo(watch.zone)).replace(tzinfo=None)
    return bool(coverage_gaps.awake(team, watch.rules, local, closed=watch.rules.hours.closed_on(local.date())))


@profile(max_examples=150, deadline=None)
@given(was=clinics(), becomes=clinics(), minute=st.integers(0, 41 * 1440), same_rules=st.booleans())
def test_every_minute_that_is_lost_is_found_and_no_other(was, becomes, minute, same_rules):
    rules, team, place, absences = was
    before = Watch(team, rules, absences, place)
    after = Watch(becomes[1], rules if same_rules else becomes[0], becomes[3], place)
    at = START + timedelta(minutes=minute)
    local = at.astimezone(ZoneInfo(place))
    wall = local.weekday() * 1440 + local.hour * 60 + local.minute
    closed = after.rules.hours.closed_on(local.date())
    gaps = lost_coverage.lost(before, after, START)
    during = [gap for gap in gaps if gap.when == "away"]
    instant = int((at - coverage_gaps.EPOCH).total_seconds() // 60)
    named = any(gap.start <= instant < gap.end for gap in during)
    named_weekly = any(
        gap.start <= wall < gap.end for gap in gaps if gap.when == "week" or (gap.when == "holiday" and closed)
    )
    if reached(before, at) and not reached(after, at):
        assert named or named_weekly, "a minute that is lost and not named"
    if named:
        assert reached(before, at)
        assert not reached(after, at)
