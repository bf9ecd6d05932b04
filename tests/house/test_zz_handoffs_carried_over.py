"""Handoffs of before they had to close: what was open goes on without a text to patients, what is past has ended."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from config import db
from messaging.inbox import items
from messaging.inbox.models import InboxItem
from messaging.models import Clinic, Message, Patient, Staff
from reminders import handoff_steps
from reminders.models import Handoff, HandoffOffer
from service import migrations
from tests.house.test_zz_reasons_carried_over import KINDS, fill, go_back_to
from tests.reminders.conftest import World, world  # noqa: F401 - the fixture

MOMENTS = ("requested_at", "accepted_at", "told_at", "arrived_at", "ended_at")
OLD, FRESH = timedelta(days=3), timedelta(minutes=20)


def of_before(session: Session, clinic: Clinic, patient: Patient, staff: Staff, state: str, age: timedelta) -> UUID:
    """A handoff as it stood before, with its item."""
    handoff_id, now = db.new_id(), datetime.now(UTC)
    item = items.open_item(
        session, clinic, kind="handoff", about=f"handoff:{handoff_id}", dedupe=f"handoff:{handoff_id}", summary="words",
        patient_id=patient.id,
    )  # fmt: skip
    told = state in ("accepted", "told", "arrived")
    if told:
        items.claim(session, item, staff)
        items.acknowledge(session, item, staff, "handled")
    session.flush()
    row: dict[str, Any] = {
        "id": handoff_id, "clinic_id": clinic.id, "patient_id": patient.id, "requested_by": "operator", "urgent": False,
        "state": state, "offered_to": staff.id, "tried": [], "item_id": item.id, "requested_at": now - age,
        "try_after": now - age, "attempts": 0, "fence": 0,
    }  # fmt: skip
    moments = {name: now - age if told and name != "ended_at" else None for name in MOMENTS[1:]}
    fill(session, "handoff", row | (moments if state == "arrived" else moments | {"arrived_at": None}))
    return handoff_id


@pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)
def test_what_was_open_texts_nobody_after_the_upgrade(world: World) -> None:  # noqa: F811
    patient, ana = world.patient(), world.staff("Ana")
    go_back_to("0029")
    KINDS.update({name: db.Moment() for name in MOMENTS} | {"tried": KINDS["why"]})
    with db.unit_of_work(db.EVERY) as session:
        people = (world.clinic, patient, ana)
        old = {state: of_before(session, *people, state, OLD) for state in ("requested", "accepted", "told", "arrived")}
        fresh = {state: of_before(session, *people, state, FRESH) for state in ("requested", "accepted", "told")}
    migrations.upgrade()
    handoff_steps.drain()
    with db.unit_of_work(db.EVERY) as session:
        stands = {handoff.id: handoff for handoff in session.scalars(select(Handoff))}
        for state in ("requested", "accepted", "told"):
            ended = stands[old[state]]
            assert (ended.state, ended.outcome, ended.follows) == ("lost", "lost", None), state
            assert ended.ended_at is not None
        assert (stands[old["arrived"]].state, stands[old["arrived"]].met_at) == (
            "met",
            stands[old["arrived"]].arrived_at,
        )
        assert stands[old["requested"]].colleague_id is None
        for state in ("accepted", "told"):
            assert (stands[fresh[state]].state, stands[fresh[state]].stage, stands[fresh[state]].follows) == (
                state,
                1,
                "warn",
            )
        assert session.scalars(select(Message).where(Message.patient_id == patient.id)).all() == []
        about_old = [f"handoff:{handoff_id}" for handoff_id in old.values()]
        assert len(session.scalars(select(InboxItem).where(InboxItem.about.in_(about_old))).all()) == len(old)
        asked = session.scalars(select(HandoffOffer).where(HandoffOffer.handoff_id == fresh["requested"])).all()
        assert [offer.staff_id for offer in asked] == [ana.id]
