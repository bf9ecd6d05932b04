"""`warmthread explain codes`: exactly the keys that were promised, and a named field for everything that is wrong."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from caseload.codes import explaining
from tests.explained import explained

CALL = {"start": "2026-03-10T15:00:00Z", "end": "2026-03-10T15:40:00Z", "person": "a"}
LINE = {"month": "2026-03", "zone": "America/Chicago", "first_month": True, "entries": [CALL]}
INSTANT = 'expected a time with its zone, such as "2026-03-10T14:00:00Z"'


def test_the_keys_of_an_answer() -> None:
    assert explained("codes", LINE) == [
        {
            "minutes": 40,
            "excluded": [],
            "codes": [{"code": "99492", "units": 1}],
            "to_next": {"code": "99494", "minutes": 46},
            "warnings": [],
        }
    ]


def test_reasons_stand_in_one_order() -> None:
    role = CALL | {"role": "clerical"}
    february = CALL | {"start": "2026-02-10T15:00:00Z", "end": "2026-02-10T15:05:00Z"}
    consented = {"consent_at": "2026-03-10T15:05:00Z", "discharged_at": "2026-03-10T15:35:00Z"}
    away = [["2026-03-10T15:30:00Z", "2026-03-10T15:35:00Z"]]
    [answer] = explained("codes", LINE | consented | {"away": away, "entries": [february, role, CALL, CALL]})
    assert [(each["why"], each["minutes"]) for each in answer["excluded"]] == [
        ("before_consent", 10), ("after_discharge", 10), ("inpatient", 10), ("overlap", 25), ("other_month", 5),
        ("role", 40),
    ]  # fmt: skip
    assert answer["minutes"] == 25


def test_a_year_that_nobody_has_read_gets_its_minutes_and_no_code() -> None:
    years = [{"month": f"{year}-03", "entries": [_in_year(year)]} for year in (2017, 2025, 2027)]
    for year, answer in zip(years, explained("codes", *(LINE | year for year in years)), strict=True):
        assert answer == {
            "minutes": 40,
            "excluded": [],
            "codes": [],
            "warnings": [f"no code table of medicare holds for {year['month']}: no code is proposed"],
        }


def _in_year(year: int) -> dict[str, str]:
    return {name: value.replace("2026", str(year)) for name, value in CALL.items()}


def test_null_is_as_good_as_nothing() -> None:
    empty = dict.fromkeys(("consent_at", "discharged_at", "away", "payer", "setting", "program", "apcm_base"))
    with_null = LINE | empty | {"entries": [CALL | {"patient": None, "role": None}]}
    bare, filled = explained("codes", LINE, with_null)
    assert bare == filled


def test_a_health_center_bills_as_a_physician_does() -> None:
    physician, center = explained("codes", LINE | {"setting": "physician"}, LINE | {"setting": "fqhc"})
    assert physician == center


def test_an_offset_is_as_good_as_z() -> None:
    [answer] = explained("codes", LINE | {"entries": [CALL | {"start": "2026-03-10T09:00-06:00"}]})
    assert answer["minutes"] == 40


@pytest.mark.parametrize(
    ("named", "other", "minutes"), [("", "b", 40), ("b", "", 40), ("p", "q", 40), ("b", "b", 40), ("", "", 40)]
)
def test_whose_line_it_is(named: str, other: str, minutes: int) -> None:
    own, of_another = (({"patient": name} if name else {}) for name in (named, other))
    later = {"start": "2026-03-10T16:00:00Z", "end": "2026-03-10T16:40:00Z"}
    [answer] = explained("codes", LINE | {"entries": [CALL | own, CALL | later | of_another]})
    assert answer["minutes"] == (minutes if named != other else 80)


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"month": "2026-13"}, 'month: expected a month such as "2026-03", from 1970 to 2100'),
    ({"month": "2026-3"}, "month:"),
    ({"month": 202603}, "month: expected a text"),
    ({"zone": "Mars/Olympus"}, "zone: unknown time zone 'Mars/Olympus'"),
    ({"zone": None}, "zone: this field is required"),
    ({"first_month": 1}, "first_month: expected true or false"),
    ({"first_month": "true"}, "first_month: expected true or false"),
    ({"entries": {}}, "entries: expected a list"),
    ({"entries": [1]}, "entries[0]: expected an object"),
    ({"entries": [CALL | {"end": "2026-03-10T14:59:59Z"}]}, "entries[0].end: the end is before the start"),
    ({"entries": [CALL, CALL | {"start": "2026-03-10T15:00:00"}]}, f"entries[1].start: {INSTANT}"),
    ({"entries": [CALL | {"start": 1773154800}]}, f"entries[0].start: {INSTANT}"),
    ({"entries": [CALL | {"start": "2026-02-30T15:00:00Z"}]}, "entries[0].start:"),
    ({"entries": [CALL | {"start": "0001-01-01T00:00:00Z"}]}, "entries[0].start: expected a year from"),
    ({"entries": [CALL | {"person": 1}]}, "entries[0].person: expected a text"),
    ({"entries": [CALL | {"person": ""}]}, "entries[0].person: expected a text"),
    ({"entries": [CALL | {"role": "boss"}]}, 'entries[0].role: expected "care_manager", "consultant"'),
    ({"entries": [CALL | {"minutes": 5}]}, "entries[0].minutes: unknown field"),
    ({"entries": [{}]}, "entries[0].start: this field is required"),
    ({"consent_at": "2026-03-10"}, f"consent_at: {INSTANT}"),
    ({"discharged_at": True}, f"discharged_at: {INSTANT}"),
    ({"away": [["2026-03-10T15:00:00Z"]]}, "away[0][1]: this field is required"),
    ({"away": [["2026-03-10T15:00:00Z", "2026-03-10T14:00:00Z"]]}, "away[0]: the end is before the start"),
    ({"away": ["2026-03-10T15:00:00Z"]}, "away[0]: expected a pair"),
    ({"payer": "aetna"}, 'payer: expected "medicare"'),
    ({"payer": 7}, 'payer: expected "medicare"'),
    ({"payer": {"g2214_min": "16"}}, "payer.g2214_min: expected 16 or 30"),
    ({"payer": {"g2214_min": 20}}, "payer.g2214_min: expected 16 or 30"),
    ({"payer": {"addon_cap": -1}}, "payer.addon_cap: this is too small a number"),
    ({"payer": {"addon_cap": "4"}}, "payer.addon_cap: expected a whole number"),
    ({"payer": {"midpoint": 1}}, "payer.midpoint: expected true or false"),
    ({"payer": {"name": "x"}}, "payer.name: unknown field"),
    ({"setting": "hospital"}, 'setting: expected "physician" or "fqhc"'),
    ({"program": "ccm"}, 'program: expected "cocm" or "bhi"'),
    ({"apcm_base": "99490"}, 'apcm_base: expected "G0556", "G0557" or "G0558"'),
    ({"patient": "p"}, "patient: unknown field"),
    ({"biller": "nurse", "program": "bhi"}, 'biller: expected "physician", "psychologist"'),
    ({"biller": "psychologist"}, "biller: Collaborative Care is billed by a physician"),
    (
        {"biller": "social_worker", "program": "bhi", "apcm_base": "G0557"},
        "biller: who bills advanced primary care management",
    ),
]


def test_what_is_wrong_is_named_and_never_stops_the_other_lines() -> None:
    answers = explained("codes", *(line for change, _ in WRONG for line in (LINE | change, LINE)))
    wrong = [
        (message, answer)
        for (_, message), answer in zip(WRONG, answers[::2], strict=True)
        if list(answer) != ["error"] or not answer["error"].startswith(message)
    ]
    assert wrong == []
    assert all(answer["minutes"] == 40 for answer in answers[1::2])


ANYTHING = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats(allow_nan=False) | some.text(max_size=8),
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(some.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


# Few, since each unknown zone is looked for among all names.
@settings(max_examples=40)
@given(
    some.dictionaries(some.sampled_from([*LINE, "away", "payer", "consent_at", "apcm_base"]) | some.text(), ANYTHING)
)
def test_whatever_a_line_holds_nothing_is_raised(change: dict[str, Any]) -> None:
    for record in (change, LINE | change, LINE | {"entries": [CALL | change]}):
        answer = explaining.explain(record)
        assert ("error" in answer) != ("minutes" in answer)
        json.dumps(answer)
