"""May this person be texted: the same answer of one and of many, of the outbox, and of the last look."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count, product
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as profile
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from config import db
from messaging import contactability, conversations, outbox, reachable
from messaging.consent import ledger
from messaging.contactability import OPTED_OUT_OF, Refusal
from messaging.delivery.last_look import LastLook
from messaging.models import PROGRAMMES, Clinic, Message, Patient, PatientNumber
from messaging.people import directory

LINES = ("unknown", "mobile", "landline", "dead", "wrong_person")
STATES = ("granted", "revoked", "unknown")
BOTH = pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)


@dataclass(frozen=True)
class Person:
    """A made-up patient: the state of their record and the lines of the numbers they gave, by name, in that order."""

    state: str
    lines: Mapping[str, str]


PEOPLE = st.lists(
    st.builds(
        Person,
        st.sampled_from(["active", "active", "active", "inactive", "deceased"]),
        st.dictionaries(st.sampled_from(["first", "second", "third"]), st.sampled_from(LINES), max_size=3),
    ),
    min_size=1,
    max_size=3,
)
AGREED = st.fixed_dictionaries(
    {name: st.tuples(*[st.sampled_from(STATES)] * len(PROGRAMMES)) for name in ("first", "second", "third")}
)
NUMBERS = {"first": "+13035550151", "second": "+13035550152", "third": "+13035550153"}
serial = count()
thorough = profile(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@contextmanager
def world(
    clinic: Clinic, made_up: Sequence[Person], agreed: Mapping[str, Sequence[str]]
) -> Iterator[tuple[Session, list[Patient]]]:
    """These people in the real database, for one transaction that is taken back at its end."""
    with db.unit_of_work(clinic.id) as session:
        patients = []
        for person in made_up:
            record = directory.PatientRecord(f"R{next(serial)}", "Maya", "Quill", None, None)
            patient = directory.new_patient(session, clinic, record)
            patient.state = person.state
            session.flush()
            patients.append(patient)
            for name, line in person.lines.items():
                directory.add_number(session, clinic, patient, NUMBERS[name])
                row = session.query(PatientNumber).filter_by(patient_id=patient.id).order_by(PatientNumber.id).all()[-1]
                row.line = line
                session.flush()
        for name, events in agreed.items():
            conversations.attribute(session, clinic, NUMBERS[name])
            for programme, event in zip(PROGRAMMES, events, strict=True):
                if event != "unknown":
                    ledger.record(
                        session, clinic, NUMBERS[name], event, source="import", actor="operator",
                        programmes=[programme],
                    )  # type: ignore[arg-type]  # fmt: skip
        yield session, patients
        session.rollback()


def expected(
    made_up: Sequence[Person], who: int, agreed: Mapping[str, Sequence[str]], programme: str
) -> Refusal | None:
    """The rule once more, told of people instead of rows."""
    person = made_up[who]
    if person.state != "active":
        return Refusal.INACTIVE
    if not person.lines:
        return Refusal.NO_NUMBER
    textable = [name for name, line in person.lines.items() if line in ("unknown", "mobile")]
    if not textable:
        return contactability.LINES[list(person.lines.values())[-1]]
    of_all = {owner.lines.get(textable[-1]) for owner in made_up}
    for line in ("dead", "landline"):
        if line in of_all:
            return contactability.LINES[line]
    consent = agreed[textable[-1]][PROGRAMMES.index(programme)]
    if consent == "revoked":
        return Refusal.OPTED_OUT if set(agreed[textable[-1]]) == {"revoked"} else OPTED_OUT_OF[programme]
    return Refusal.NO_CONSENT if consent == "unknown" else None


@BOTH
@given(PEOPLE, AGREED)
@thorough
def test_one_and_many_and_the_outbox_give_the_same_answer(clinic: Clinic, made_up: Any, agreed: Any):
    with world(clinic, made_up, agreed) as (session, patients):
        together = reachable.of_patients(session, [patient.id for patient in patients])
        for who, patient in enumerate(patients):
            alone = reachable.of_patient(session, patient)
            assert alone == together[patient.id]
            chosen, row = contactability.number_meant(alone), directory.textable_number(session, patient)
            assert (chosen is None) == (row is None)
            for programme in PROGRAMMES:
                wanted = expected(made_up, who, agreed, programme)
                assert contactability.refusal(alone, programme) is wanted
                assert outbox.refusal(session, patient, programme) is wanted
                assert queued(session, clinic, patient, programme) == wanted


def queued(session: Session, clinic: Clinic, patient: Patient, programme: str) -> Refusal | None:
    """Why a text is refused, None where it is queued; and then the last look before it leaves refuses nothing new."""
    try:
        message = outbox.text_patient(
            session, clinic, patient, kind="reminder", programme=programme, body="See you.", dedupe=f"m{next(serial)}"
        )  # fmt: skip
    except outbox.MayNotText as refused:
        return refused.reason
    assert LastLook(session, [message]).why_not(message) is None
    return None


@BOTH
@given(PEOPLE, AGREED, st.sampled_from(["reply", "automatic", "crisis", "reminder", outbox.LAST_WORD]))
@thorough
def test_a_conversation_is_closed_for_the_same_reason_alone_in_a_batch_and_at_sending(
    clinic: Clinic, made_up: Any, agreed: Any, kind: str
):
    with world(clinic, made_up, agreed) as (session, patients):
        whose: list[UUID | None] = [None, *(patient.id for patient in patients)]
        talks = [conversations.of_number(session, clinic, dialled) for dialled in NUMBERS.values()]
        meant = list(product(talks, whose))
        together = reachable.of_conversations(session, meant)
        for talk, patient_id in meant:
            alone = reachable.of_conversation(session, talk, patient_id)
            assert alone == together[talk.id, patient_id]
            wanted = outbox.of_text(alone, kind, "care_team", None)
            message = Message(
                clinic_id=clinic.id, key_id=clinic.key_id, conversation_id=talk.id, patient_id=patient_id,
                direction="out", kind=kind, programme="care_team", state="queued", lane="bulk",
                dedupe=f"m{next(serial)}", body="Thank you.", created_at=talk.last_at, try_after=talk.last_at,
            )  # fmt: skip
            session.add(message)
            session.flush()
            assert LastLook(session, [message]).why_not(message) is wanted


@BOTH
def test_the_number_of_queries_does_not_grow_with_the_people(clinic: Clinic):
    crowd = [Person("active", {"first": "mobile", "second": "dead"})] * 6
    agreed = dict.fromkeys(NUMBERS, ("granted",) * 3)
    with world(clinic, crowd, agreed) as (session, patients):
        session.flush()
        queries = [statements(session, lambda some=some: reachable.of_patients(session, some)) for some in (
            [patients[0].id], [patient.id for patient in patients],
        )]  # fmt: skip
        assert queries == [4, 4]
        assert reachable.of_patients(session, []) == {}
        assert reachable.of_conversations(session, []) == {}


def statements(session: Session, act: Any) -> int:
    from sqlalchemy import event

    seen: list[str] = []
    bind = session.get_bind()
    note = lambda _conn, _cursor, statement, *_more: seen.append(statement)  # noqa: E731
    event.listen(bind, "before_cursor_execute", note)
    act()
    event.remove(bind, "before_cursor_execute", note)
    return len(seen)
