"""A text that may speak of a crisis from a number several patients share: the colleague of each candidate is told."""

import pytest

from config import db
from messaging import conversations, jobs
from messaging.inbox import items
from messaging.inbox.models import InboxItem

PHONE = "+13035550188"


@pytest.fixture
def from_phone(clinic):
    """Opens an item about a text from the shared number."""

    def from_phone(kind="safety") -> InboxItem:
        with db.unit_of_work(clinic.id) as session:
            conversation = conversations.of_number(session, clinic, PHONE)
            return items.open_item(
                session,
                clinic,
                kind=kind,
                about="message:1",
                dedupe=f"x:{db.new_id()}",
                summary="x",
                conversation_id=conversation.id,
            )

    return from_phone


def told(desk):
    return {alert.staff_id for alert in desk.alerts()}


def test_the_colleague_of_each_candidate_is_told_and_one_of_them_owns_it(desk, new_staff, new_patient, from_phone):
    noor, alba = new_staff("Noor", panels=["Dr Noon"]), new_staff("Alba", panels=["Dr Reyes"])
    new_staff("Tess", panels=["Dr Other"])
    new_patient("Maya", number=PHONE, panel="Dr Reyes")
    new_patient("Leo", number=PHONE, panel="Dr Noon")
    item = from_phone()
    jobs.fire_timers()
    stored = desk.item(item.id)
    assert told(desk) == {noor.id, alba.id}
    assert stored.owner_id == alba.id
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        reasons = items.reasons(session.get_one(InboxItem, item.id))
    assert reasons[-1].startswith("2 patients share the number")
    assert stored.patient_id is None


def test_a_colleague_of_both_is_told_once(desk, new_staff, new_patient, from_phone):
    alba = new_staff("Alba", panels=["Dr Reyes"])
    for name in ("Maya", "Leo"):
        new_patient(name, number=PHONE, panel="Dr Reyes")
    from_phone()
    jobs.fire_timers()
    assert [alert.staff_id for alert in desk.alerts()] == [alba.id]


def test_nobody_is_told_for_somebody_who_has_died(desk, new_staff, new_patient, from_phone):
    new_staff("Alba", panels=["Dr Reyes"])
    new_staff("Noor", panels=["Dr Noon"])
    new_patient("Maya", number=PHONE, panel="Dr Reyes")
    leo = new_patient("Leo", number=PHONE, panel="Dr Noon")
    with db.unit_of_work(db.EVERY) as session:
        session.merge(leo).state = "deceased"
    item = from_phone()
    jobs.fire_timers()
    assert "one_of_several:2" not in desk.item(item.id).reason
    assert len(told(desk)) == 1


def test_an_ordinary_text_of_a_shared_number_rings_no_second_phone(desk, new_staff, new_patient, from_phone):
    new_staff("Alba", panels=["Dr Reyes"])
    new_staff("Noor", panels=["Dr Noon"])
    new_patient("Maya", number=PHONE, panel="Dr Reyes")
    new_patient("Leo", number=PHONE, panel="Dr Noon")
    from_phone("reply")
    jobs.fire_timers()
    assert told(desk) == set()
