"""The evidence of a month: each minute with its reason, what an auditor would miss, and which rules it came from."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from caseload.codes import evidence, minutes, reckoning, tables
from caseload.codes.evidence import Chart, Consent, PlanChange, Review, Score, Visit, Work
from caseload.months import Month, span

CHICAGO = ZoneInfo("America/Chicago")
MARCH = Month(2026, 3)
START = datetime(2026, 3, 10, 15, tzinfo=UTC)
CALL = minutes.Entry(START, START + timedelta(minutes=40), "m1", key="call")
NOTE = minutes.Entry(START + timedelta(minutes=30), START + timedelta(minutes=50), "m1", key="note")
WORKS = {
    "call": Work("call", START + timedelta(hours=1)),
    "note": Work("note", NOTE.end + evidence.LATE + timedelta(seconds=1)),
}
CHART = Chart(
    practitioner="Dr. Ames",
    consultant="Dr. Bell",
    diagnoses=["F33.1"],
    people={"m1": "Carol Dunn, LCSW"},
    consent=Consent(START - timedelta(days=20), "Carol Dunn", "verbal", "es", cost_sharing_told=True),
    initiating_visit=Visit(date(2026, 2, 2), "99214"),
    scores=[Score(date(2026, 3, 31), "phq9", 14)],
    reviews=[Review(date(2026, 3, 1), "raise the dose", "done on 4 March")],
    plan_changes=[PlanChange(date(2026, 3, 4), "sertraline 100 mg")],
    registry={"phase": "active", "enrolled": date(2026, 2, 18)},
)


def reckoned(*entries: minutes.Entry) -> reckoning.Reckoning:
    asked = reckoning.Asked(
        month=MARCH,
        bounds=minutes.Bounds(span(MARCH, CHICAGO)),
        payer="medicare",
        tables=tables.payers()["medicare"],
        first_month=False,
    )
    return reckoning.reckon(entries, asked)


def test_each_entry_stands_with_its_time_its_reason_and_when_it_was_written_down() -> None:
    month = evidence.evidence(reckoned(CALL, NOTE), CHART, WORKS, CHICAGO)
    assert month["log"] == [
        {
            "start": "2026-03-10T10:00:00-05:00",
            "end": "2026-03-10T10:40:00-05:00",
            "person": "Carol Dunn, LCSW",
            "role": "care_manager",
            "activity": "call",
            "counted_seconds": 2400.0,
            "excluded_seconds": {},
            "recorded_at": "2026-03-10T11:00:00-05:00",
            "late": False,
        },
        {
            "start": "2026-03-10T10:30:00-05:00",
            "end": "2026-03-10T10:50:00-05:00",
            "person": "Carol Dunn, LCSW",
            "role": "care_manager",
            "activity": "note",
            "counted_seconds": 600.0,
            "excluded_seconds": {"overlap": 600.0},
            "recorded_at": "2026-03-13T10:50:01-05:00",
            "late": True,
        },
    ]


def test_the_month_names_its_sum_its_codes_and_the_rules_they_came_from() -> None:
    month = evidence.evidence(reckoned(CALL, NOTE), CHART, WORKS, CHICAGO)
    assert month["minutes"] == 50
    assert month["excluded"] == [{"minutes": 10, "why": "overlap"}]
    assert month["codes"] == [{"code": "99493", "units": 1}]
    assert (month["month"], month["version"], month["missing"]) == ("2026-03", "medicare-2026.1", [])
    assert month["consent"]["at"] == "2026-02-18T09:00:00-06:00"
    assert month["initiating_visit"] == {"on": "2026-02-02", "code": "99214"}
    assert month["registry"] == {"phase": "active", "enrolled": "2026-02-18"}
    assert json.loads(json.dumps(month)) == month


def test_what_an_auditor_would_miss_is_named() -> None:
    bare = Chart(practitioner="Dr. Ames", consultant="", diagnoses=[], people={})
    assert evidence.missing(reckoned(), bare) == [
        "consent", "initiating_visit", "work", "diagnosis", "score", "review", "consultant"
    ]  # fmt: skip
    assert CHART.consent
    untold = replace(CHART, consent=replace(CHART.consent, cost_sharing_told=False))
    assert evidence.missing(reckoned(CALL), untold) == ["cost_sharing"]
    april = replace(CHART, scores=[Score(date(2026, 4, 1), "phq9", 14)], reviews=[])
    assert evidence.missing(reckoned(CALL), april) == ["score", "review"]


def test_an_entry_is_late_after_three_days() -> None:
    assert not evidence.is_late(START, START + timedelta(hours=72))
    assert evidence.is_late(START, START + timedelta(hours=72, seconds=1))
