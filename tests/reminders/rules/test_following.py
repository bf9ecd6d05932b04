"""When a link is texted once more: at another time of day, inside the hours, never too near the visit."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from reminders.rules import following, zones
from reminders.rules.hours import OpenHours

DENVER = ZoneInfo("America/Denver")
HOURS = OpenHours()


def denver(day: int, hour: int, minute: int = 0) -> datetime:
    return zones.local_to_utc(datetime(2026, 3, day, hour, minute), DENVER)


def test_a_link_of_the_morning_is_texted_again_early_the_next_evening() -> None:
    assert following.text_again_at(denver(3, 9), DENVER, HOURS, None) == denver(4, 17, 30)


def test_a_link_of_the_evening_is_texted_again_late_the_next_morning() -> None:
    assert following.text_again_at(denver(3, 18), DENVER, HOURS, None) == denver(4, 10, 30)


def test_where_the_visit_is_tomorrow_morning_this_evening_is_another_time_of_day() -> None:
    latest = following.latest(denver(4, 9))
    assert following.text_again_at(denver(3, 9), DENVER, HOURS, latest) == denver(3, 17, 30)


def test_where_no_hour_is_left_before_the_visit_nothing_is_texted() -> None:
    assert following.text_again_at(denver(3, 16), DENVER, HOURS, following.latest(denver(4, 9))) is None


def test_a_clinic_that_closes_early_texts_before_it_closes() -> None:
    early = OpenHours(time(8), time(17))
    assert following.text_again_at(denver(3, 9), DENVER, early, None) == denver(4, 16, 30)


def test_a_closed_day_moves_it_to_the_next_open_one() -> None:
    shut = OpenHours(other={date(2026, 3, 4): None})
    assert following.text_again_at(denver(3, 9), DENVER, shut, None) == denver(5, 8)


def test_a_human_is_asked_a_day_later_or_early_enough_before_the_visit() -> None:
    texted = denver(4, 10, 30)
    assert following.ask_at(texted, None) == denver(5, 10, 30)
    assert following.ask_at(texted, denver(4, 16)) == denver(4, 13)
    assert following.ask_at(texted, denver(4, 13, 40)) == denver(4, 11, 30)


@settings(max_examples=200)
@given(
    sent=st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 20)),
    ahead=st.none() | st.integers(1, 100),
    start=st.integers(6, 11),
    end=st.integers(13, 21),
)
def test_it_is_inside_the_hours_later_than_the_first_and_never_within_three_hours_of_the_visit(
    sent: datetime, ahead: int | None, start: int, end: int
) -> None:
    first, hours = sent.replace(tzinfo=UTC), OpenHours(time(start), time(end))
    visit = first + timedelta(hours=ahead) if ahead else None
    at = following.text_again_at(first, DENVER, hours, following.latest(visit))
    if at is None:
        assert visit is not None
        return
    assert hours.is_open(at, DENVER)
    assert at - first >= following.APART or at.astimezone(DENVER).date() > first.astimezone(DENVER).date()
    assert visit is None or visit - at >= following.BEFORE_VISIT
