"""However much a program sends or reads, it does not keep the database's one writer from the others."""

from typing import Any

import pytest

from config import db
from messaging import outbox
from tests.api.conftest import WHOLE
from tests.holding import LONGEST, writers

LONG = "I want to go home. " * 3_000


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/patients", WHOLE | {"address": LONG}),
        ("/patients", WHOLE | {"first_name": "½" * 120, "language": "e" * 80}),
        ("/messages", {"patient_id": "x", "body": LONG}),
        ("/messages", {"patient_id": "", "body": "half ½ " * 250}),
        ("/consents", {"patient_id": "", "event": "revoked", "programmes": ["reminders"] * 9_000, "how": "spoken"}),
        ("/intake-links", {"patient_id": "", "instruments": ["phq9"] * 6_000}),
    ],
)
def test_the_longest_body_is_judged_at_once(ours: Any, path: str, body: dict[str, Any]) -> None:
    program, patient = ours.program(), ours.patient()
    body |= {"patient_id": str(patient.id)} if body.get("patient_id") == "" else {}
    with writers() as held:
        assert program.post(path, body).status_code < 500
    assert max(held, default=0) < LONGEST


def test_the_longest_page_is_read_without_holding_anybody(ours: Any) -> None:
    program, patient = ours.program(), ours.patient()
    with db.unit_of_work(ours.clinic.id) as session:
        for number in range(200):
            outbox.text_patient(
                session, ours.clinic, patient, kind="reply", programme="care_team", body="hello " * 100,
                dedupe=str(number),
            )  # fmt: skip
    with writers() as held:
        assert len(program.get("/messages", limit=200).json["items"]) == 200
    assert max(held, default=0) < LONGEST / 5
