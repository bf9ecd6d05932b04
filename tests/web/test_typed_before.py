"""Whoever is signed out over what they were typing can send it when they are back: nothing is lost, nothing shown."""

import re
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
import time_machine

from config import db
from messaging.inbox.models import Contact
from reminders.models import Handoff

HOUR = timedelta(hours=1)


@pytest.fixture
def rosa(house: Any) -> Any:
    return house.staff("Rosa Delgado", number="+17205550133")


def sent_again(page: Any) -> dict[str, str]:
    """What the page sends when its button is pressed: the hidden fields, as a browser reads them."""
    fields = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page.text))
    return {name: value for name, value in fields.items() if name != "csrf_token"}


def test_a_handoff_asked_for_on_a_page_that_slept_is_asked_for_after_signing_in(house: Any, rosa: Any) -> None:
    patient = house.patient()
    typed = {"patient": str(patient.id), "note": "He says he cannot cope", "reason": "mood", "urgent": "1"}
    with time_machine.travel("2026-03-03T16:00:00Z", tick=False) as clock:
        phone = house.signed_in(rosa)
        phone.get("/handoffs")
        clock.shift(HOUR)
        page = phone.post("/handoffs", **typed)
        assert page.status_code == 401
        assert "What you typed is still here" in page.text
        # Out of sight: what stands on the screen names nobody and says nothing of it.
        assert "cannot cope" not in re.sub(r"<[^>]*>", "", page.text)
        assert 'href="/signin?next=/handoffs"' in page.text
        answer = house.signed_in(rosa).post("/handoffs", **sent_again(page))
    assert answer.status_code == 303
    with db.unit_of_work(house.clinic.id, read_only=True) as session:
        handoff = session.query(Handoff).one()
        db.load_keys(session, [handoff.key_id])
        assert (handoff.note, handoff.reason, handoff.urgent) == ("He says he cannot cope", "mood", True)


def test_a_note_with_a_file_is_kept_and_the_file_is_asked_for_again(house: Any, rosa: Any) -> None:
    patient = house.patient()
    with time_machine.travel("2026-03-03T16:00:00Z", tick=False) as clock:
        browser = house.signed_in(rosa)
        browser.get(f"/patients/{patient.id}/team")
        clock.shift(HOUR)
        file = (BytesIO(b"hello"), "plan.txt")
        page = browser.post("/team/post", patient=str(patient.id), words="Call her daughter", once="a1", file=file)
        assert page.status_code == 401
        assert "add it again afterwards" in page.text
        assert 'href="/signin?next=/"' in page.text
        assert house.signed_in(rosa).post("/team/post", **sent_again(page)).status_code == 303
    with db.unit_of_work(house.clinic.id, read_only=True) as session:
        note = session.query(Contact).filter_by(patient_id=patient.id).one()
        db.load_keys(session, [note.key_id])
        assert note.words == "Call her daughter"


def test_what_was_only_pressed_leads_to_the_door(house: Any, rosa: Any) -> None:
    with time_machine.travel("2026-03-03T16:00:00Z", tick=False) as clock:
        browser = house.signed_in(rosa)
        browser.get("/today")
        clock.shift(HOUR)
        assert "/signin" in browser.post("/preferences", names="full").location
