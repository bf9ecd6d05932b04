"""A clinic's cadence file, and the plan explained."""

import json
from datetime import time, timedelta

import pytest

from reminders.cadence import cadence_definition

GOOD = """
name = "short"
min_notice = "45 minutes"

[quiet_hours]
start = "21:00"
end = "09:00"

[[steps]]
name = "day"
before = "1 day"
at = 10:00:00
text = "reminder_day"
intake = ["phq9", "gad7"]

[[steps]]
name = "soon"
before = "2 hours"
text = "reminder_hours"
if_past = "send"
unless_confirmed = false
deliver_by = "90 minutes"
"""


def problems(text):
    with pytest.raises(cadence_definition.BadCadence) as found:
        cadence_definition.parse(text)
    return found.value.problems


def test_the_default_has_three_steps_and_one_carries_the_intake():
    default = cadence_definition.default()
    assert [(step.name, str(step.before), step.text) for step in default.steps] == [
        ("72h", "72 hours", "reminder_far"),
        ("24h", "24 hours", "reminder_link"),
        ("2h", "2 hours", "reminder_hours"),
    ]
    assert [step.intake for step in default.steps] == [(), ("phq9",), ()]
    assert default.step("24h").text_without_intake == "reminder_day"
    assert default.step("gone") is None
    assert (default.open_hours.start, default.open_hours.end) == (time(8), time(20))
    assert (default.min_notice, default.min_gap, default.catch_up) == (
        timedelta(hours=1),
        timedelta(hours=3),
        timedelta(hours=1),
    )
    assert all(step.if_past == "drop" and step.unless_confirmed for step in default.steps)


def test_a_file_is_read_whole():
    cadence = cadence_definition.parse(GOOD)
    day, soon = cadence.steps
    assert (day.at, day.intake, day.deliver_by) == (time(10), ("phq9", "gad7"), None)
    assert (soon.if_past, soon.unless_confirmed, soon.deliver_by) == ("send", False, timedelta(minutes=90))
    assert (cadence.open_hours.start, cadence.open_hours.end) == (time(9), time(21))


@pytest.mark.parametrize(
    "cadence", [cadence_definition.default(), cadence_definition.parse(GOOD)], ids=["default", "good"]
)
def test_a_cadence_survives_storage_as_json(cadence):
    stored = json.dumps(cadence.model_dump(mode="json"))
    assert cadence_definition.from_mapping(json.loads(stored)) == cadence
    assert cadence.model_json_schema()["additionalProperties"] is False


def test_every_mistake_is_named_with_its_line():
    text = GOOD.replace('"45 minutes"', '"soon"').replace('"1 day"', '"a day"').replace('"send"', '"later"')
    text = text.replace("unless_confirmed = false", "silent = 1").replace('end = "09:00"', 'end = "9"')
    assert [(problem.line, problem.field) for problem in problems(text)] == [
        (11, "steps[0].before"),
        (20, "steps[1].if_past"),
        (21, "steps[1].silent"),
        (7, "quiet_hours.end"),
        (3, "min_notice"),
    ]
    assert str(problems(text)[0]).startswith('line 11: steps[0].before: expected a length such as "72 hours"')


def test_a_missing_field_has_the_line_of_its_step():
    (problem,) = problems(GOOD.replace('text = "reminder_hours"\n', ""))
    assert (problem.line, problem.field, problem.message) == (16, "steps[1].text", "this field is required")


def test_a_file_laid_out_in_another_way_is_read_and_its_mistakes_have_no_line():
    inline = 'steps = [{name = "a", before = "1 day", text = "some_words"}]'
    assert cadence_definition.parse(inline).steps[0].name == "a"
    (problem,) = problems(inline.replace("1 day", "never"))
    assert (problem.line, problem.field) == (None, "steps[0].before")


def test_broken_toml_says_where():
    (problem,) = problems("name = \n")
    assert (problem.line, problem.field) == (1, "file")
    assert "column 8" in problem.message
    assert problems("a = " + "[" * 100_000)


@pytest.mark.parametrize(
    ("change", "to", "expected"),
    [
        (
            'before = "2 hours"',
            'before = "1 day after"',
            'before: a step after the visit says after = "1 day"',
        ),
        (
            'before = "2 hours"',
            'before = "2 hours"\nafter = "1 day"',
            "line 19: steps[1].after: a step has one of",
        ),
        ('before = "1 day"', 'before = "5 hours"', '"at" needs whole days'),
        ('before = "2 hours"', 'before = "0 minutes"', "a length before the visit"),
        ('before = "2 hours"', 'before = "0 days"', "a length before the visit"),
        ('before = "2 hours"', "before = 2", "expected a length"),
        ("at = 10:00:00", "at = 10:00:30", "expected a time of day"),
        ("at = 10:00:00", 'at = "25:00"', "expected a time of day"),
        ('name = "soon"', 'name = "day"', "two steps have the same name"),
        ('before = "1 day"\nat = 10:00:00', 'before = "120 minutes"', "two steps are due at the same moment"),
        ('"gad7"', '"phq9"', "names an instrument twice"),
        ('["phq9", "gad7"]', '"phq9"', "expected a list"),
        ('["phq9", "gad7"]', "[1]", "expected a text"),
        ('["phq9", "gad7"]', '["PHQ 9"]', "expected small letters"),
        ("unless_confirmed = false", "unless_confirmed = 0", "expected true or false"),
        ("unless_confirmed = false", 'text_without_intake = "x"', 'belongs to a step with "intake"'),
        ('start = "21:00"\nend = "09:00"', 'start = "08:00"\nend = "20:00"', "begin in the evening"),
        ('start = "21:00"', 'begin = "21:00"', "unknown field; expected one of start, end"),
        ('min_notice = "45 minutes"', 'min_notice = "0 minutes"', "expected a length"),
        ('name = "short"', "colour = 1", "unknown field; expected one of name, steps"),
        ('name = "short"', 'name = "a b"', "expected up to 30 letters"),
    ],
)
def test_a_cadence_that_makes_no_sense_is_refused(change, to, expected):
    assert change in GOOD
    assert any(expected in str(problem) for problem in problems(GOOD.replace(change, to)))


def test_a_cadence_without_steps_is_refused():
    assert [problem.message for problem in problems("steps = []")] == ["expected at least one [[steps]]"]
    assert [str(problem) for problem in problems("")] == ["steps: this field is required"]
