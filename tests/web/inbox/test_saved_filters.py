"""The ways of looking that somebody has named: kept, named anew, deleted, and counted."""

import re
from datetime import timedelta
from typing import Any

import pytest

from config import audit, clock, db
from messaging.inbox.models import InboxItem
from web.models import SavedFilter
from web.presenters import filters


def test_a_filter_is_kept_named_anew_and_deleted_by_its_owner_alone(house: Any) -> None:
    rosa = house.staff()
    for language in ("es", "es", "en"):
        house.item(owner_id=rosa.id, patient_id=house.patient(language=language).id)
    browser = house.signed_in(rosa)
    kept = browser.post("/inbox/filters", name=" Spanish  first ", back="/inbox?view=everyone&language=es&kind=odd")
    assert (kept.status_code, kept.location) == (303, "/inbox?view=everyone&language=es")
    assert re.search(r'language=es"[^>]*>Spanish first <span class="num">2<', browser.get("/inbox").text)
    with db.unit_of_work(db.EVERY) as session:
        row = session.query(SavedFilter).one()
        assert row.query == {"view": "everyone", "language": "es"}
        acts = [entry.act for entry in session.query(audit.AuditEntry) if entry.act.startswith("filter.")]
    assert acts == ["filter.saved"]

    ben = house.signed_in(house.staff("Ben Okafor"))
    assert "Spanish first" not in ben.get("/inbox").text
    for act in ("rename", "delete"):
        assert ben.post(f"/inbox/filters/{row.id}/{act}", name="mine now").status_code == 404

    assert browser.post(f"/inbox/filters/{row.id}/rename", name="En español").status_code == 303
    page = browser.get("/inbox?view=everyone&language=es").text
    assert "En español" in page
    assert re.search(r'aria-current="page">En español', page)
    assert browser.post(f"/inbox/filters/{row.id}/delete").status_code == 303
    assert "En español" not in browser.get("/inbox").text


@pytest.mark.parametrize("name", ["", "   ", "x" * 41, "line\x07bell"])
def test_a_filter_needs_a_name_that_can_be_read(house: Any, name: str) -> None:
    refused = house.signed_in(house.staff()).post("/inbox/filters", name=name, back="/inbox?view=mine&kind=reply")
    assert refused.status_code == 422
    assert "A filter needs a name" in refused.text


def test_two_filters_of_one_person_never_share_a_name_and_there_are_not_too_many(house: Any) -> None:
    browser = house.signed_in(house.staff())
    back = "/inbox?view=mine&kind=reply"
    for number in range(filters.SAVED):
        assert browser.post("/inbox/filters", name=f"f{number}", back=back).status_code == 303
    assert "have a filter of that name" in browser.post("/inbox/filters", name="F1", back=back).text
    assert "twelve filters already" in browser.post("/inbox/filters", name="one more", back=back).text


def test_a_kept_filter_whose_parts_are_no_longer_known_still_opens(house: Any) -> None:
    rosa = house.staff()
    with db.unit_of_work(house.clinic.id) as session:
        row = SavedFilter(
            clinic_id=house.clinic.id, key_id=house.clinic.key_id, staff_id=rosa.id, name="Old", created_at=clock.now()
        )
        row.query = {"view": "attic", "language": "tlh", "kind": "reply"}
        session.add(row)
    assert 'href="/inbox?view=everyone&amp;kind=reply"' in house.signed_in(rosa).get("/inbox").text


def test_a_count_stops_at_its_cap_and_done_counts_today_only(house: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(filters, "CAP", 3)
    rosa, now = house.staff(), clock.now()
    for number in range(6):
        item = house.item(owner_id=rosa.id)
        if number > 3:
            with db.unit_of_work(house.clinic.id) as session:
                done = session.get_one(InboxItem, item.id)
                done.state, done.done_at = "done", now - timedelta(days=3 * (number - 4))
    with db.unit_of_work(house.clinic.id) as session:
        for view in ("mine", "done"):
            session.add(
                SavedFilter(
                    clinic_id=house.clinic.id,
                    key_id=house.clinic.key_id,
                    staff_id=rosa.id,
                    name=view,
                    created_at=now,
                    query={"view": view},
                )
            )
    with db.unit_of_work(house.clinic.id, read_only=True) as session:
        counted = {saved.name: saved.count for saved in filters.saved(session, house.clinic, rosa, readable=True)}
    assert counted == {"mine": 4, "done": 1}
    assert re.search(r'>mine <span class="num">3\+<', house.signed_in(rosa).get("/inbox").text)
