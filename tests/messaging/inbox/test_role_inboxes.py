"""Items that stand in the inbox of a role, on both databases."""

from datetime import timedelta

import pytest
import time_machine

from config import clock, db
from messaging import conversations, jobs
from messaging.inbox import counting, items, role_inboxes, unassigned, views
from messaging.inbox.models import InboxItem
from messaging.inbox.routing import topics
from messaging.models import Staff

both = pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture
def opened(clinic):
    """Opens a reply of a text that came in, about scheduling unless told otherwise."""

    def opened(*about: str) -> InboxItem:
        with db.unit_of_work(clinic.id) as session:
            conversation = conversations.of_number(session, clinic, "+13035550142")
            text = conversations.file_inbound(
                session, clinic, conversation, body="when is it", provider_sid=f"SM{db.new_id()}", reading=[]
            )
            return items.open_item(
                session,
                clinic,
                kind="reply",
                about=f"message:{text.id}",
                dedupe=f"reply:{text.id}",
                summary="when is it",
                conversation_id=conversation.id,
                reason=topics.reasons(about or ["scheduling"]),
            )

    return opened


@both
def test_the_desk_has_it_until_its_time_passes_then_the_care_team(opened, desk, clinic, new_staff):
    alba, _dana = new_staff(), new_staff("Dana", role="front_desk")
    item = opened()
    jobs.fire_timers()
    assert (desk.item(item.id).role, desk.item(item.id).owner_id) == ("front_desk", None)
    with db.unit_of_work(clinic.id) as session:
        staff = session.get_one(Staff, alba.id)
        assert [each.id for each in role_inboxes.desk_listing(session, clinic.id)] == [item.id]
        assert [text.body for text in role_inboxes.texts(session, session.get_one(InboxItem, item.id))] == [
            "when is it"
        ]
        assert views.listing(session, clinic.id, view="unassigned", staff=staff) == []
        beside = {"desk": role_inboxes.waiting, "unowned": unassigned.unowned, "at_the_end": unassigned.at_the_end}
        counted = counting.counts(session, clinic, staff, ("unassigned",), beside)
        assert counted == {"unassigned": 0, "desk": 1, "unowned": 0, "at_the_end": 0}
    with time_machine.travel(clock.now() + timedelta(minutes=241), tick=False):
        jobs.fire_timers()
        jobs.fire_timers()
    assert (desk.item(item.id).role, desk.item(item.id).owner_id) == (None, alba.id)
    assert {"overdue", "given_back"} <= set(desk.events(item.id))


@both
def test_an_item_given_to_a_role_is_taken_back_whole(opened, desk, clinic, new_staff):
    alba, _dana = new_staff(), new_staff("Dana", role="front_desk")
    item = opened("billing", "pain")
    jobs.fire_timers()
    assert desk.item(item.id).owner_id == alba.id
    with db.unit_of_work(clinic.id) as session:
        held, staff = session.get_one(InboxItem, item.id), session.get_one(Staff, alba.id)
        with pytest.raises(items.Refused, match="not_for_the_desk"):
            role_inboxes.hand_over(session, clinic, held, staff, "front_desk")
        role_inboxes.hand_over(session, clinic, held, staff, "care_manager")
        assert (held.role, held.owner_id) == ("care_manager", None)
        items.claim(session, held, staff)
        assert (held.role, held.owner_id) == ("care_manager", alba.id)
