"""After an act one goes on to the next case of the list, once this one has left it."""

import re
from datetime import timedelta
from typing import Any

from config import clock
from messaging.inbox.models import InboxItem


def test_what_leaves_the_list_goes_on_to_the_next_and_what_stays_in_it_stays_open(house: Any, unhurried: None) -> None:
    rosa, ben, now = house.staff(), house.staff("Ben Okafor"), clock.now()
    first, second, third = (house.item(owner_id=rosa.id, answer_by=now + timedelta(minutes=m)) for m in (1, 2, 3))
    browser = house.signed_in(rosa)
    # What is asleep stands on in the list of everyone's.
    stays = browser.post(f"/inbox/{first.id}/snooze", until="1_hour", back="/inbox?view=everyone")
    assert stays.location == f"/inbox/{first.id}?view=everyone"
    browser.post(f"/inbox/{first.id}/wake")
    browser.get("/inbox")
    on = browser.post(f"/inbox/{first.id}/snooze", until="1_hour", back="/inbox?view=mine")
    assert on.location == f"/inbox/{second.id}?view=mine"
    page = browser.get(on.location).text
    assert re.search(r"is snoozed until [^.]+\. This is the next one\.", page)
    events = re.findall(r'name="event" value="([^"]+)"', page)
    undone = browser.post("/inbox/undo", event=events[0], back=on.location)
    assert undone.location == f"/inbox/{first.id}?view=mine"
    assert house.read(InboxItem, first.id).state == "open"
    on = browser.post(f"/inbox/{second.id}/handover", to=str(ben.id), back="/inbox?view=mine")
    assert on.location == f"/inbox/{third.id}?view=mine"
    browser.post(f"/inbox/{first.id}/resolve")
    last = browser.post(f"/inbox/{third.id}/handover", to=str(ben.id), back="/inbox?view=mine")
    assert last.location == "/inbox?view=mine"
    assert "That was the last one here." in browser.get(last.location).text
    stays = house.signed_in(ben).post(f"/inbox/{third.id}/handover", to=str(rosa.id), back="/inbox?view=everyone")
    assert stays.location == f"/inbox/{third.id}?view=everyone"


def test_what_else_a_patient_waits_for_is_said_when_one_of_their_items_is_resolved(house: Any) -> None:
    rosa, patient, now = house.staff(), house.patient(first_name="Joy"), clock.now()
    about = {"owner_id": rosa.id, "patient_id": patient.id}
    reply, late = (house.item(kind, **about, answer_by=now + timedelta(minutes=5)) for kind in ("reply", "delivery"))
    browser = house.signed_in(rosa)
    on = browser.post(f"/inbox/{reply.id}/resolve", next="1", back="/inbox?view=mine")
    assert on.location == f"/inbox/{late.id}?view=mine"
    assert re.search(r"what else Joy \w\. waits for still stands in the list", browser.get(on.location).text)
    browser.post(f"/inbox/{late.id}/resolve", next="1", back="/inbox?view=mine")
    assert re.search(r"Joy \w\. is resolved", browser.get("/inbox").text)
