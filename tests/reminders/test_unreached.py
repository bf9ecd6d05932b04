"""Why a patient was not reached: facts in, reason out."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from hypothesis import given
from hypothesis import strategies as st

from config import db
from messaging.contactability import Facts as Contact
from messaging.contactability import Number
from messaging.models import PROGRAMMES
from messaging.people import directory
from reminders import unreached
from reminders.unreached import Facts, Text

NOW = datetime(2026, 3, 3, 16, 0, tzinfo=UTC)


def line(own: str, agreed: str = "unknown", shared: bool = False) -> Number:
    return Number(own, frozenset({"mobile"} if shared else ()), dict.fromkeys(PROGRAMMES, agreed))


def facts(visit: str, active: bool, lines: Any = (), texts: Any = ()) -> Facts:
    return Facts(visit, Contact("active" if active else "inactive", lines), texts)


MINE = line("mobile", "granted")


def text(state: str, fate: str | None = None, hours: float = 1, later: float = 0) -> Text:
    at = NOW + timedelta(hours=hours)
    return Text(state, fate, at, at + timedelta(hours=later))


@pytest.mark.parametrize(
    ("known", "reason"),
    [
        (facts("confirmed", True), None),
        (facts("change_asked", True, [MINE]), None),
        (facts("arrived", False), None),
        (facts("booked", False, [MINE]), "inactive"),
        (facts("booked", True), "no_number"),
        (facts("booked", True, [line("landline", "granted")]), "landline"),
        (facts("booked", True, [line("dead", "granted")]), "dead"),
        (facts("booked", True, [line("landline"), line("wrong_person")]), "wrong_person"),
        (facts("booked", True, [line("mobile", "revoked")], [text("done", "delivered")]), "opted_out"),
        (facts("booked", True, [line("unknown")]), "no_consent"),
        (facts("booked", True, [MINE, line("dead")], [text("done", "delivered")]), "unanswered"),
        (facts("booked", True, [MINE], [text("done", "sent")]), "unanswered"),
        (facts("booked", True, [line("mobile", "granted", True)], [text("done", "delivered")]), "shared"),
        (facts("booked", True, [MINE], [text("done", "undelivered")]), "undelivered"),
        (facts("booked", True, [MINE], [text("dropped", "held")]), "held"),
        (facts("booked", True, [MINE], [text("queued", "sending")]), "on_its_way"),
        (facts("booked", True, [MINE], [text("planned")]), "not_sent_yet"),
        (facts("booked", True, [MINE], [text("planned", None, -1, 12)]), "quiet_hours"),
        (facts("booked", True, [MINE], [text("dropped")]), "nothing_sent"),
        (facts("booked", True, [MINE]), "nothing_sent"),
    ],
)
def test_each_reason_is_told_apart(known: Facts, reason: str | None):
    assert unreached.why_not(known, NOW) == reason


def test_the_latest_text_decides():
    first, last = text("done", "delivered", -48), text("done", "failed", -2)
    assert unreached.why_not(facts("booked", True, [MINE], [last, first]), NOW) == "undelivered"


LINES = st.builds(
    line,
    st.sampled_from(["unknown", "mobile", "landline", "dead", "wrong_person"]),
    st.sampled_from(["granted", "revoked", "unknown"]),
    st.booleans(),
)
TEXTS = st.builds(
    text,
    st.sampled_from(["planned", "queued", "done", "dropped", "superseded"]),
    st.sampled_from(
        [
            None,
            "queued",
            "sending",
            "sent",
            "delivered",
            "undelivered",
            "failed",
            "held",
            "cancelled",
            "unknown",
        ]
    ),
    st.floats(-100, 100),
    st.floats(0, 20),
)


@given(
    st.sampled_from(["booked", "confirmed", "change_asked", "arrived", "no_show"]),
    st.booleans(),
    st.lists(LINES, max_size=3),
    st.lists(TEXTS, max_size=4),
)
def test_whoever_has_not_answered_always_has_a_reason(visit: str, active: bool, lines: Any, texts: Any):
    reason = unreached.why_not(facts(visit, active, lines, texts), NOW)
    assert (reason is None) == (visit != "booked")
    if visit == "booked" and any(line.agreed["reminders"] == "revoked" for line in lines[-1:] if line.own == "mobile"):
        assert reason in ("inactive", "opted_out")


def test_the_next_clinic_day_skips_days_without_visits(world: Any):
    with time_machine.travel(NOW, tick=False):
        world.visit(world.patient(), NOW + timedelta(days=6))
        world.visit(world.patient(), NOW + timedelta(hours=3))
        with db.unit_of_work(world.clinic.id, read_only=True) as session:
            assert unreached.next_day(session, world.clinic, NOW) == date(2026, 3, 9)


def test_an_empty_clinic_looks_at_tomorrow(world: Any):
    with db.unit_of_work(world.clinic.id, read_only=True) as session:
        assert unreached.next_day(session, world.clinic, NOW) == date(2026, 3, 4)
        assert unreached.of_day(session, world.clinic, date(2026, 3, 4), NOW).entries == []


def test_a_day_that_changes_its_clocks_is_whole(world: Any):
    begins, ends = unreached.span(world.clinic, date(2026, 3, 8))
    assert ends - begins == timedelta(hours=23)


@pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)
def test_a_days_facts_come_from_the_rows(world: Any):
    with time_machine.travel(NOW, tick=False):
        shared = "+13035550177"
        for hours, facts in (
            (24, {}),
            (25, {"number": shared}),
            (26, {"number": shared}),
            (27, {"number": None}),
        ):
            world.visit(world.patient(**facts), NOW + timedelta(hours=hours))
        with db.unit_of_work(world.clinic.id) as session:
            directory.learn_line(session, world.clinic, "+13035550101", "landline", "operator")
        with db.unit_of_work(world.clinic.id, read_only=True) as session:
            day = unreached.of_day(session, world.clinic, date(2026, 3, 4), NOW)
            assert unreached.count(session, world.clinic, NOW) == 2
    assert [entry.reason for entry in day.entries] == ["landline", "not_sent_yet", "not_sent_yet", "no_number"]
    assert [entry.facts.contact.numbers[0].shared for entry in day.entries[1:3]] == [True, True]
