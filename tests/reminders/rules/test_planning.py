"""Which reminders a visit gets, when and why."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from reminders import reasons
from reminders.cadence import cadence_definition
from reminders.rules import planning, zones

DENVER, NEW_YORK, LOS_ANGELES = map(ZoneInfo, ["America/Denver", "America/New_York", "America/Los_Angeles"])
DEFAULT = cadence_definition.default()


def visit(starts, booked="2026-01-01T09:00", zone=DENVER, patient_zone=None, confirmed=False):
    """A visit by wall times in the clinic's zone."""
    start, book = (zones.local_to_utc(datetime.fromisoformat(wall), zone) for wall in (starts, booked))
    return planning.Visit(start, zone, book, patient_zone, confirmed)


def cadence(*steps, **limits):
    """A cadence of (before, fields) pairs; each step is named after its length."""
    each = [
        {"name": before.replace(" ", "_"), "before": before, "text": "some_words", **fields} for before, fields in steps
    ]
    return cadence_definition.from_mapping({"steps": each, **limits})


def walls(planned):
    """Step to local wall time, None where it is dropped."""
    return {step.step: step.local and step.local[:16] for step in planned}


def why(planned, step):
    return " | ".join(map(reasons.words, next(each.why for each in planned if each.step == step)))


# What a clinic sees.


def test_a_visit_in_the_morning_gets_three_reminders():
    planned = planning.plan(visit("2026-02-12T11:00"), DEFAULT)
    assert walls(planned) == {"72h": "2026-02-09T11:00", "24h": "2026-02-11T11:00", "2h": "2026-02-12T09:00"}
    assert planned[1].at == datetime(2026, 2, 11, 18, tzinfo=UTC)
    assert planned[1].local == "2026-02-11T11:00:00-07:00"
    assert why(planned, "24h") == "planned: 24 hours before the visit"


def test_a_day_before_stays_at_nine_in_the_week_the_clocks_go_forward():
    planned = planning.plan(visit("2026-03-09T09:00"), DEFAULT)
    assert walls(planned)["24h"] == "2026-03-08T09:00"
    planned = planning.plan(visit("2026-03-08T09:00"), DEFAULT)
    assert walls(planned)["24h"] == "2026-03-07T09:00"
    assert planned[1].at == datetime(2026, 3, 7, 16, tzinfo=UTC)
    assert "23 hours as the clocks change" in why(planned, "24h")


def test_hours_are_elapsed_time_across_a_change_of_clocks():
    planned = planning.plan(visit("2026-03-08T10:00"), cadence(("17 hours", {})))
    assert walls(planned) == {"17_hours": "2026-03-07T16:00"}


def test_a_visit_booked_the_day_before_drops_the_72_hour_step_and_says_so():
    planned = planning.plan(visit("2026-02-12T14:00", booked="2026-02-11T10:00"), DEFAULT)
    assert walls(planned) == {"72h": None, "24h": "2026-02-11T14:00", "2h": "2026-02-12T12:00"}
    assert why(planned, "72h").endswith("dropped: visit was booked after this step")


def test_a_visit_booked_the_same_day_keeps_only_the_last_step():
    planned = planning.plan(visit("2026-02-12T14:00", booked="2026-02-12T09:30"), DEFAULT)
    assert walls(planned) == {"72h": None, "24h": None, "2h": "2026-02-12T12:00"}


def test_a_visit_booked_an_hour_ahead_gets_none():
    planned = planning.plan(visit("2026-02-12T14:00", booked="2026-02-12T13:00"), DEFAULT)
    assert [step.at for step in planned] == [None, None, None]


def test_a_visit_at_seven_is_reminded_the_evening_before():
    planned = planning.plan(visit("2026-02-12T07:00"), DEFAULT)
    assert walls(planned) == {"72h": "2026-02-09T08:00", "24h": "2026-02-11T08:00", "2h": "2026-02-11T19:45"}
    assert why(planned, "24h").endswith("moved: quiet hours until 08:00")
    assert "moved: back before quiet hours" in why(planned, "2h")


def test_a_visit_at_half_past_eight_leaves_too_little_after_eight():
    planned = planning.plan(visit("2026-02-12T08:30"), DEFAULT)
    assert walls(planned) == {"72h": "2026-02-09T08:30", "24h": "2026-02-11T08:30", "2h": "2026-02-11T19:45"}
    assert "08:00 leaves less than 1 hour before the visit" in why(planned, "2h")


def test_a_visit_at_nine_moves_the_last_step_to_eight():
    assert walls(planning.plan(visit("2026-02-12T09:00"), DEFAULT))["2h"] == "2026-02-12T08:00"


