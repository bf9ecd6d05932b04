"""The oracles have teeth: each finds what it is there for, and a run in which all went well has no finding."""

from collections import Counter
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from config import clock
from tools.faults import oracles
from tools.faults.evidence import Evidence, Item, Sending
from tools.faults.machine import ServiceClock
from tools.faults.plan import Fault, Plan, Say, Submit, Visit
from tools.faults.traffic import STAFF, Posted, Record, Typed, phone

BEGAN = clock.now()
CRISIS, STOP = Say(1, 0, "crisis", "I want to kill myself"), Say(2, 1, "stop", "STOP")
FORM, VISIT = Submit(3, 2, positive=True), Visit(4, 3)
STORM = Fault(0, "storm", "carrier", 30.0, ({"answer": "503"},))
TEXTED, FORMED, REMINDER, WORD = uuid4(), uuid4(), uuid4(), uuid4()


def after(seconds: float):
    return BEGAN + timedelta(seconds=seconds)


def record(*faults: Fault) -> Record:
    plan = Plan(1, "embedded", 10, (VISIT,), (CRISIS, STOP), (FORM,), faults)
    typed = [Typed(CRISIS, "SM1", after(1)), Typed(STOP, "SM2", after(2))]
    return Record(plan, BEGAN, typed, [Posted(FORM, "form-2", after(3))])


def all_well() -> Evidence:
    return Evidence(
        receipts=Counter(SM1=1, SM2=1),
        received_at={"SM1": after(1), "SM2": after(2)},
        texts_in=Counter(SM1=1, SM2=1),
        screens={"form-2": [uuid4()]},
        items=[Item(TEXTED, "safety", 0, "message:1", True), Item(FORMED, "safety", 2, "screen:1", True)],
        kinds={REMINDER: "reminder", WORD: "stopped"},
        sendings=[
            Sending(STAFF, after(2), uuid4(), TEXTED),
            Sending(STAFF, after(4), uuid4(), FORMED),
            Sending(phone(3), after(5), REMINDER, None),
            Sending(phone(1), after(20), WORD, None),
        ],
        reminders={3: ["queued"]},
        revoked={1: after(2)},
    )


def kinds(seen: Evidence, *faults: Fault) -> set[tuple[str, str]]:
    return {(finding.oracle, finding.kind) for finding in oracles.judge(record(*faults), seen)}


def test_where_all_went_well_nothing_is_found() -> None:
    assert kinds(all_well()) == set()
    assert oracles.unsettled(record(), all_well()) == []


@pytest.mark.parametrize(("count", "kind"), [(0, "lost"), (2, "doubled")])
def test_a_text_received_never_or_twice_is_found(count: int, kind: str) -> None:
    seen = all_well()
    seen.texts_in["SM2"] = count
    assert kinds(seen) == {("O1", kind)}


def test_a_submission_nobody_was_told_of_is_found() -> None:
    seen = all_well()
    seen.items.pop()
    assert kinds(seen) == {("O2", "lost")}


def test_an_item_that_nobody_will_be_asked_about_is_found() -> None:
    seen = all_well()
    seen.items[0] = Item(TEXTED, "safety", 0, "message:1", False)
    assert kinds(seen) == {("O3", "lost")}


def test_an_alert_that_never_left_is_found() -> None:
    seen = all_well()
    del seen.sendings[0]
    assert kinds(seen) == {("alert", "lost")}


def test_a_reminder_that_never_left_is_found() -> None:
    seen = all_well()
    del seen.sendings[2]
    assert kinds(seen) == {("O4", "lost")}


def sent_again(seen: Evidence, message: UUID, to: str, at: float) -> Evidence:
    seen.sendings.append(Sending(to, after(at), message, None))
    return seen


def test_a_patient_texted_twice_is_found_and_a_colleague_is_not() -> None:
    assert kinds(sent_again(all_well(), REMINDER, phone(3), 6)) == {("O5", "doubled")}
    seen = all_well()
    alert = seen.sendings[0].message_id
    assert alert
    seen.kinds[alert] = "staff_alert"
    assert kinds(sent_again(seen, alert, STAFF, 6)) == set()


def test_a_text_of_which_no_row_knows_is_found() -> None:
    seen = all_well()
    seen.sendings.append(Sending(phone(3), after(6), None, None))
    assert kinds(seen) == {("O5", "wrong")}


def test_a_reminder_after_stop_is_found() -> None:
    assert ("O8", "wrong") in kinds(sent_again(all_well(), REMINDER, phone(1), 30))


def test_a_stop_that_nobody_wrote_down_is_found() -> None:
    seen = all_well()
    seen.revoked.clear()
    assert kinds(seen) == {("O8", "lost")}


def test_an_alert_is_late_after_a_minute_in_which_the_carrier_took_texts() -> None:
    seen = all_well()
    seen.sendings[1] = Sending(STAFF, after(3 + 61), uuid4(), FORMED)
    assert kinds(seen) == {("alert", "late")}
    assert kinds(seen, STORM) == set()


@pytest.mark.parametrize("act", ["cut", "fill", "stop"])
def test_seconds_in_which_the_database_was_away_are_not_counted(act: str) -> None:
    seen = all_well()
    seen.sendings[1] = Sending(STAFF, after(3 + 61), uuid4(), FORMED)
    assert kinds(seen, Fault(0, act, "postgresql", 30.0)) == set()
    assert kinds(seen, Fault(0, "leap", "clock", 30.0, by=3600)) == {("alert", "late")}


def test_what_a_clock_that_had_leapt_has_dated_is_read_as_when_it_was(tmp_path) -> None:
    leaping = ServiceClock(tmp_path / "clock")
    leaping.leaps = [
        (after(0), timedelta(0)),
        (after(10), timedelta(hours=1)),
        (after(20), timedelta(seconds=-90)),
        (after(30), timedelta(0)),
    ]
    assert [leaping.right(after(at)) for at in (5, 3615, -65, 40)] == [after(5), after(15), after(25), after(40)]


def test_a_broken_chain_and_a_leak_are_found() -> None:
    seen = all_well()
    seen.broken_chain, seen.leaks = ["line 3"], ["the log"]
    assert kinds(seen) == {("O6", "wrong"), ("O7", "wrong")}


def test_a_revocation_that_is_dated_back_begins_when_the_phone_had_sent_it() -> None:
    seen = all_well()
    seen.revoked[1] = after(-20)
    seen.sendings.append(Sending(phone(1), after(1), REMINDER, None))
    assert ("O8", "wrong") not in kinds(seen)
    seen.sendings.append(Sending(phone(1), after(10), REMINDER, None))
    assert ("O8", "wrong") in kinds(seen)
