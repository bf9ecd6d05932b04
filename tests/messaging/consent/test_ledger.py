"""The ledger of consent: the last word decides, for each number and each programme."""

from datetime import timedelta

import pytest
import time_machine
from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st
from sqlalchemy import func, select, text

from config import clock, db
from messaging.consent import ledger
from messaging.models import PROGRAMMES, ConsentEntry

both = pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)
NUMBER, OTHER = "+13035550117", "+13035550118"


def say(clinic, event, number=NUMBER, **more) -> None:
    with db.unit_of_work(clinic.id) as session:
        ledger.record(session, clinic, number, event, **({"source": "text", "actor": "patient:x"} | more))


def state(clinic, number=NUMBER) -> dict[str, str]:
    with db.unit_of_work(clinic.id) as session:
        return ledger.state(session, clinic, number)


def test_a_number_that_never_agreed_may_not_be_texted(clinic):
    assert state(clinic) == dict.fromkeys(PROGRAMMES, "unknown")
    with db.unit_of_work(clinic.id) as session:
        assert "granted" not in ledger.state(session, clinic, NUMBER).values()


@both
def test_a_stop_ends_every_programme_and_a_start_brings_them_back(clinic):
    say(clinic, "granted", source="import")
    assert set(state(clinic).values()) == {"granted"}
    say(clinic, "revoked", words="STOP")
    assert set(state(clinic).values()) == {"revoked"}
    say(clinic, "granted", words="START")
    assert set(state(clinic).values()) == {"granted"}


@both
@pytest.mark.parametrize("by_file", [False, True])
def test_a_stop_is_the_last_word_whatever_the_clock_says(clinic, by_file, new_patient):
    patient_id = new_patient().id
    say(clinic, "granted", source="import", patient_id=patient_id)
    with time_machine.travel(clock.now() - timedelta(hours=1)), db.unit_of_work(clinic.id) as session:
        if by_file:
            index = db.clinic_index(session, clinic.key_id, "number", NUMBER)
            said = [ledger.Said(index, patient_id, "revoked")]
            ledger.record_many(session, clinic, said, source="import", actor="operator:x")
        else:
            ledger.record(session, clinic, NUMBER, "revoked", source="text", actor="patient:x", words="STOP")
        assert set(ledger.state(session, clinic, NUMBER).values()) == {"revoked"}
    assert set(state(clinic).values()) == {"revoked"}
    say(clinic, "granted", words="START")
    assert set(state(clinic).values()) == {"granted"}


def test_a_number_may_agree_to_some_programmes_only(clinic):
    say(clinic, "granted")
    say(clinic, "revoked", programmes=("screening",))
    assert state(clinic) == {"reminders": "granted", "screening": "revoked", "care_team": "granted"}
    with db.unit_of_work(clinic.id) as session:
        assert ledger.state(session, clinic, NUMBER)["reminders"] == "granted"
        assert ledger.state(session, clinic, NUMBER)["screening"] != "granted"


def test_one_number_s_word_is_not_another_s(clinic):
    say(clinic, "granted")
    say(clinic, "revoked", number=OTHER)
    assert set(state(clinic).values()) == {"granted"}
    assert set(state(clinic, OTHER).values()) == {"revoked"}


def test_the_verbatim_words_are_kept_and_sealed(clinic):
    say(clinic, "revoked", words="please dont text me")
    with db.unit_of_work(clinic.id) as session:
        assert {row.words for row in session.scalars(select(ConsentEntry))} == {"please dont text me"}
        raw = session.execute(text("SELECT words_ct, number_index FROM consent_entry")).all()
    assert not any(b"please" in words or NUMBER.encode() in index for words, index in raw)


def test_the_ledger_only_grows(clinic):
    for event in ("granted", "revoked", "granted", "granted"):
        say(clinic, event)
    with db.unit_of_work(clinic.id) as session:
        assert session.scalar(select(func.count()).select_from(ConsentEntry)) == 4 * len(PROGRAMMES)


def test_when_the_ledger_was_last_written(clinic):
    with db.unit_of_work(clinic.id) as session:
        assert ledger.ledger(session, clinic, NUMBER) == []
    moment = clock.now() + timedelta(days=1)
    with time_machine.travel(moment, tick=False):
        say(clinic, "granted")
    with db.unit_of_work(clinic.id) as session:
        assert ledger.ledger(session, clinic, NUMBER)[0].at == moment


