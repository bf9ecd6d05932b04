"""A reader is told of a decision in the words of its page, and never by the way to a field in a file."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging.versions import field_labels
from messaging.versions.differences import Entry

STEP = {"name": "day before", "before": "1 day", "at": "10:00", "text": "reminder_day", "if_past": "drop"}


def told(kind, old, new, names=None):
    return [
        (change.what, change.was, change.becomes)
        for change in field_labels.changes(names or field_labels.of(kind), old, new)
    ]


def test_a_field_of_a_step_is_named_by_its_step():
    old, new = {"steps": [STEP]}, {"steps": [STEP | {"at": "09:00"}]}
    assert told("cadence", old, new) == [("Step “day before”: time", "10:00", "09:00")]


def test_a_step_of_a_kind_of_visit_is_named_by_both():
    old, new = {"kinds": {"group": [STEP]}}, {"kinds": {"group": [STEP | {"unless_confirmed": False}]}}
    assert told("cadence", old, new) == [
        ("Visits of the kind “group”: step “day before”: to who has confirmed", "nothing", "is sent too")
    ]


def test_a_new_entry_is_one_line_without_what_goes_without_saying():
    assert told("cadence", {"steps": []}, {"steps": [STEP]}) == [
        ("Step “day before”", "nothing", "before the visit: 1 day, time: 10:00, text: reminder_day")
    ]


def test_the_rungs_of_a_ladder_are_one_line_in_their_order():
    steps = [{"ask": "backup", "wait": 10}, {"ask": "lead", "wait": 5}]
    assert told("rules", {"safety": {"closed": []}}, {"safety": {"closed": steps}}) == [
        (
            "Patient safety: told while the clinic is closed",
            "nothing",
            "the backup, 10 min; the clinic's leads, 5 min",
        )
    ]


def test_what_only_the_data_knows_stands_as_it_is_whatever_its_signs():
    names = field_labels.of("rules").also({("on_call", "dana@clinic.example"): "on call: Dana {Wu}"})
    path = field_labels.path_of("on_call.dana@clinic.example", {"on_call": {"dana@clinic.example": {}}})
    assert field_labels.called(names, path) == "On call: on call: Dana {Wu}"


def test_yes_and_no_are_words():
    assert told("cadence", {"combine_day": True}, {"combine_day": False}) == [
        ("One text for all visits of a day", "yes", "no")
    ]


@pytest.mark.parametrize(
    ("place", "called"),
    [
        ("steps[0].at", "Step “day before”: time"),
        ("steps[7].at", "Step “8”: time"),
        ("steps", ""),
        ("quiet_hours.start", "Quiet hours: from, in the evening"),
        ("", ""),
        ("strange_field", "Strange field"),
    ],
)
def test_a_problem_is_named_as_its_field_on_the_page(place, called):
    assert field_labels.called(field_labels.of("cadence"), field_labels.path_of(place, {"steps": [STEP]})) == called


@given(st.text(max_size=30), st.dictionaries(st.text(max_size=4), st.lists(st.just(STEP)), max_size=2))
def test_any_field_has_a_path(place, definition):
    path = field_labels.path_of(place, definition)
    assert all(isinstance(part, str) for part in path)
    field_labels.called(field_labels.of("cadence"), path)


def test_an_entry_is_told_from_a_key():
    assert isinstance(field_labels.path_of("steps[0]", {"steps": [STEP]})[1], Entry)
