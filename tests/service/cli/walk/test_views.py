"""What the demonstration shows of how the clinic did, and of work that was timed: kept as the doors would keep it."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from caseload.models import CareTimer, Episode, SatisfactionAsked
from config import clock, db
from messaging.models import Clinic, Message, Patient, Staff
from service.cli.walk import caseload_seed, morning, views_seed

TEAM = {"Ines": "clinic_admin", "Rosa": "care_manager", "Dr. Ames": "clinician", "Dr. Wu": "psychiatric_consultant"}


@pytest.fixture
def seeded(
    house: object, clinic: Clinic, new_staff: Callable[..., Staff], new_patient: Callable[..., Patient]
) -> list[int]:
    """The past of the demonstration and its timer, in a clinic with the same records; which totals were kept."""
    story, kept = morning.story(), list[int]()
    for name, role in TEAM.items():
        new_staff(name, role=role)
    languages = {row[0]: row[5] for row in story["people"]["rows"]}
    for record in {each["record"] for each in (*story["past"], story["timed"])}:
        new_patient(record=record, language=languages[record])

    def keep(_session: Session, _record: str, total: int) -> None:
        kept.append(total)

    now = clock.now()
    caseload_seed.seed(clinic.id, now, [each for each in story["caseload"] if each["record"] == "2001"])
    views_seed.seed(clinic.id, now, story["past"], story["views"]["text"], keep)
    views_seed.time_work(clinic.id, now, story["timed"])
    return kept


def _rows(model: Any) -> list[Any]:
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        rows = list(session.scalars(select(model)))
        db.load_keys(session, (row.key_id for row in rows if hasattr(row, "key_id")))
        return rows


def test_people_whose_care_has_ended_say_in_two_languages_how_the_clinic_did(seeded: list[int]) -> None:
    asked = _rows(SatisfactionAsked)
    answered = [row for row in asked if row.answered_at is not None]
    assert {row.answered_in for row in answered} == {"en", "es"}
    assert 0 < len(answered) < len(asked)
    assert all(len(json.loads(row.said or "{}")) == 3 for row in answered)
    assert any(row.words for row in answered)
    # Nobody is put before a person by what is made up, nothing is left to be sent.
    assert not any(row.raised for row in asked)
    assert {message.state for message in _rows(Message)} == {"delivered"}
    assert {episode.phase for episode in _rows(Episode)} == {"active", "discharged"}
    assert len(seeded) >= 10


def test_the_timer_of_this_morning_waits_with_its_pause(seeded: list[int]) -> None:
    [timer] = _rows(CareTimer)
    assert timer.state == "proposed"
    assert [why for _, _, why in timer.stretches] == ["idle", "hand"]
