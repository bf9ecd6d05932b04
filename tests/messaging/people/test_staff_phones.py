"""A colleague's phone that takes no texts of ours is nobody who could be reached, until it takes them again."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import select

from config import audit, db
from messaging.delivery import deliver
from messaging.inbox import items
from messaging.inbox.routing.hours import WEEKDAYS
from messaging.inbox.staff import coverage_guard, roster, staffing
from messaging.models import Clinic, Message, Staff
from messaging.people import staff_phones
from tests.messaging.inbox.acting import tick

ALWAYS = {day: ["00:00", "00:00"] for day in WEEKDAYS}


@pytest.fixture
def alerted(desk, network, new_staff, clinic: Clinic) -> Callable[[], Message]:
    """Tells a colleague of something urgent; returns what the carrier accepted."""

    def alerted() -> Message:
        with db.unit_of_work(clinic.id) as session:
            items.open_item(session, clinic, kind="safety", about="screen:1", dedupe=f"x:{db.new_id()}", summary="x")
        tick()
        deliver.deliver("urgent")
        return network.accepted()[-1]

    return alerted


def known(staff: Staff) -> str | None:
    with db.unit_of_work(db.EVERY) as session:
        return session.get_one(Staff, staff.id).phone_fault


def rings(clinic: Clinic) -> dict[str, bool]:
    with db.unit_of_work(clinic.id, read_only=True) as session:
        return {person.name: person.phone for person in roster.people(session, session.get_one(Clinic, clinic.id))}


@pytest.mark.parametrize(("code", "fault"), [(21610, "opt_out"), (30006, "landline"), (30005, "dead")])
def test_what_the_carrier_says_for_good_is_remembered_until_a_text_arrives(
    alerted, desk, new_staff, clinic, code, fault
):
    alba = new_staff()
    text = alerted()
    desk.callback(text["status_callback"], "undelivered", text["sid"], code)
    assert known(alba) == fault
    assert rings(clinic) == {"Alba Reyes": False}
    again = alerted()  # tried all the same: nobody else is there
    assert again["to"] == text["to"]
    desk.callback(again["status_callback"], "delivered", again["sid"])
    assert known(alba) is None
    assert rings(clinic) == {"Alba Reyes": True}
    with db.unit_of_work(db.EVERY) as session:
        acts = set(session.scalars(select(audit.AuditEntry.act)))
    assert {"staff.phone_lost", "staff.phone_back"} <= acts


def test_a_phone_that_is_off_for_a_night_is_not_given_up(alerted, desk, new_staff):
    alba = new_staff()
    text = alerted()
    desk.callback(text["status_callback"], "undelivered", text["sid"], 30003)
    assert known(alba) is None


def test_another_colleague_gets_the_next_alert(alerted, desk, new_staff):
    new_staff()
    text = alerted()
    desk.callback(text["status_callback"], "undelivered", text["sid"], 21610)
    ben = new_staff("Ben Ito")
    alerted()
    assert desk.alerts()[-1].staff_id == ben.id


def test_a_stop_and_a_start_from_the_phone_itself_count_at_once(new_staff, clinic):
    alba, ben = new_staff(), new_staff("Ben Ito")
    with db.unit_of_work(clinic.id) as session:
        number = session.get_one(Staff, alba.id).number
        staff_phones.said(session, clinic, number, "revoked", ["reminders"])
        assert session.get_one(Staff, alba.id).phone_fault is None  # not everything was stopped
        staff_phones.said(session, clinic, number, "revoked")
    assert (known(alba), known(ben)) == ("opt_out", None)
    with db.unit_of_work(clinic.id) as session:
        staff_phones.said(session, clinic, number, "granted")
    assert known(alba) is None


def test_a_start_does_not_make_a_landline_a_mobile(new_staff, clinic):
    alba = new_staff()
    with db.unit_of_work(clinic.id) as session:
        staff = session.get_one(Staff, alba.id)
        staff_phones.refused(session, staff, "landline")
        staff_phones.said(session, clinic, staff.number, "granted")
    assert known(alba) == "landline"


def test_a_new_number_is_a_new_phone(new_staff, clinic):
    alba = new_staff(role="clinic_admin")
    with db.unit_of_work(clinic.id) as session:
        staff = session.get_one(Staff, alba.id)
        staff_phones.refused(session, staff, "dead")
        same = staffing.Facts(staff.name, staff.email, staff.role, ("en",), (), staff.number)
        staffing.change(session, clinic, staff, same, "operator")
        assert staff.phone_fault == "dead"
        staffing.change(session, clinic, staff, replace(same, number="+13035550177"), "operator")
    assert known(alba) is None


@pytest.mark.parametrize("stopped", [False, True])
def test_whoever_alone_could_still_be_reached_may_not_go(new_staff, clinic, stopped):
    alba, ben = (new_staff(name, hours=ALWAYS) for name in ("Alba Reyes", "Ben Ito"))
    new_staff("Dana Wu", role="clinic_admin", number=None)
    with db.unit_of_work(clinic.id) as session:
        staff_phones.refused(session, session.get_one(Staff, alba.id), "opt_out" if stopped else "fail")
    with db.unit_of_work(clinic.id) as session:
        here, goes = session.get_one(Clinic, clinic.id), session.get_one(Staff, ben.id)
        if stopped:
            with pytest.raises(coverage_guard.MakesGap):
                staffing.leave(session, here, goes, "operator")
        else:
            staffing.leave(session, here, goes, "operator")
        assert goes.active is stopped
