"""What the demonstration shows of how the clinic did, and of work that was timed: kept as the doors would keep it."""

import json
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from caseload.figures import keeping
from caseload.models import CareTimer, SatisfactionAsked
from config import clock, db
from messaging.models import Clinic, Message, Patient, Staff
from service.cli.walk import caseload_seed, morning, views_seed

TEAM = {"Ines": "clinic_admin", "Rosa": "care_manager", "Dr. Ames": "clinician", "Dr. Wu": "psychiatric_consultant"}


@pytest.fixture
def answered(
    house: object, clinic: Clinic, new_staff: Callable[..., Staff], new_patient: Callable[..., Patient]
) -> int:
    """The past of the demonstration and its timer, in a clinic with the same records; how often somebody answered."""
    story, now = morning.story(), clock.now()
    for name, role in TEAM.items():
        new_staff(name, role=role)
    for person in views_seed.people(story["former"]):
        new_patient(person.first, record=person.record, language=person.language, number=person.number)
    new_patient("Hanna", record=story["timed"]["record"])
    caseload_seed.seed(clinic.id, now, [each for each in story["caseload"] if each["record"] == "2001"])
    said = views_seed.seed(clinic.id, now, story["former"])
    views_seed.time_work(clinic.id, now, story["timed"])
    return said


def _rows(model: Any) -> list[Any]:
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        rows = list(session.scalars(select(model)))
        db.load_keys(session, (row.key_id for row in rows if hasattr(row, "key_id")))
        return rows


def test_people_whose_care_has_ended_say_in_two_languages_how_the_clinic_did(answered: int, clinic: Clinic) -> None:
    asked = _rows(SatisfactionAsked)
    said = [row for row in asked if row.answered_at is not None]
    assert len(said) == answered
    assert all(len(json.loads(row.said or "{}")) == 3 for row in said)
    # Nobody is put before a person by what is made up, nothing is left to be sent.
    assert not any(row.raised for row in asked)
    assert {message.state for message in _rows(Message)} == {"delivered"}
    # As many are needed as the review does not hide, of those who answered and of those who did not.
    for language in ("en", "es"):
        did = [row.answered_in == language for row in asked if row.language == language]
        assert min(did.count(True), did.count(False)) >= 11
    assert sum(row.spoke for row in asked) >= 5
    with db.unit_of_work(clinic.id) as session:
        kept = session.get_one(Clinic, clinic.id)
        today = keeping.today_of(kept)
        days = [today - number * timedelta(days=1) for number in range(1, 90)]
        counted = sum((keeping.count(session, kept, day, today) for day in days), Counter())
    assert counted["views.answered"] == answered


def test_the_timer_of_this_morning_waits_with_its_pause(answered: int) -> None:
    [timer] = _rows(CareTimer)
    assert timer.state == "proposed"
    assert [why for _, _, why in timer.stretches] == ["idle", "hand"]
