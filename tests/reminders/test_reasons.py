"""Every reason has its sentence, says what it always said, and comes back from a row as it went in."""

import ast
import json
import re
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from hypothesis import given
from hypothesis import strategies as st

from config import db
from messaging.reasons import Reason, Sentences, read
from reminders import planner, reasons
from reminders.cadence import explaining
from reminders.models import Reminder
from tests.reminders.conftest import NOW, World, plan_of, why_of

# Keys that are put together: other_<what a condition names>, planned by how a step was asked for.
MADE = {"other_language", "other_place", "other_kind"}
CLOCK = Reason("clock_in", {"at": "06:30", "zone": "America/Denver"})
NOTICE = Reason("short_notice", {"notice": "60 minutes"})


def keys_given(room: str) -> set[str]:
    """Every key that the code of a room makes a reason of: all texts in the first place of Reason(...)."""
    names: set[str] = set()
    for file in Path(room).rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Reason" and node.args:
                choices = [node.args[0]]
                if isinstance(choices[0], ast.IfExp):
                    choices = [choices[0].body, choices[0].orelse]
                names |= {choice.value for choice in choices if isinstance(choice, ast.Constant)}
    return names


def test_every_key_has_words_and_all_words_have_a_key() -> None:
    given_here = keys_given("reminders") | MADE | {"as_written", explaining.WOULD_BE}
    assert given_here == set(reasons.sentences().sentences)


def test_every_gap_of_a_sentence_is_in_one_pair_of_braces_and_no_label_stands_twice() -> None:
    for key, sentence in reasons.sentences().sentences.items():
        assert sentence.strip() == sentence, key
        assert re.sub(r"\{[a-z]+\}", "", sentence).isprintable()
        assert not set("{}") & set(re.sub(r"\{[a-z]+\}", "", sentence)), key


SAID = [
    (Reason("planned_length", {"length": "24 hours", "side": "before"}), "planned: 24 hours before the visit"),
    (
        Reason("planned_weekday", {"at": "16:30", "weekday": "fri", "zone": "America/Denver"}),
        "planned: 16:30 on the Friday before the visit, in America/Denver",
    ),
    (
        Reason("moved_before_closing", {"until": CLOCK, "late": NOTICE}),
        "moved: back before quiet hours, as 06:30 in America/Denver leaves less than 60 minutes before the visit",
    ),
    (
        reasons.dropped(
            Reason(
                "only_quiet_hours",
                {"until": "08:00", "late": NOTICE, "back": "19:45", "early": Reason("before_booking")},
            )
        ),
        "dropped: quiet hours until 08:00, which leaves less than 60 minutes before the visit; 19:45, before them, "
        "is before the visit was booked",
    ),
    (
        reasons.dropped(Reason("cap_day", {"nth": 2, "most": 1})),
        "dropped: cap: the second reminder that day; the clinic sends a patient at most 1",
    ),
    (
        reasons.dropped(Reason("cap_week", {"nth": 21, "most": 20})),
        "dropped: cap: the 21st reminder in seven days; the clinic sends a patient at most 20",
    ),
    (
        reasons.dropped(Reason("other_place", {"wanted": "room 4", "theirs": ""})),
        "dropped: this step is for place room 4, and the visit is at none that we know",
    ),
    (reasons.dropped(Reason("visit_state", {"state": "change_asked"})), "dropped: the visit is change asked"),
    (
        reasons.dropped(planner.NO_HOUR),
        "dropped: hours: those the patient wants texts in and those of the clinic have none in common",
    ),
    (planner.QUIET, "quiet: the patient wants no texts about this visit"),
    (Reason("combined_at", {"at": "09:00"}), "combined into the text about the visit of that day at 09:00"),
    (Reason("not_texted", {"refusal": "opted out"}), "not texted: opted out"),
    (Reason("not_due_by", {"instrument": "phq2", "verdict": "open_link", "ask": "annual"}),
     "not asked: phq2, open link (annual)"),
]  # fmt: skip


@pytest.mark.parametrize(("reason", "sentence"), SAID, ids=[reason.key for reason, _ in SAID])
def test_a_reason_says_what_it_always_said(reason: Reason, sentence: str) -> None:
    assert reasons.words(reason) == sentence
    assert reasons.kept([json.loads(json.dumps(reason.stored()))]) == [sentence]


def test_a_page_says_it_without_labels() -> None:
    reason = Reason(explaining.WOULD_BE, {"because": Reason("cap_day", {"nth": 2, "most": 1})})
    assert reasons.words(reason).startswith("would be dropped: cap: the second")
    assert reasons.plain(reason) == "the second reminder that day; the clinic sends a patient at most 1"


facts = st.dictionaries(st.text(max_size=5), st.text(max_size=20) | st.integers(), max_size=3)
some = st.recursive(
    st.builds(Reason, st.text(max_size=10), facts),
    lambda inner: st.builds(Reason, st.text(max_size=10), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
    max_leaves=5,
)


@given(some)
def test_every_reason_comes_back_as_it_was_stored(reason: Reason) -> None:
    assert read(json.loads(json.dumps(reason.stored()))) == reason


@given(st.text(max_size=40))
def test_what_a_fact_says_fills_a_gap_and_opens_none(text: str) -> None:
    assert reasons.words(Reason("gave_up", {"error": text})) == f"gave up: {text}"


def test_a_reason_of_a_newer_version_is_said_by_its_key() -> None:
    assert reasons.words(Reason("of_tomorrow", {"at": "09:00"})) == "of tomorrow"


def test_a_label_stands_before_its_own_sentences_only() -> None:
    own = Sentences.of({"plain": {"a": "one"}, "labelled": {"why": {"b": "two {a}"}}, "names": {}})
    assert own.words(Reason("b", {"a": Reason("a")})) == "why: two one"
    assert own.words(Reason("b", {"a": Reason("a")}), labelled=False) == "two one"


@pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)
def test_a_planned_row_keeps_its_facts_and_says_its_sentence(world: World) -> None:
    with time_machine.travel(NOW, tick=False):
        early = world.visit(world.patient(zone="America/Los_Angeles"), NOW + timedelta(days=4, hours=1))
    row = plan_of(early)["2h"]
    assert row.why[-1]["key"] in reasons.MOVED_BY_HOURS
    assert why_of(row)[:2] == [
        "planned: 2 hours before the visit",
        "moved: quiet hours until 08:00 in America/Los_Angeles",
    ]
    with db.unit_of_work(world.clinic.id) as session:
        kept = session.get_one(Reminder, row.id)
        kept.why = [
            *kept.why,
            reasons.dropped(Reason("at_time", {"at": CLOCK, "objection": NOTICE})).stored(),
        ]
    assert why_of(plan_of(early)["2h"])[-1] == (
        "dropped: 06:30 in America/Denver leaves less than 60 minutes before the visit"
    )


def test_a_time_of_day_is_written_as_the_reader_is_used_to() -> None:
    reason = Reason("dropped", {"because": Reason("moved_to_opening", {"until": "08:00"})})
    assert "8 o'clock" in reasons.plain(reason, {"08:00": "8 o'clock"}.__getitem__)
    assert "08:00" in reasons.plain(reason)