EVENTS = st.lists(
    st.tuples(
        st.sampled_from(("granted", "revoked")),
        st.lists(st.sampled_from(PROGRAMMES), min_size=1, unique=True),
        st.sampled_from((NUMBER, OTHER)),
    ),
    max_size=8,
)


@profile(max_examples=25, deadline=None)
@given(events=EVENTS)
def test_the_last_word_on_each_programme_decides(clinic, events):
    numbers = {NUMBER: f"+1{clock.monotonic()}", OTHER: f"+2{clock.monotonic()}"}
    expected = {number: dict.fromkeys(PROGRAMMES, "unknown") for number in numbers}
    with db.unit_of_work(clinic.id) as session:
        for event, programmes, number in events:
            ledger.record(session, clinic, numbers[number], event, source="text", actor="x", programmes=programmes)
            expected[number].update(dict.fromkeys(programmes, event))
        for number, known in numbers.items():
            assert ledger.state(session, clinic, known) == expected[number]


@both
def test_many_numbers_are_asked_at_once(clinic):
    numbers = [f"+1303555{line:04}" for line in range(450)]
    with db.unit_of_work(clinic.id) as session:
        indexes = [db.clinic_index(session, clinic.key_id, "number", number) for number in numbers]
        for number in numbers[:3]:
            ledger.record(session, clinic, number, "granted", source="import", actor="operator")
        states = ledger.states(session, ((clinic.id, index) for index in indexes))
    assert len(states) == 3 * len(PROGRAMMES)
    assert set(states.values()) == {"granted"}
    assert ledger.states(session, []) == {}


@pytest.mark.parametrize(
    ("agreed", "present", "known", "adds"),
    [
        (True, {"unknown"}, False, "granted"),
        (True, {"unknown"}, True, "granted"),
        (True, {"granted"}, False, "granted"),  # the file vouches for each patient of the number
        (True, {"granted"}, True, None),
        (True, {"granted", "unknown"}, True, None),
        (True, {"granted", "unknown"}, False, "granted"),
        (True, {"revoked"}, False, None),
        (True, {"revoked", "granted"}, False, None),  # a STOP of one programme outlives the file too
        (True, {"revoked", "unknown"}, False, None),
        (False, {"unknown"}, False, "revoked"),
        (False, {"granted"}, True, "revoked"),
        (False, {"revoked", "granted"}, True, "revoked"),
        (False, {"revoked"}, True, None),
        (False, {"revoked"}, False, None),
    ],
)
def test_what_a_file_adds_to_what_a_number_has_said(agreed, present, known, adds):
    assert ledger.vouched(agreed, present, known=known) == adds


def test_a_file_vouches_for_each_patient_once_and_says_whether_it_wrote(clinic, new_patient):
    maya, leo = new_patient("Maya"), new_patient("Leo")
    number, how = "+13035550177", {"source": "file", "actor": "file"}
    with db.unit_of_work(clinic.id) as session:
        vouched = [
            ledger.vouch(session, clinic, number, True, patient_id=whose.id, **how) for whose in (maya, leo, maya)
        ]
        assert vouched == [True, True, False]
        index = db.clinic_index(session, clinic.key_id, "number", number)
        assert ledger.lines_of(session, [(clinic.id, index)]) == {(index, maya.id), (index, leo.id)}
        assert ledger.lines_of(session, []) == set()


@pytest.mark.parametrize(
    ("said", "stopped"),
    [
        ([("revoked", "text")], True),
        ([("revoked", "carrier")], True),
        ([("revoked", "staff")], False),
        ([("revoked", "text"), ("granted", "text")], False),
        ([("granted", "text"), ("revoked", "text")], True),
        ([("revoked", "text"), ("granted", "staff")], False),
        ([], False),
    ],
)
def test_only_a_stop_of_the_phone_itself_waits_for_its_start(clinic, said, stopped):
    with db.unit_of_work(clinic.id) as session:
        for event, source in said:
            ledger.record(session, clinic, "+13035550178", event, source=source, actor="x")
        assert ledger.stopped_by_text(session, clinic, "+13035550178", PROGRAMMES) is stopped
        assert not ledger.stopped_by_text(session, clinic, "+13035550178", ())
