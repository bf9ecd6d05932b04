"""How much a browser must fetch before a case stands on the screen: the page, its sheets and its scripts, as sent."""

import re
from typing import Any

from config import clock, db
from intake_links import submissions
from tests.web.conftest import Browser

MOST = 100_000  # bytes
PARTS = re.compile(r'<(?:link rel="(?:stylesheet|icon)"|script)[^>]+(?:href|src)="([^"]+)"')


def fetched(browser: Browser, path: str) -> int:
    """How many bytes an address costs, packed where it may be."""
    answer = browser.get(path, headers={"Accept-Encoding": "gzip"})
    assert answer.status_code == 200, path
    size = len(answer.data)
    answer.close()
    return size


def test_a_case_with_everything_in_it_is_painted_from_less_than_a_hundred_kilobytes(house: Any) -> None:
    rosa = house.staff()
    patient = house.patient()
    for number in range(60):
        conversation = house.text_from(patient, f"Text {number}: could we talk about the new pills on Thursday?")
    with db.unit_of_work(house.clinic.id) as session:
        for event, answers in (("a", [1] * 8 + [0]), ("b", [2, 2, 3, 2, 1, 1, 1, 1, 1])):
            submissions.accept(
                session,
                house.clinic,
                patient,
                instrument="phq9",
                answers=answers,
                language="en",
                source="forms.test",
                event=event,
                authored_at=clock.now(),
            )
    for number in range(60):
        other = house.patient(language="es")
        for kind in ("screen", "reply"):
            house.item(kind, owner_id=rosa.id, patient_id=other.id, summary=f"Asks for another day, in {number} words.")
    items = [house.item(patient_id=patient.id, conversation_id=conversation.id, owner_id=rosa.id) for _ in range(20)]
    browser = house.signed_in(rosa)
    assert browser.post("/saved-replies/defaults").status_code == 303
    path = f"/inbox/{items[0].id}?view=everyone"
    page = browser.get(path).text
    assert "Earlier texts" in page
    assert "PHQ-9" in page
    parts = {part.replace("&amp;", "&") for part in PARTS.findall(page)}
    assert len(parts) > 10
    sizes = {part: fetched(browser, part) for part in [path, *parts]}
    assert sum(sizes.values()) < MOST, sizes
