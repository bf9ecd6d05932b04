"""What a clinic may write in a step, and how each mistake is told at its field and in its line."""

import json

import pytest

from reminders import reasons
from reminders.cadence import cadence_definition, explaining, toml_file

FULL = """
name = "full"
cap_per_day = 1
cap_per_week = 3
combine_day = false
quiet_states = ["RI"]

[quiet_hours]
start = "20:00"
end = "08:00"

[[steps]]
name = "friday"
weekday = "fri"
at = "10:00"
text = "reminder_far"
when = ["first_visit", "language:ES", "place:North clinic"]

[[steps]]
name = "day"
before = "1 day"
text = "reminder_day"
window = { start = "09:00", end = "17:00" }
when = ["intake_open"]

[[steps]]
name = "missed"
after = "1 day"
at = "10:00"
when = ["no_show"]
text = "missed_visit"

[[kinds."group visit"]]
name = "day"
before = "1 day"
text = "reminder_day"
unless_confirmed = false
"""
GROUP = '[[kinds."group visit"]]'


def problems(text: str) -> list[str]:
    with pytest.raises(cadence_definition.BadCadence) as found:
        cadence_definition.parse(text)
    return [str(problem) for problem in found.value.problems]


def test_every_field_is_read() -> None:
    read = cadence_definition.parse(FULL)
    assert read.steps[0].when == ("first_visit", "language:es", "place:North clinic")
    assert [step.name for step in read.steps_for("Group Visit")] == ["day"]
    assert read.steps_for("something else") == read.steps_for(None) == read.steps
    assert read.step("day", "group visit") is read.kinds["group visit"][0]
    assert [field for field, _ in read.all_steps()] == [
        "steps[0]", "steps[1]", "steps[2]", "kinds.group visit[0]",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "cadence", [cadence_definition.parse(FULL), cadence_definition.default()], ids=["full", "default"]
)
def test_a_cadence_is_written_as_the_file_it_is_read_from(cadence: cadence_definition.Cadence) -> None:
    assert cadence_definition.parse(toml_file.write(cadence)) == cadence
    assert cadence_definition.from_mapping(json.loads(json.dumps(cadence.model_dump(mode="json")))) == cadence


def test_the_hours_of_a_state_narrow_those_of_the_clinic() -> None:
    open_hours = cadence_definition.parse(FULL).open_hours
    windows = [open_hours.window_of(day) for day in range(7)]
    assert [f"{opens:%H}-{closes:%H}" for opens, closes in filter(None, windows)] == [
        *["09-18"] * 5, *["10-17"] * 2,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "to", "expected"),
    [
        (
            'after = "1 day"',
            'before = "1 day after"',
            'line 28: steps[2].before: a step after the visit says after = "1 day"',
        ),
        ('when = ["no_show"]\n', "", "line 26: steps[2].when: a step after the visit says how the visit went"),
        ('["no_show"]', '["no_show", "not_confirmed"]', "line 30: steps[2].when: after the visit nobody is asked"),
        ('["intake_open"]', '["arrived"]', "line 24: steps[1].when: arrived is known only after the visit"),
        ('["intake_open"]', '["raining"]', "line 24: steps[1].when[0]: expected one of not_confirmed, intake_open"),
        ('["intake_open"]', '["place:"]', "steps[1].when[0]: expected one of"),
        ('["intake_open"]', '["language:Spanish please"]', "steps[1].when[0]: expected a language"),
        ('["intake_open"]', '["place:A", "place:B"]', "steps[1].when: no visit has two of place"),
        ('["intake_open"]', '["first_visit", "first_visit"]', "steps[1].when: a condition stands here twice"),
        (
            'start = "09:00", end = "17:00"',
            'start = "07:00", end = "09:00"',
            "line 23: steps[1].window: this window reaches into the quiet hours",
        ),
        (
            'start = "09:00", end = "17:00"',
            'start = "17:00", end = "09:00"',
            "line 23: steps[1].window.end: a window opens before it closes",
        ),
        ('start = "09:00", end = "17:00"', 'start = "09:00"', "line 23: steps[1].window.end: this field is required"),
        (
            'start = "09:00", end = "17:00"',
            'start = "18:30", end = "19:30"',
            "steps[1].window: quiet_states leave none",
        ),
        ('weekday = "fri"', 'weekday = "friday"', 'line 14: steps[0].weekday: expected "mon", "tue"'),
        ('weekday = "fri"\nat = "10:00"', 'weekday = "fri"', 'steps[0].at: "weekday" needs an hour'),
        ('weekday = "fri"', 'weekday = "fri"\nbefore = "2 days"', "line 14: steps[0].weekday: a step has one of"),
        ('["RI"]', '["RI", "XX"]', "line 6: quiet_states[1]: expected one of CT, FL"),
        ("cap_per_day = 1", "cap_per_day = 0", "line 3: cap_per_day: "),
        ("cap_per_week = 3", 'cap_per_week = "3"', "line 4: cap_per_week: expected a whole number"),
        ("cap_per_day = 1", "cap_per_day = 4", "line 4: cap_per_week: a week allows at least what a day does"),
        (
            "unless_confirmed = false",
            "unless_confirmed = 0",
            "kinds.group visit[0].unless_confirmed: expected true or false",
        ),
        (
            "unless_confirmed = false",
            "silent = 1",
            "line 37: kinds.group visit[0].silent: unknown field; expected one of name",
        ),
        (
            "unless_confirmed = false",
            'unless_confirmed = false\nwhen = ["not_confirmed"]',
            "line 38: kinds.group visit[0].when: not_confirmed in when says the opposite",
        ),
        (
            GROUP,
            f'[[kinds."Group  Visit"]]\nname = "a"\nbefore = "1 day"\ntext = "reminder_day"\n{GROUP}',
            "kinds: two kinds have the same name",
        ),
    ],
)
def test_each_mistake_is_told_at_its_field(change: str, to: str, expected: str) -> None:
    assert change in FULL
    [said] = problems(FULL.replace(change, to))
    assert said.startswith(expected) or (not expected.startswith("line") and expected in said)