def test_a_visit_late_in_the_evening_is_reminded_before_closing():
    planned = planning.plan(visit("2026-02-12T23:30"), DEFAULT)
    assert walls(planned) == {"72h": "2026-02-10T08:00", "24h": "2026-02-12T08:00", "2h": "2026-02-12T19:45"}


def test_quiet_hours_are_those_of_the_patient_three_hours_away():
    planned = planning.plan(visit("2026-02-12T10:00", zone=NEW_YORK, patient_zone=LOS_ANGELES), DEFAULT)
    assert walls(planned) == {"72h": "2026-02-09T08:00", "24h": "2026-02-11T08:00", "2h": "2026-02-11T19:45"}
    assert "07:00 in America/Los_Angeles" not in why(planned, "2h")
    assert "08:00 in America/Los_Angeles" in why(planned, "2h")
    planned = planning.plan(visit("2026-02-12T19:00", zone=LOS_ANGELES, patient_zone=NEW_YORK), DEFAULT)
    assert walls(planned)["2h"] == "2026-02-12T19:45"


def test_a_booking_at_the_end_of_the_evening_is_still_reminded_before_closing():
    planned = planning.plan(visit("2026-02-12T07:00", booked="2026-02-11T19:50"), DEFAULT)
    assert walls(planned)["2h"] == "2026-02-11T19:50"


def test_a_booking_in_the_night_for_a_visit_at_dawn_drops_the_step():
    planned = planning.plan(visit("2026-02-12T07:00", booked="2026-02-11T21:00"), DEFAULT)
    assert walls(planned)["2h"] is None
    assert "is before the visit was booked" in why(planned, "2h")


def test_confirmed_once_means_silence_unless_a_step_insists():
    silent = planning.plan(visit("2026-02-12T11:00", confirmed=True), DEFAULT)
    assert {step.at for step in silent} == {None}
    assert "confirmed once means silence" in why(silent, "2h")
    insisting = cadence(("1 day", {"unless_confirmed": False}), ("2 hours", {}))
    assert walls(planning.plan(visit("2026-02-12T11:00", confirmed=True), insisting)) == {
        "1_day": "2026-02-11T11:00",
        "2_hours": None,
    }


def test_a_wall_time_is_the_clinics_on_the_day_so_far_before():
    at_ten = cadence(("2 days", {"at": "10:00"}), ("0 days", {"at": "08:30"}))
    planned = planning.plan(visit("2026-03-09T16:00", zone=NEW_YORK, patient_zone=LOS_ANGELES), at_ten)
    assert walls(planned) == {"2_days": "2026-03-07T08:00", "0_days": "2026-03-09T08:00"}
    assert why(planned, "2_days").startswith(
        "planned: 10:00 2 days before the visit, in America/New_York | moved: quiet hours"
    )


def test_a_wall_time_after_the_visit_is_dropped():
    planned = planning.plan(visit("2026-02-12T09:00"), cadence(("0 days", {"at": "10:00"})))
    assert walls(planned) == {"0_days": None}
    assert "not before the visit" in why(planned, "0_days")


def test_a_wall_time_leaves_the_least_notice_or_is_dropped():
    planned = planning.plan(visit("2026-02-12T09:00"), cadence(("0 days", {"at": "08:30"})))
    assert "leaves less than 1 hour" in why(planned, "0_days")


def test_a_clinic_that_asks_for_thirty_minutes_gets_them():
    planned = planning.plan(visit("2026-02-12T09:00"), cadence(("30 minutes", {})))
    assert walls(planned) == {"30_minutes": "2026-02-12T08:30"}


def test_a_past_step_is_sent_at_booking_where_the_clinic_says_so():
    at_once = cadence(("3 days", {"if_past": "send"}), ("2 hours", {}))
    planned = planning.plan(visit("2026-02-12T14:00", booked="2026-02-11T10:17"), at_once)
    assert walls(planned) == {"3_days": "2026-02-11T10:17", "2_hours": "2026-02-12T12:00"}
    planned = planning.plan(visit("2026-02-12T14:00", booked="2026-02-11T22:17"), at_once)
    assert walls(planned) == {"3_days": "2026-02-12T08:00", "2_hours": "2026-02-12T12:00"}
    planned = planning.plan(visit("2026-02-12T14:00", booked="2026-02-12T13:30"), at_once)
    assert walls(planned) == {"3_days": None, "2_hours": None}
    assert "leaves less than 1 hour" in why(planned, "3_days")


