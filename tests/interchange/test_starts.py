"""When a visit begins and how long it takes, from every place in which a feed may say it."""

import pytest

from tests.interchange.messages import PID, act, explained, header, problems, visit

PLACES = {
    "SCH-11.4": ("20260310090000", []),
    "TQ1-7": ("", ["TQ1|1||||||20260310090000"]),
    "AIS-4": ("", ["AIS|1||X|20260310090000"]),
    "AIL-6": ("", ["AIL|1||R|||20260310090000"]),
    "AIP-6": ("", ["AIP|1||9|||20260310090000"]),
}


@pytest.mark.parametrize("place", PLACES)
def test_the_start_is_found_in_each_of_its_places(place: str) -> None:
    start, segments = PLACES[place]
    assert act(visit("S12", *segments, start=start))["start"] == "2026-03-10T15:00:00Z"


def test_places_that_agree_are_no_problem() -> None:
    segments = [line for _, lines in PLACES.values() for line in lines]
    assert problems(visit("S12", *segments)) == []
    with_offset = ["TQ1|1||||||20260310150000+0000"]
    assert problems(visit("S12", *with_offset)) == []


def test_places_that_disagree_are_not_guessed_between() -> None:
    message = visit("S12", "AIS|1||X|20260313090000")
    assert (act(message)["start"], problems(message)) == (None, ["start_times_differ"])
    assert explained(message)["ack"] == "AA"


def test_a_feed_may_say_which_start_is_right() -> None:
    message = visit("S12", "AIS|1||X|20260313090000")
    assert act(message, {"start": ["AIS-4"]})["start"] == "2026-03-13T15:00:00Z"
    assert problems(message, {"start": ["AIS-4"]}) == ["start_by_profile"]


def test_a_cancellation_is_never_kept_waiting_for_its_start() -> None:
    message = visit("S15", "AIS|1||X|20260313090000")
    (problem,) = explained(message)["problems"]
    assert (act(message)["act"], problem["problem"], problem["weight"]) == ("visit.cancel", "start_unclear", "warning")
    assert act(visit("S15", start=""))["act"] == "visit.cancel"
    assert act(visit("S15", pid="PV1|1|O"))["patient"] is None


@pytest.mark.parametrize(
    ("written", "start"),
    [
        ("202603100900", "2026-03-10T15:00:00Z"),
        ("2026031009", "2026-03-10T15:00:00Z"),
        ("20260310090000.1234", "2026-03-10T15:00:00Z"),
        ("2026031009000000", "2026-03-10T15:00:00Z"),
        ("20260310090000123", "2026-03-10T15:00:00Z"),
        ("20260310090000+0215", "2026-03-10T06:45:00Z"),
        ("202603100900-0700", "2026-03-10T16:00:00Z"),
        ("20260310090000.0000-0700", "2026-03-10T16:00:00Z"),
        ("20260710090000", "2026-07-10T15:00:00Z"),
    ],
)
def test_times_are_read_however_much_of_them_is_written(written: str, start: str) -> None:
    message = visit("S12", start=written)
    assert (act(message)["start"], problems(message)) == (start, [])


@pytest.mark.parametrize(
    "written",
    [
        *("45678", "2026-03-10 09:00", "20261310090000", "196203520", "soon", "20260229100000"),
        *("20260310090000-2500", "20260310090000+1401", "20260310090000+0575"),
    ],
)
def test_a_number_that_is_no_time_is_for_the_sender_to_mend(written: str) -> None:
    answer = explained(visit("S12", start=written))
    assert (answer["ack"], answer["acts"]) == ("AE", [])
    assert [(each["problem"], each["where"]) for each in answer["problems"]] == [("start_unreadable", "SCH-11.4")]


@pytest.mark.parametrize("written", ["00010101000000", "29990101000000"])
def test_a_year_that_no_visit_has_is_no_start(written: str) -> None:
    assert explained(visit("S12", start=written))["ack"] == "AE"


def test_a_fraction_of_a_second_is_as_long_as_its_sender_writes_it() -> None:
    assert act(visit("S12", start="20260310090000.123456789-0600"))["start"] == "2026-03-10T15:00:00Z"


def test_a_day_without_an_hour_waits_for_a_person() -> None:
    message = visit("S12", start="20260310")
    assert (act(message)["start"], problems(message)) == (None, ["start_without_hour"])


def test_a_time_in_the_fold_is_the_first_and_told() -> None:
    message = visit("S12", start="20261101013000")
    assert (act(message)["start"], problems(message)) == ("2026-11-01T07:30:00Z", ["clock_repeats"])


def test_a_time_that_the_clocks_skip_is_told() -> None:
    message = visit("S12", start="20260308023000")
    assert (act(message)["start"], problems(message)) == ("2026-03-08T09:30:00Z", ["clock_skips"])


def test_without_zone_and_offset_there_is_no_moment() -> None:
    message = visit("S12")
    assert problems(message, {"zone": ""}) == ["no_zone"]
    told = act(message, {"zone": ""})
    assert (told["start"], told["local"]) == (None, "2026-03-10T09:00")


def test_fields_that_stand_one_place_beside_are_rescued_by_ais_4_or_refused() -> None:
    shifted = f"{header('S12')}\rSCH||V7^BOOKS|||||||Follow-up|30|min|^^^20260310090000\r{PID}"
    assert explained(shifted)["ack"] == "AE"
    rescued = f"{shifted}\rAIS|1||X|20260310090000|||30|min"
    told = act(rescued)
    assert (told["start"], told["minutes"], problems(rescued)) == ("2026-03-10T15:00:00Z", 30, ["fields_shifted"])


# How long.


@pytest.mark.parametrize(
    ("number", "unit", "minutes"),
    [
        ("45", "m", 45),
        ("45", "M", 45),
        ("45", "min", 45),
        ("45", "MIN^MINUTES", 45),
        ("45", "MINUTES", 45),
        ("2700", "s", 45),
        ("61", "s", 2),
        ("45^MIN", "", 45),
        ("45", "", 45),
        ("1", "HR", 60),
        ("45 min", "", 45),
        ("0", "min", None),
    ],
)
def test_units_of_durations_are_read_as_feeds_write_them(number: str, unit: str, minutes: int | None) -> None:
    message = visit("S12").replace("|30|min|", f"|{number}|{unit}|")
    assert (act(message)["minutes"], problems(message)) == (minutes, [])


@pytest.mark.parametrize(("number", "unit"), [("45", "fortnights"), ("half", "h"), ("-5", "min")])
def test_a_duration_that_cannot_be_read_is_told(number: str, unit: str) -> None:
    message = visit("S12").replace("|30|min|", f"|{number}|{unit}|")
    assert (act(message)["minutes"], problems(message)) == (None, ["minutes_unreadable"])


def test_the_unit_may_stand_in_sch_11_6() -> None:
    message = visit("S12").replace("|30|min|^^^20260310090000", "|2|| ^^^20260310090000^^hours".replace(" ", ""))
    assert act(message)["minutes"] == 120


def test_the_end_says_how_long_where_nothing_else_does() -> None:
    message = visit("S12").replace("|30|min|^^^20260310090000", "|||^^^20260310090000^20260310092000")
    assert act(message)["minutes"] == 20


def test_durations_that_disagree_are_told() -> None:
    assert problems(visit("S12", "AIL|1||R|||20260310090000|||45|m^Minutes")) == ["minutes_differ"]
