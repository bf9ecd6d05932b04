"""What becomes of words about the clinic: kept as long as all words of patients are, and read where they worry."""

import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import time_machine
from sqlalchemy import select

from caseload.models import Episode, SatisfactionAsked
from config import clock, db
from messaging.inbox.models import InboxItem
from messaging.models import Clinic, Patient, Staff
from messaging.retention import what_ages
from messaging.second_reading import standing
from tests.web.caseload.seeding import Scene, enrolled, with_registry
from tests.web.caseload.test_satisfaction import entered, look, marks, on, publish, scene
from tests.worries import WORRYING
from webhooks import retention

__all__ = ["scene"]
START = UUID(int=0)


def test_words_grow_old_as_all_words_do_and_marks_stay(scene: Scene) -> None:
    enrolled(scene, scene.house.patient(), days_ago=90)
    (text,) = look(scene, on(scene, 1))
    with time_machine.travel(on(scene, 1, hour=12), tick=False):
        entered(scene, text).post(**marks(4), words="Kind people.")
    later = clock.now() + timedelta(days=7 * 366)
    with time_machine.travel(later, tick=False), db.unit_of_work(db.EVERY) as session:
        clinic = session.get_one(Clinic, scene.house.clinic.id)
        terms = what_ages.Terms(later - timedelta(days=6 * 366), later.date(), 6)
        row = session.scalars(select(SatisfactionAsked)).one()
        held = session.get_one(Patient, session.get_one(Episode, row.episode_id).patient_id)
        held.legal_hold_at = later
        session.flush()
        shelf = retention.SHELVES["satisfaction_asked"]
        assert shelf(session, clinic, terms, START).emptied == 0
        held.legal_hold_at = None
        assert shelf(session, clinic, terms, START).emptied == 1
        session.flush()
        session.refresh(row)
        assert (row.words, row.spoke) == (None, False)
        assert list(json.loads(row.said or "{}").values()) == [4]


def test_a_worry_written_there_is_read_within_minutes_where_the_second_reader_acts(scene: Scene) -> None:
    with db.unit_of_work(scene.house.clinic.id) as session:
        clinic = session.get_one(Clinic, scene.house.clinic.id)
        standing.sign_off(session, clinic, session.get_one(Staff, scene.rosa.id))
    enrolled(scene, scene.house.patient(), days_ago=90)
    (text,) = look(scene, on(scene, 1))
    with time_machine.travel(on(scene, 1, hour=12), tick=False):
        phone = entered(scene, text)
        phone.post(words=WORRYING)
        assert phone.heading == "Thank you for telling us."
        [item] = scene.rows(InboxItem)
        assert (item.kind, item.conversation_id) == ("reply", None)
        assert item.answer_by <= clock.now() + timedelta(minutes=15)
        page = scene.house.signed_in(scene.rosa).get(f"/inbox/{item.id}")
        assert page.status_code == 200
        assert WORRYING in page.text
    lead = scene.house.signed_in(scene.house.staff("Lea", role="clinic_admin"))
    assert WORRYING not in lead.get("/review/words").text


def test_on_postgresql_it_is_asked_answered_and_heard_as_well(house_on_postgresql: Any) -> None:
    scene = with_registry(house_on_postgresql)
    publish(scene)
    enrolled(scene, house_on_postgresql.patient(), days_ago=90)
    (text,) = look(scene, on(scene, 1))
    with time_machine.travel(on(scene, 1, hour=12), tick=False):
        phone = entered(scene, text)
        phone.post(**marks(2), words="I want to kill myself")
        assert phone.heading == "You do not have to carry this alone"
    assert [item.kind for item in scene.rows(InboxItem)] == ["safety"]
    assert [row.raised for row in scene.rows(SatisfactionAsked)] == [True]
