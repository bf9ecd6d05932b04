"""A visit of which somebody wanted no texts, and the word by which they want them again."""

from typing import Any

import pytest
from sqlalchemy import select

from config import db
from messaging.models import Clinic, Patient
from messaging.people import directory
from reminders import handoffs, withdrawing
from reminders.models import Appointment, Handoff
from tests.webhooks.test_handle_text import _visit


@pytest.mark.parametrize(
    ("words", "lifted"),
    [("START", True), ("UNSTOP", True), ("Y", False), ("HELP", False), ("ok thanks", False)],
)
def test_whoever_wanted_no_texts_about_a_visit_gets_them_again_with_start_only(
    world: Any, words: str, lifted: bool
) -> None:
    _visit(world)
    with db.unit_of_work(db.EVERY) as session:
        withdrawing.quiet(session, session.scalars(select(Appointment)).one(), "patient:x")
    world.text(words)
    assert (world.rows(Appointment)[0].quiet_at is None) == lifted


def test_stop_on_the_way_to_a_colleague_has_somebody_walk_with_them(world: Any) -> None:
    with db.unit_of_work(db.EVERY) as session:
        clinic, patient = session.scalars(select(Clinic)).one(), session.scalars(select(Patient)).one()
        cleo = directory.add_staff(session, clinic, name="Cleo", email="cleo@clinic.example", number="+17205550177")
        handoff = handoffs.request(session, clinic, patient, requested_by="api:front_desk", place="Room 4")
        handoffs.accept(session, handoff, cleo)
        assert handoff.state == "told"
    world.text("STOP")
    (row,) = world.rows(Handoff)
    assert (row.state, row.colleague_id) == ("accepted", cleo.id)
    assert any("they want no more texts" in (item.summary or "") for item in world.items)
