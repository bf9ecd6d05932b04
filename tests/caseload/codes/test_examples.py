"""The examples by which minutes and codes were agreed on, each by its number (B1 to B18), through the command line
where a line can say them."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from caseload.codes import closing, combining, evidence, minutes, reasons, reckoning, tables
from caseload.codes.combining import Billed
from caseload.months import Month, span
from reminders.rules import zones
from tests.explained import explained

CHICAGO = "America/Chicago"
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
NC_MEDICAID = """
payer = "nc_medicaid"
[[table]]
version = "nc"
valid_from = 2026-01-01
valid_to = 2026-12-31
midpoint = true
g2214_min = 16
addon_cap = 4
first_again_months = 6
first = { code = "99492", minutes = 70 }
later = { code = "99493", minutes = 60 }
addon = { code = "99494", minutes = 30 }
short = { code = "G2214", minutes = 30 }
bhi = { code = "99484", minutes = 20 }
"""


def entry(start: datetime | str, length: timedelta, **further: str) -> dict[str, str]:
    begins = datetime.fromisoformat(start) if isinstance(start, str) else start
    ends = begins + length
    return {"start": begins.isoformat(), "end": ends.isoformat(), "person": "a", **further}


def worked(count: int, **fields: Any) -> dict[str, Any]:
    """The line of a month in which so many minutes were worked."""
    entries = [entry(NOON, timedelta(minutes=count))]
    return {"month": "2026-03", "zone": CHICAGO, "first_month": True, "entries": entries} | fields


def month(*entries: dict[str, str], **fields: Any) -> dict[str, Any]:
    return worked(0, entries=list(entries), **fields)


def billed(answer: dict[str, Any]) -> str:
    return " ".join(f"{each['code']}x{each['units']}" for each in answer["codes"])


def codes_of(*lines: dict[str, Any]) -> list[str]:
    return [billed(answer) for answer in explained("codes", *lines)]


def test_b1_the_first_month() -> None:
    assert codes_of(*(worked(count) for count in (35, 36, 85, 86, 115, 116))) == [
        "G2214x1", "99492x1", "99492x1", "99492x1 99494x1", "99492x1 99494x1", "99492x1 99494x2"
    ]  # fmt: skip


def test_b2_a_later_month() -> None:
    counts = (30, 31, 75, 76, 105, 106, 137)
    assert codes_of(*(worked(count, first_month=False) for count in counts)) == [
        "G2214x1", "99493x1", "99493x1", "99493x1 99494x1", "99493x1 99494x1", "99493x1 99494x2", "99493x1 99494x3"
    ]  # fmt: skip


def test_b3_a_payer_that_wants_all_thirty_minutes() -> None:
    assert codes_of(*(worked(count, payer={"g2214_min": 30}) for count in (29, 30))) == ["", "G2214x1"]


def test_b4_a_payer_with_a_limit() -> None:
    capped, uncapped = explained("codes", worked(206, payer={"g2214_min": 16, "addon_cap": 4}), worked(206))
    assert (billed(capped), billed(uncapped)) == ("99492x1 99494x4", "99492x1 99494x5")
    assert capped["warnings"] == ["1 unit above the payer's limit"]
    assert "to_next" not in capped
    assert uncapped["warnings"] == []


def test_b5_two_tasks_of_one_person_for_one_patient() -> None:
    tasks = entry(NOON, timedelta(minutes=20)), entry(NOON + timedelta(minutes=10), timedelta(minutes=20))
    [answer] = explained("codes", month(*tasks))
    assert answer["minutes"] == 30
    assert answer["excluded"] == [{"minutes": 10, "why": "overlap"}]


def test_b6_two_patients_of_one_person() -> None:
    earlier, later = NOON, NOON + timedelta(minutes=10)
    long = timedelta(minutes=20)
    of_a = month(entry(earlier, long), entry(later, long, patient="b"))
    of_b = month(entry(earlier, long, patient="a"), entry(later, long))
    of_p = month(entry(earlier, long, patient="q"), entry(later, long, patient="p"))
    answers = explained("codes", of_a, of_b, of_p)
    assert [answer["minutes"] for answer in answers] == [20, 10, 10]
    assert [answer["excluded"] for answer in answers] == [[], *[[{"minutes": 10, "why": "overlap"}]] * 2]


def test_b7_two_persons_at_one_task() -> None:
    both = (entry(NOON, timedelta(minutes=20), person=person) for person in ("a", "b"))
    [answer] = explained("codes", month(*both))
    assert (answer["minutes"], answer["excluded"]) == (20, [{"minutes": 20, "why": "overlap"}])


def test_b8_consent_in_the_middle() -> None:
    call = entry("2026-03-10T18:45:00+00:00", timedelta(minutes=30))
    [answer] = explained("codes", month(call, consent_at="2026-03-10T14:00:00-05:00"))
    assert (answer["minutes"], answer["excluded"]) == (15, [{"minutes": 15, "why": "before_consent"}])


def test_b9_a_call_over_the_midnight_of_the_first() -> None:
    call = entry("2026-04-01T04:50:00+00:00", timedelta(minutes=20))
    answers = explained("codes", month(call), month(call, month="2026-04"))
    assert [answer["minutes"] for answer in answers] == [10, 10]
    assert [answer["excluded"] for answer in answers] == [[{"minutes": 10, "why": "other_month"}]] * 2


def test_b10_a_call_while_the_clocks_go_forward() -> None:
    chicago = zones.zone(CHICAGO)
    start, end = (zones.local_to_utc(datetime(2026, 3, 8, *at), chicago) for at in ((1, 50), (3, 10)))
    [answer] = explained("codes", month(entry(start, end - start)))
    assert answer["minutes"] == 20


def test_b11_days_in_a_hospital() -> None:
    before, ward, emergency = (
        entry("2026-03-04T15:00:00+00:00", timedelta(minutes=20)),
        entry("2026-03-07T15:00:00+00:00", timedelta(minutes=30)),
        entry("2026-03-05T15:00:00+00:00", timedelta(minutes=10)),
    )
    stay = ["2026-03-05T18:00:00Z", "2026-03-09T18:00:00Z"]
    [answer] = explained("codes", month(before, ward, emergency, away=[stay]))
    assert (answer["minutes"], answer["excluded"]) == (30, [{"minutes": 30, "why": "inpatient"}])


def test_b12_collaborative_care_and_general_integration_of_one_practitioner() -> None:
    later, general = explained("codes", worked(80, first_month=False), worked(80, program="bhi"))
    assert (billed(later), billed(general)) == ("99493x1 99494x1", "99484x1")
    refused = combining.conflicts([Billed("99493", "1"), Billed("99484", "1")])
    assert [reasons.words(reason) for reason in refused] == ["99484 and 99493 are never billed for the same month"]
    assert combining.conflicts([Billed("99493", "1"), Billed("99484", "2")]) == []


def test_b13_beside_advanced_primary_care_management_a_person_chooses() -> None:
    [answer] = explained("codes", worked(80, first_month=False, apcm_base="G0557"))
    assert answer["codes"] == []
    timed = [{"code": "99493", "units": 1}, {"code": "99494", "units": 1}]
    assert answer["choices"] == [timed, [{"code": "G0569", "units": 1}]]
    both = [Billed("G0557", "1"), Billed("99493", "1"), Billed("G0569", "1")]
    assert [reason.key for reason in combining.conflicts(both)] == ["not_together"]
    elsewhere = combining.conflicts([Billed("G0557", "1"), Billed("G0569", "2")])
    assert [reason.key for reason in elsewhere] == ["base_elsewhere"]
    assert combining.conflicts([Billed("G0557", "1"), Billed("G0569", "1")]) == []


@pytest.mark.parametrize(("code", "last"), [("G0512", date(2025, 12, 31)), ("G0511", date(2025, 9, 30))])
def test_b14_the_bundles_of_health_centers_have_ended(code: str, last: date) -> None:
    assert combining.refusal(code, last, "fqhc") is None
    ended = combining.refusal(code, last + timedelta(days=1), "fqhc")
    assert ended is not None
    assert reasons.words(ended) == f"{code} could be billed until {last}"
    assert combining.refusal("99493", date(2026, 1, 1), "fqhc") is None


def test_b15_general_integration() -> None:
    assert codes_of(*(worked(count, program="bhi") for count in (19, 20))) == ["", "99484x1"]


@pytest.mark.parametrize(
    ("consent", "again"), [(date(2026, 3, 1), True), (date(2026, 2, 27), False), (date(2026, 2, 28), False)]
)
def test_b16_six_months_without_make_a_first_month_again(consent: date, again: bool) -> None:
    _, [table] = tables.read(NC_MEDICAID)
    assert tables.first_month_again(date(2025, 8, 31), consent, table) is again
    [medicare] = tables.payers()["medicare"]
    assert tables.first_month_again(date(2025, 8, 31), consent, medicare)


def test_b17_seconds_are_kept_until_the_end_of_the_month() -> None:
    nearly = entry(NOON, timedelta(minutes=35, seconds=59))
    second = entry(NOON + timedelta(hours=3), timedelta(seconds=1))
    assert codes_of(month(nearly, second), month(nearly)) == ["99492x1", "G2214x1"]


def test_b18_a_change_after_the_export_is_flagged_and_what_was_exported_is_kept() -> None:
    february = Month(2026, 2)
    asked = reckoning.Asked(
        month=february,
        bounds=minutes.Bounds(span(february, zones.zone(CHICAGO))),
        payer="medicare",
        tables=tables.payers()["medicare"],
        first_month=False,
    )
    start = datetime(2026, 2, 10, 15, tzinfo=UTC)
    exported, edited = (
        evidence.evidence(
            reckoning.reckon([minutes.Entry(start, start + timedelta(minutes=long), "a", key="call")], asked),
            evidence.Chart("Dr. Ames", "Dr. Bell", [], {}),
            {"call": evidence.Work("call", start)},
            zones.zone(CHICAGO),
        )
        for long in (30, 31)
    )
    changed = closing.changed_after_export(exported, edited)
    assert changed is not None
    assert reasons.words(changed) == "changed after export: 30 minutes then, 31 now"
    assert [each["code"] for each in exported["codes"]] == ["G2214"]
    assert [each["code"] for each in edited["codes"]] == ["99493"]
    assert closing.changed_after_export(exported, exported) is None
