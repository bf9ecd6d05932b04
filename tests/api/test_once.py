"""A POST is done once, however often and however many at a time it is sent."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import func, select

from api import once
from api.models import ApiAnswer
from config import clock, db
from messaging.models import Patient
from tests.api.conftest import WHOLE
from tests.api.test_door import problem_of

both = pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)


def patients(side: Any) -> int:
    with db.unit_of_work(side.clinic.id) as session:
        return session.scalar(select(func.count()).select_from(Patient).where(Patient.clinic_id == side.clinic.id)) or 0


def answers(side: Any) -> list[ApiAnswer]:
    with db.unit_of_work(side.clinic.id) as session:
        return list(session.scalars(select(ApiAnswer)))


@both
def test_the_same_request_again_gets_the_same_answer_and_does_nothing(ours: Any) -> None:
    program = ours.program()
    first = program.post("/patients", WHOLE, key="k-1")
    turned = dict(reversed(WHOLE.items()))
    again = program.post("/patients", json.dumps(turned, indent=4), key='"k-1"')
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.text == again.text
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert len(ours.audited("patient.created")) == 1


def test_the_same_key_with_something_else_is_refused(ours: Any) -> None:
    program = ours.program()
    assert program.post("/patients", WHOLE, key="k").status_code == 201
    answer = program.post("/patients", WHOLE | {"record": "R2"}, key="k")
    assert answer.status_code == 422
    problem_of(answer, "key_reused")
    assert patients(ours) == 1


def test_a_key_belongs_to_one_program_and_one_operation(ours: Any) -> None:
    program, other = ours.program(), ours.program()
    assert program.post("/patients", WHOLE, key="k").status_code == 201
    assert other.post("/patients", WHOLE, key="k").status_code == 200
    assert program.post("/patients/search", {"record": "R1"}, key="k").status_code == 200


def test_the_same_key_for_another_row_is_refused(ours: Any) -> None:
    program, first, second = ours.program(staff=ours.staff()), ours.item(), ours.item()
    assert program.post(f"/inbox/items/{first.id}/claim", key="k").status_code == 200
    problem_of(program.post(f"/inbox/items/{second.id}/claim", key="k"), "key_reused")


@pytest.mark.parametrize("header", [None, '"', '""', "a b", "é", "x" * 256])
def test_a_post_without_a_key_is_refused_and_does_nothing(ours: Any, header: str | None) -> None:
    answer = ours.program().post("/patients", WHOLE, key=header) if header is None else ours.program().post(
        "/patients", WHOLE, key=None, **{"Idempotency-Key": header}
    )  # fmt: skip
    assert answer.status_code == 400
    problem_of(answer, "key_missing")
    assert patients(ours) == 0


def test_what_was_refused_may_be_mended_under_the_same_key(ours: Any) -> None:
    program = ours.program()
    assert program.post("/patients", WHOLE | {"birth_date": "never"}, key="k").status_code == 422
    assert program.post("/patients", WHOLE, key="k").status_code == 201


def test_while_the_first_runs_the_second_is_told_to_wait_and_may_follow_one_that_died(ours: Any) -> None:
    program = ours.program()
    program.post("/patients", WHOLE, key="k")
    with db.unit_of_work(ours.clinic.id) as session:
        row = session.scalars(select(ApiAnswer)).one()
        row.status, row.body = None, None
    answer = program.post("/patients", WHOLE, key="k")
    assert answer.status_code == 409
    assert answer.headers["Retry-After"] == "1"
    problem_of(answer, "running")
    with time_machine.travel(clock.now() + once.LEASE + timedelta(seconds=1), tick=False):
        assert program.post("/patients", WHOLE, key="k").status_code == 200


@both
def test_many_at_once_make_one(ours: Any) -> None:
    program = ours.program()
    with ThreadPoolExecutor(6) as threads:
        told = list(threads.map(lambda _: program.post("/patients", WHOLE, key="k").status_code, range(6)))
    assert set(told) <= {201, 409}
    assert 201 in told
    assert patients(ours) == 1
    assert program.post("/patients", WHOLE, key="k").status_code == 201


def test_an_answer_is_kept_sealed_for_a_day(ours: Any) -> None:
    program = ours.program()
    program.post("/patients", WHOLE, key="k")
    (row,) = answers(ours)
    assert b"Maya" not in (row.body_ct or b"")
    assert once.drain() == 0
    with time_machine.travel(clock.now() + once.KEPT + timedelta(minutes=1), tick=False):
        with db.unit_of_work(db.EVERY) as session:
            assert once.oldest(session, clock.now()) is not None
        assert program.post("/patients", WHOLE, key="k").status_code == 200
        assert once.drain() == 0
    with time_machine.travel(clock.now() + once.KEPT * 2 + timedelta(minutes=2), tick=False):
        assert once.drain() == 1
    assert answers(ours) == []
