"""Whoever was just brought in counts nowhere as the second person: decisions, recoveries, records, reviews."""

import html
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import select

from config import audit, clock, db
from messaging import second_people, two_person_rule
from messaging.inbox.staff import staffing
from messaging.models import Clinic, Patient, Staff
from messaging.versions import publishing
from reminders.shredding import deciding
from reminders.single_sign_on import SINGLE_SIGN_ON
from tests.web.account.test_second_step import a_colleague, enter, set_up
from web.account import account_news, recoveries
from web.patients import emergency_access

LATER = two_person_rule.SETTLES + timedelta(minutes=1)


def brought_in(house: Any, name: str, role: str = "clinic_admin") -> Staff:
    """Somebody whom an administrator has added, who can sign in."""
    dana = house.staff(f"Boss of {name}", role="clinic_admin")
    staff = house.staff(name, role=role, actor=audit.Actor.staff(dana.id))
    with db.unit_of_work(house.clinic.id) as session:
        for each in session.scalars(select(Staff)):
            each.password_hash = "x"
    return staff  # type: ignore[no-any-return]


def test_a_decision_that_takes_two_is_not_agreed_to_by_whoever_was_just_added(house: Any) -> None:
    new = brought_in(house, "Nia New")
    dana, lee = house.staff("Dana Wu", role="clinic_admin"), house.staff("Lee Park")
    actors = [audit.Actor.staff(each.id) for each in (dana, new, lee)]
    off = SINGLE_SIGN_ON.present
    with db.unit_of_work(house.clinic.id) as session:
        clinic = session.get_one(Clinic, house.clinic.id)
        terms = off(session, clinic) | {"on": True, "issuer": "https://id.example.org", "client_id": "us"}
        terms |= {"domains": ["clinic.example"], "care_manager": ["care"]}
        draft = publishing.save(session, clinic, SINGLE_SIGN_ON, terms, edit=0, actor=actors[0])
        publishing.ask(session, draft, actors[0], "")
        with pytest.raises(publishing.NeedsSecond):
            publishing.publish(session, clinic, SINGLE_SIGN_ON, edit=draft.edit, actor=actors[1])
        publishing.ask(session, draft, actors[1], "")
        with pytest.raises(publishing.NeedsSecond):  # nor does a new one's question count as another's
            publishing.publish(session, clinic, SINGLE_SIGN_ON, edit=draft.edit, actor=actors[0])
    page = html.unescape(house.signed_in(dana).get("/settings/sign-on").text)
    assert "Whoever asked has been here in their role for less than three days" in page
    with db.unit_of_work(house.clinic.id) as session:
        clinic = session.get_one(Clinic, house.clinic.id)
        draft = publishing.draft(session, clinic.id, SINGLE_SIGN_ON.name)
        assert draft is not None
        publishing.ask(session, draft, actors[0], "")
        assert publishing.publish(session, clinic, SINGLE_SIGN_ON, edit=draft.edit, actor=actors[2]).state == "live"


def test_a_record_is_not_destroyed_by_an_administrator_and_one_just_added(house: Any) -> None:
    new = brought_in(house, "Nia New")
    dana, patient = house.staff("Dana Wu", role="clinic_admin"), house.patient()
    with db.unit_of_work(house.clinic.id) as session:
        clinic, row = session.get_one(Clinic, house.clinic.id), session.get_one(Patient, patient.id)
        assert not deciding.ask(session, clinic, row, audit.Actor.staff(new.id))
        with pytest.raises(deciding.Refused, match="asker_new"):
            deciding.ask(session, clinic, row, audit.Actor.staff(dana.id))
    with time_machine.travel(clock.now() + LATER), db.unit_of_work(house.clinic.id) as session:
        clinic, row = session.get_one(Clinic, house.clinic.id), session.get_one(Patient, patient.id)
        assert deciding.ask(session, clinic, row, audit.Actor.staff(dana.id))


def test_nobody_is_let_in_nor_confirmed_by_whoever_was_just_added_and_begins_anew_themselves(house: Any) -> None:
    new, rosa = brought_in(house, "Nia New"), a_colleague(house)
    browser, _ = enter(house, rosa)
    set_up(browser)
    dana, lee = (house.staff(name, role="clinic_admin") for name in ("Dana Wu", "Lee Park"))
    with db.unit_of_work(house.clinic.id) as session:
        row = session.get_one(Staff, rosa.id)
        assert not recoveries.ask(session, row, dana)
        with pytest.raises(recoveries.Refused, match="new"):
            recoveries.ask(session, row, session.get_one(Staff, new.id))
        assert recoveries.ask(session, row, lee)
        assert row.settling_since is None
        assert recoveries.use(session, row)
        assert not two_person_rule.is_settled(second_people.person(row), clock.now())
        with pytest.raises(recoveries.Refused, match="new"):
            recoveries.confirm(session, row, session.get_one(Staff, new.id))
        recoveries.confirm(session, row, lee)


def test_an_emergency_access_is_not_reviewed_by_whoever_was_just_added(house: Any) -> None:
    new, opener = brought_in(house, "Nia New", role="auditor"), house.staff("Dana Wu", role="clinic_admin")
    asked = emergency_access.Asked("danger", "The family rang: they fear for a life tonight", 15)
    patient = house.patient()
    with db.unit_of_work(house.clinic.id) as session:
        clinic, person = session.get_one(Clinic, house.clinic.id), session.get_one(Patient, patient.id)
        row = emergency_access.open_record(session, clinic, opener, person, asked)
        emergency_access.end(session, opener, person)
        with pytest.raises(emergency_access.Refused, match="new"):
            emergency_access.look_at(session, row, new, "in_order", "")
    with time_machine.travel(clock.now() + LATER), db.unit_of_work(house.clinic.id) as session:
        emergency_access.look_at(session, session.merge(row), new, "in_order", "")


def test_what_makes_somebody_new_again_and_what_does_not(house: Any) -> None:
    lee = audit.Actor.staff(house.staff("Lee Park", role="clinic_admin", number="+12025550150").id)
    ben = house.staff("Ben Ito", number="+12025550152")
    steps = [
        ({"name": "Ben I"}, lee, True),
        ({"number": None}, lee, True),
        ({"number": "+12025550153"}, audit.Actor.staff(ben.id), True),
        ({"number": "+12025550154"}, lee, False),
        ({"role": "front_desk"}, "operator", True),
        ({"role": "care_manager"}, lee, False),
        ({"role": "clinic_admin"}, account_news.PROVIDER, False),
        ({"role": "care_manager"}, lee, True),
    ]
    for changes, actor, settled in steps:
        with db.unit_of_work(house.clinic.id) as session:
            clinic, row = session.get_one(Clinic, house.clinic.id), session.get_one(Staff, ben.id)
            row.settling_since = None
            facts = vars(staffing.facts(row)) | changes
            staffing.change(session, clinic, row, staffing.Facts(**facts), actor)
            assert two_person_rule.is_settled(second_people.person(row), clock.now()) == settled, (changes, actor)
