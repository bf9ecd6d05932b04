"""What can be said of an item, and what each saying allows: every kind with every disposition."""

from datetime import timedelta

import pytest

from config import clock, db
from messaging.inbox import dispositions, items
from messaging.inbox.models import URGENCY

MET = {
    *("reached_by_phone", "in_person", "emergency_services", "welfare_check"),
    *("assessed_low", "assessed_plan", "assessed_transfer", "assessed_follow_up"),
}
NEED = {"need_connected", "need_declined", "need_not_reached", "need_no_service"}
TASK = {"task_done", "task_not_possible", "task_not_needed", *NEED}
LOOK = {"mention_read", "mention_answered"}
ORDINARY = {*MET, "could_not_reach", "wrong_person", "handled", "replied"}
ALL = {*ORDINARY, *TASK, *LOOK, "withdrawn", "assessed"}
ENDS = {
    "safety": MET,
    "screen": {*MET, "wrong_person"},
    **dict.fromkeys(("handoff", "reply", "delivery"), ORDINARY),
    "task": {*TASK, "withdrawn"},
    "mention": {*LOOK, "withdrawn"},
    "note": {*LOOK, "withdrawn"},
}


def test_every_disposition_has_its_words_and_no_other():
    assert set(items.dispositions()) == ALL


@pytest.mark.parametrize("kind", URGENCY)
def test_only_what_reached_a_person_ends_what_is_owed_a_person(kind):
    assert {disposition for disposition in ALL if dispositions.ends(kind, disposition)} == ENDS[kind]


def test_whoever_was_not_reached_is_tried_again():
    again = {
        kind: {disposition for disposition in ALL if dispositions.needs_next_try(kind, disposition)} for kind in URGENCY
    }
    assert again.pop("safety") == {"could_not_reach", "wrong_person"}
    assert again.pop("screen") == {"could_not_reach"}
    assert set().union(*again.values()) == set()


@pytest.mark.parametrize("kind", URGENCY)
def test_acknowledging_and_settling_obey_it(clinic, new_staff, kind):
    alba, soon = new_staff(), clock.now() + timedelta(minutes=30)
    for said in sorted(ALL):
        with db.unit_of_work(clinic.id) as session:
            item = items.open_item(session, clinic, kind=kind, about="x:1", dedupe=said, summary="x")
            if not dispositions.fits(kind, said):
                with pytest.raises(ValueError, match="what was done"):
                    items.acknowledge(session, item, alba, said, soon)
                continue
            items.acknowledge(session, item, alba, said, soon)
            assert (item.acknowledged_at is not None) == (said in ENDS[kind]), said
            if said in ENDS[kind]:
                items.resolve(session, item, alba)
                assert (item.state, item.disposition) == ("done", said)
                continue
            for last in (None, said, "handled", "reached_by_phone"):
                with pytest.raises(items.NotYet):
                    items.resolve(session, item, alba, last)
            assert (item.state, item.answer_by) == ("claimed", soon)


@pytest.mark.parametrize("minutes", [None, -1, 0, 241])
def test_the_next_try_is_said_and_within_hours(clinic, new_staff, desk, minutes):
    alba = new_staff()
    at = None if minutes is None else clock.now() + timedelta(minutes=minutes)
    with db.unit_of_work(clinic.id) as session:
        item = items.open_item(session, clinic, kind="safety", about="x:1", dedupe="x", summary="x")
        with pytest.raises(items.Refused, match="next_try"):
            items.acknowledge(session, item, alba, "could_not_reach", at)
    assert desk.item(item.id).disposition is None


def test_a_settlement_does_not_unsay_that_somebody_was_reached(clinic, new_staff):
    alba = new_staff()
    with db.unit_of_work(clinic.id) as session:
        item = items.open_item(session, clinic, kind="safety", about="x:1", dedupe="x", summary="x")
        items.acknowledge(session, item, alba, "in_person")
        for said in ("could_not_reach", "wrong_person", "handled", "replied"):
            with pytest.raises(ValueError, match="what was done"):
                items.resolve(session, item, alba, said)
        with pytest.raises(items.Refused, match="reached_before"):
            items.acknowledge(session, item, alba, "could_not_reach", clock.now() + timedelta(minutes=30))
        assert item.disposition == "in_person"