def test_two_steps_at_one_moment_are_fine_for_different_people() -> None:
    day = {"before": "1 day", "text": "reminder_day"}
    english, spanish = ({"name": to, **day, "when": [f"language:{to}"]} for to in ("en", "es"))
    assert len(cadence_definition.from_mapping({"steps": [english, spanish]}).steps) == 2


def test_the_schema_names_every_field_and_lets_our_own_file_pass() -> None:
    made = cadence_definition.schema()
    assert set(made["properties"]) == set(cadence_definition.Cadence.model_fields)
    assert set(made["$defs"]["Step"]["properties"]) == set(cadence_definition.Step.model_fields)
    assert made["additionalProperties"] is made["$defs"]["Step"]["additionalProperties"] is False
    assert made["required"] == ["steps"]


def test_a_preview_says_what_the_caps_would_drop_and_what_may_follow() -> None:
    steps = [
        {"name": "day", "before": "1 day", "text": "reminder_day"},
        {"name": "eve", "before": "20 hours", "text": "reminder_day"},
        {"name": "missed", "after": "1 day", "when": ["no_show"], "text": "missed_visit"},
    ]
    record = {
        "visit_at": "2026-03-12T10:00",
        "zone": "America/Denver",
        "booked_at": "2026-02-01T16:00:00Z",
        "cadence": {"steps": steps, "cap_per_day": 1},
    }
    day, eve, missed = explaining.explain(record)["steps"]
    assert day["why"] == ["planned: 1 day before the visit"]
    assert eve["at"] is not None
    assert eve["why"][-1] == (
        "would be dropped: cap: the second reminder that day; the clinic sends a patient at most 1"
    )
    assert missed["why"] == ["only if the patient does not come", "planned: 1 day after the visit"]
    assert missed["local"].startswith("2026-03-13T10:00")
    uncapped = explaining.explain({**record, "cadence": {"steps": steps}})["steps"]
    assert not any("would be" in said for step in uncapped for said in step["why"])


def test_a_preview_is_told_how_the_visit_went() -> None:
    steps = [
        {"name": "day", "before": "1 day", "text": "reminder_day"},
        {"name": "missed", "after": "1 day", "when": ["no_show"], "text": "missed_visit"},
        {"name": "thanks", "after": "2 hours", "when": ["arrived"], "text": "missed_visit"},
    ]
    record = {
        "visit_at": "2026-03-12T10:00",
        "zone": "America/Denver",
        "booked_at": "2026-02-01T16:00:00Z",
        "cadence": {"steps": steps},
    }

    def planned(**told: object) -> dict[str, str]:
        return {step["step"]: step["why"][-1] for step in explaining.explain(record | told)["steps"] if not step["at"]}

    assert planned() == {}
    assert planned(marked="no_show") == {"thanks": "dropped: this step is for those who come, and the patient did not"}
    assert planned(marked="arrived") == {
        "missed": "dropped: this step is for those who do not come, and the patient came"
    }
    assert list(planned(confirmed=True)) == ["day"]


def test_a_preview_says_what_hangs_on_questions_that_are_still_open() -> None:
    step = {"name": "open", "before": "1 day", "text": "reminder_day", "when": ["intake_open"]}
    record = {
        "visit_at": "2026-03-12T10:00",
        "zone": "America/Denver",
        "booked_at": "2026-02-01T16:00:00Z",
        "cadence": {"steps": [step], "cap_per_day": 2},
    }
    [unknown], [answered], [still_open] = (
        explaining.explain(record | told)["steps"] for told in ({}, {"answered": True}, {"answered": False})
    )
    assert unknown["why"] == ["planned: 1 day before the visit", reasons.words(explaining.IF_OPEN)]
    assert (answered["at"], "the questions are answered" in answered["why"][-1]) == (None, True)
    assert still_open["why"] == ["planned: 1 day before the visit"]


def test_a_preview_is_told_who_the_patient_is() -> None:
    record = {"visit_at": "2026-03-12T10:00", "zone": "America/Denver", "booked_at": "2026-02-01T16:00:00Z"}
    step = {"name": "a", "before": "1 day", "text": "reminder_day", "when": ["language:es", "first_visit"]}
    asked = record | {"cadence": {"steps": [step]}}
    told = {
        "es": explaining.explain(asked | {"language": "es-MX", "first_visit": True}),
        "seen": explaining.explain(asked | {"language": "es", "first_visit": False}),
        "en": explaining.explain(asked),
    }
    assert told["es"]["steps"][0]["at"] is not None
    assert "has been seen before" in told["seen"]["steps"][0]["why"][-1]
    assert told["en"]["steps"][0]["why"][-1] == (
        "dropped: this step is for language es, and the patient speaks none that we know"
    )
    assert "first_visit: expected true or false" in explaining.explain(asked | {"first_visit": 1})["error"]
