"""The list and the case: what comes first, and what may be done."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from config import audit, clock, db
from intake_links import submissions
from messaging.inbox import items
from messaging.inbox.models import InboxItem


def names(page: str) -> list[str]:
    return re.findall(r'<span class="what">([^<]*)', page)


def test_safety_comes_first_then_urgency_then_the_deadline(house: Any) -> None:
    rosa, now = house.staff(), clock.now()
    for kind, minutes in (("reply", 5), ("reply", 2), ("safety", 90), ("screen", 50), ("delivery", 1)):
        at = now + timedelta(minutes=minutes)
        house.item(kind, owner_id=rosa.id, summary=f"{kind} {minutes}", answer_by=at)
    page = house.signed_in(rosa).get("/inbox").text
    assert names(page) == ["safety 90", "screen 50", "reply 2", "reply 5", "delivery 1"]
    assert "(1) My items" in page


def test_a_long_list_goes_on(house: Any) -> None:
    rosa = house.staff()
    for number in range(53):
        house.item(owner_id=rosa.id, summary=f"n{number:02}")
    browser = house.signed_in(rosa)
    first = browser.get("/inbox").text
    onward = re.search(r'href="(/inbox\?view=mine&amp;after=[^"]+)"', first)
    assert onward is not None
    second = browser.get(onward[1].replace("&amp;", "&")).text
    assert (len(names(first)), len(names(second))) == (50, 3)
    assert len({*names(first), *names(second)}) == 53


def test_an_empty_view_says_something_useful(house: Any) -> None:
    house.item(summary="nobody's")
    page = house.signed_in(house.staff()).get("/inbox").text
    assert "Nothing waits for you" in page
    assert "See the 1 unassigned" in page


def test_another_clinics_item_does_not_exist(house: Any, another_house: Callable[[], Any]) -> None:
    foreign = another_house().item("safety", summary="of another clinic")
    browser = house.signed_in(house.staff())
    assert browser.get(f"/inbox/{foreign.id}").status_code == 404
    for act in ("claim", "acknowledge", "resolve", "reopen", "handover", "reply"):
        assert browser.post(f"/inbox/{foreign.id}/{act}", disposition="handled", body="x").status_code == 404
    assert "of another clinic" not in browser.get("/inbox?view=everyone").text


def test_reading_is_not_handling_but_is_written_down(house: Any) -> None:
    rosa = house.staff()
    item = house.item("safety", owner_id=rosa.id)
    house.signed_in(rosa).get(f"/inbox/{item.id}")
    after = house.read(InboxItem, item.id)
    assert (after.state, after.acknowledged_at) == ("open", None)
    with db.unit_of_work(db.EVERY) as session:
        opened = select(audit.AuditEntry).where(audit.AuditEntry.act == "case.opened")
        entry = session.scalars(opened).one()
        assert (entry.actor, entry.about) == (f"staff:{rosa.id}", f"inbox_item:{item.id}")
        assert [event.event for event in items.history(session, after)] == ["opened"]


def test_acknowledging_needs_to_say_what_was_done(house: Any) -> None:
    rosa = house.staff()
    item = house.item("safety", owner_id=rosa.id)
    browser = house.signed_in(rosa)
    for disposition in ("", "made up"):
        refused = browser.post(f"/inbox/{item.id}/acknowledge", disposition=disposition)
        assert refused.status_code == 422
        assert "Choose what was done" in refused.text
    assert house.read(InboxItem, item.id).acknowledged_at is None
    done = browser.post(f"/inbox/{item.id}/acknowledge", disposition="in_person", view="everyone")
    assert (done.status_code, done.location) == (303, f"/inbox/{item.id}?view=everyone")
    after = house.read(InboxItem, item.id)
    assert (after.acknowledged_by, after.disposition) == (rosa.id, "in_person")
    assert "Met in person" in browser.get(f"/inbox/{item.id}").text


def test_settling_before_acknowledging_is_refused_and_explained(house: Any) -> None:
    rosa = house.staff()
    browser = house.signed_in(rosa)
    for kind in ("safety", "screen"):
        item = house.item(kind, owner_id=rosa.id)
        refused = browser.post(f"/inbox/{item.id}/resolve", disposition="handled")
        assert refused.status_code == 422
        assert "acknowledge it first" in refused.text
        assert house.read(InboxItem, item.id).state == "open"
        browser.post(f"/inbox/{item.id}/acknowledge", disposition="assessed_low", words="Spoke, is safe.")
        assert browser.post(f"/inbox/{item.id}/resolve").status_code == 303
        assert house.read(InboxItem, item.id).state == "done"


def test_an_item_can_be_taken_handed_over_and_opened_again(house: Any) -> None:
    rosa, ben = house.staff(), house.staff("Ben Okafor")
    item = house.item("delivery")
    browser = house.signed_in(rosa)
    browser.post(f"/inbox/{item.id}/claim")
    assert house.read(InboxItem, item.id).owner_id == rosa.id
    assert browser.post(f"/inbox/{item.id}/handover", to="nobody").status_code == 422
    browser.post(f"/inbox/{item.id}/handover", to=str(ben.id))
    assert house.read(InboxItem, item.id).owner_id == ben.id
    browser.post(f"/inbox/{item.id}/resolve")
    browser.post(f"/inbox/{item.id}/reopen")
    assert house.read(InboxItem, item.id).state == "claimed"
    page = browser.get(f"/inbox/{item.id}?view=everyone").text
    assert "Rosa Delgado reassigned it to Ben Okafor" in page


def test_work_is_not_handed_to_who_may_not_do_it_or_to_another_clinic(
    house: Any, another_house: Callable[[], Any]
) -> None:
    item = house.item()
    browser = house.signed_in(house.staff())
    for stranger in (house.staff(role="auditor"), another_house().staff()):
        assert browser.post(f"/inbox/{item.id}/handover", to=str(stranger.id)).status_code == 422


def test_a_positive_ninth_item_is_shown_in_words_with_every_answer_and_the_way_here(house: Any) -> None:
    patient = house.patient(sex="female", language="es")
    with db.unit_of_work(house.clinic.id) as session:
        for event, days, last in (("a", 60, 0), ("b", 0, 1)):
            submissions.accept(
                session,
                house.clinic,
                patient,
                instrument="phq9",
                answers=[2, 2, 3, 2, 1, 1, 1, 1, last] if last else [1] * 8 + [0],
                language="es",
                source="forms.test",
                event=event,
                authored_at=clock.now() - timedelta(days=days),
            )
        item = session.scalars(select(InboxItem).where(InboxItem.kind == "safety")).one()
    page = house.signed_in(house.staff()).get(f"/inbox/{item.id}?view=everyone").text
    assert "Thoughts of being better off dead or of hurting themselves: several days" in page
    assert "a reason to talk with her today, not a measure of risk" in page
    assert "PHQ-9 rose from 8 to 14 in 9 weeks" in page
    assert "All 9 answers" in page
    assert "No permission required" in page


def test_the_living_part_of_the_page_is_a_fragment(house: Any) -> None:
    rosa = house.staff()
    item = house.item(owner_id=rosa.id, summary="fresh")
    page = house.signed_in(rosa).get(f"/inbox/rows?view=mine&item={item.id}&unattended=1").text
    assert "<html" not in page
    assert 'aria-current="true"' in page
    assert names(page) == ["fresh"]


def test_every_key_on_the_page_is_explained_and_the_views_have_theirs(house: Any) -> None:
    rosa = house.staff()
    item = house.item("safety", owner_id=rosa.id, patient_id=house.patient().id)
    reply = house.item(owner_id=rosa.id, patient_id=house.patient().id)
    browser = house.signed_in(rosa)
    explained = re.findall(r"<kbd>([^<]+)</kbd>", browser.get("/preferences").text)
    assert "1–6" in explained
    for path in ("/inbox", f"/inbox/{item.id}", f"/inbox/{reply.id}", "/handoffs", "/preferences"):
        page = browser.get(path).text
        keys = set(re.findall(r'data-key="(.)"', page))
        assert {"1", "2", "3", "4", "5", "6", "/"} <= keys
        assert keys <= {*explained, *"123456"}, path


def test_an_auditor_sees_the_clinics_views_and_none_that_would_be_their_own(house: Any) -> None:
    house.item("safety", patient_id=house.patient().id)
    auditor = house.signed_in(house.staff(role="auditor"))
    for page in (auditor.get("/inbox").text, auditor.get("/inbox?view=mine").text, auditor.get("/menu").text):
        assert set(re.findall(r'href="/inbox\?view=(\w+)"', page)) >= {"everyone", "done", "unassigned"}
        assert not re.search(r"view=(mine|waiting|snoozed)", page)
    assert auditor.get("/inbox").text.count("data-row=") == 1
    assert "data-mine=" not in auditor.get("/inbox").text
    assert 'data-mine="0"' in house.signed_in(house.staff(role="psychiatric_consultant")).get("/inbox").text


def test_whoever_acknowledges_a_colleagues_item_reads_in_whose_list_it_stays(house: Any) -> None:
    rosa, ben = house.staff("Rosa Delgado"), house.staff("Ben Okafor")
    hers, his = (house.item("safety", owner_id=owner.id, patient_id=house.patient().id) for owner in (rosa, ben))
    browser = house.signed_in(rosa)
    for item, said in ((hers, "stays in your list until you resolve it"), (his, "stays in Ben Okafor’s list until")):
        browser.post(f"/inbox/{item.id}/acknowledge", disposition="in_person")
        page = browser.get(f"/inbox/{item.id}").text
        assert said in page
        # What ends it stands before everything else that could be done with it.
        assert page.index("Resolve and next") < page.index("Warm handoff</a>")