def test_a_step_due_at_the_very_moment_of_booking_is_not_past():
    planned = planning.plan(visit("2026-02-12T14:00", booked="2026-02-11T14:00"), DEFAULT)
    assert walls(planned)["24h"] == "2026-02-11T14:00"


def test_a_step_sent_at_booking_is_sent_on_a_whole_second_not_before_it():
    seen = visit("2026-02-12T14:00", booked="2026-02-11T15:00:00.250")
    (planned,) = planning.plan(seen, cadence(("1 day", {"if_past": "send"})))
    assert planned.local == "2026-02-11T15:00:01-07:00"


def test_of_two_steps_too_close_the_one_nearer_the_visit_stays():
    planned = planning.plan(visit("2026-02-12T15:00"), cadence(("4 hours", {}), ("2 hours", {}), ("1 day", {})))
    assert walls(planned) == {"1_day": "2026-02-11T15:00", "4_hours": None, "2_hours": "2026-02-12T13:00"}
    assert "the newest step wins" in why(planned, "4_hours")


def test_a_step_does_not_move_into_the_one_that_follows():
    close = cadence(("8 hours", {}), ("3 hours", {}))
    planned = planning.plan(visit("2026-02-12T13:00"), close)
    assert walls(planned) == {"8_hours": "2026-02-11T19:45", "3_hours": "2026-02-12T10:00"}


def test_a_visit_planned_again_does_not_send_what_has_passed_meanwhile():
    moved = visit("2026-02-12T14:00")
    planned = planning.plan(moved, DEFAULT, now=datetime(2026, 2, 11, 22, tzinfo=UTC))
    assert walls(planned) == {"72h": None, "24h": None, "2h": "2026-02-12T12:00"}
    assert "had passed when the visit was planned again" in why(planned, "24h")


def test_a_day_that_never_was_is_no_day_before():
    apia = ZoneInfo("Pacific/Apia")
    planned = planning.plan(visit("2011-12-31T10:00", booked="2011-12-01T10:00", zone=apia), DEFAULT)
    assert walls(planned) == {"72h": "2011-12-28T10:00", "24h": None, "2h": "2011-12-31T08:00"}


def test_a_text_is_of_no_use_after_its_own_time_or_the_visit():
    planned = planning.plan(
        visit("2026-02-12T11:00"),
        cadence(("1 day", {"deliver_by": "4 hours"}), ("2 hours", {"deliver_by": "4 hours"})),
    )
    assert [step.deliver_by for step in planned] == [
        datetime(2026, 2, 11, 22, tzinfo=UTC),
        datetime(2026, 2, 12, 18, tzinfo=UTC),
    ]


def test_naive_times_are_refused():
    with pytest.raises(ValueError, match="naive"):
        planning.plan(replace(visit("2026-02-12T11:00"), booked_at=datetime(2026, 1, 1)), DEFAULT)


# At send time.


@pytest.mark.parametrize(
    ("planned", "now", "useful", "rule"),
    [
        ("12:00", "12:00", True, "due"),
        ("12:00", "12:59", True, "due"),
        ("12:00", "11:59", True, "due"),
        ("12:00", "13:01", False, "catch-up"),
        ("13:00", "13:04", True, "due"),
        ("12:50", "13:10", False, "notice"),
        ("13:30", "13:31", True, "due"),
        ("13:58", "14:00", False, "visit"),
        ("07:30", "07:59", False, "quiet hours"),
        ("07:30", "08:00", True, "due"),
    ],
)
def test_a_step_is_asked_again_when_it_is_sent(planned, now, useful, rule):
    planned_at, now, visit_at = (datetime.fromisoformat(f"2026-02-12T{wall}-07:00") for wall in (planned, now, "14:00"))
    answer, reason = planning.still_useful(planned_at, now, visit_at, DEFAULT, DENVER)
    assert answer is useful
    assert reasons.words(reason).startswith(rule)


def test_a_text_past_its_use_is_not_sent():
    planned_at, now, visit_at = (datetime(2026, 2, 12, hour, 30, tzinfo=UTC) for hour in (17, 18, 23))
    assert planning.still_useful(planned_at, now, visit_at, DEFAULT, DENVER, deliver_by=now)[0] is False


def test_lateness_is_measured_across_a_repeated_hour():
    first, second = (datetime(2026, 11, 1, 1, 30, tzinfo=DENVER, fold=fold) for fold in (0, 1))
    always = cadence(("2 hours", {}), quiet_hours={"start": "23:00", "end": "00:30"}, catch_up="30 minutes")
    _, reason = planning.still_useful(first, second, second + timedelta(hours=9), always, DENVER)
    assert reasons.words(reason).startswith("catch-up")
