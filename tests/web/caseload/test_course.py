"""The course of an episode: totals of forms and of a file, what happened above them, in a picture and in its table."""

import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from caseload.models import CareEntry, CaseReview, RelapsePlan
from config import clock, db
from tests.web.caseload.seeding import answer, enrolled, visit, with_registry
from tests.web.caseload.test_medicine import say
from tests.web.caseload.test_registry_import import row, take


@pytest.fixture
def scene(house: Any) -> Any:
    return with_registry(house)


def course(page: str) -> str:
    return page[page.index('class="card course"') : page.index("</figure>", page.index('class="card course"'))]


def lines(page: str) -> list[tuple[str, str]]:
    """The table's lines without their days, the latest first."""
    return re.findall(r'<td class="num">([^<]+)</td><td>([^<]+)</td></tr>', course(page))


def test_what_came_with_a_file_is_drawn_hollow_and_said_in_the_registry(scene: Any, tmp_path: Path) -> None:
    patient = scene.house.patient(first_name="Walter")
    take(scene, tmp_path, row(scene, patient))
    page = scene.browser.get(f"/patients/{patient.id}/care").text
    assert lines(page) == [("8", "from a file"), ("16", "from a file")]
    assert course(page).count('class="dot told"') == 2
    assert "total from a file" in page
    assert "both from a file" in scene.browser.get("/caseload").text
    answer(scene.house, patient, 1, 4)
    page = scene.browser.get(f"/patients/{patient.id}/care").text
    assert lines(page) == [("4", "answered"), ("8", "from a file"), ("16", "from a file")]
    assert course(page).count('class="dot"') == 1
    assert "the first from a file" in scene.browser.get("/caseload").text
    # A form of the same day knows more.
    answer(scene.house, patient, 3, 9)
    page = scene.browser.get(f"/patients/{patient.id}/care").text
    assert lines(page)[1:] == [("9", "answered"), ("16", "from a file")]


def test_what_they_said_of_medicine_stands_above_the_scores_and_in_the_table(scene: Any) -> None:
    patient = scene.house.patient()
    enrolled(scene, patient, days_ago=40)
    care = f"/patients/{patient.id}/care"
    answer(scene.house, patient, 38, 17)
    assert "card course" not in scene.browser.get(care).text
    for days, value in ((30, 1), (16, 3), (2, 1)):
        say(scene, patient, days, value)
    answer(scene.house, patient, 9, 8)
    page = scene.browser.get(care).text
    said = lines(page)
    assert [total for total, _ in said] == ["–", "8", "–", "–", "17"]
    assert "taken each day" in said[0][1]
    assert "missed 3 days or more" in said[2][1]
    assert course(page).count('class="sign"') == 3
    assert page.count("<figcaption") == 1


def test_contacts_visits_and_what_was_changed_stand_in_rows_above_the_scores_and_in_the_table(scene: Any) -> None:
    patient = scene.house.patient()
    episode = enrolled(scene, patient, days_ago=40)
    for days, points in ((38, 17), (4, 9)):
        answer(scene.house, patient, days, points)
    now = clock.now()
    with db.unit_of_work(scene.house.clinic.id) as session:
        whose = {"clinic_id": episode.clinic_id, "key_id": patient.key_id, "patient_id": patient.id}
        for days, state in ((50, "arrived"), (30, "arrived"), (20, "no_show"), (10, "cancelled")):
            session.add(visit(patient, now - timedelta(days=days), state))
        for days, live in ((45, True), (33, True), (32, False), (5, True)):
            session.add(entry(scene, episode, now - timedelta(days=days), live=live))
        author = {"staff_id": scene.rosa.id, "at": now - timedelta(days=3)}
        session.add(RelapsePlan(**whose, **author, sections="{}"))
        for days, decision in ((28, "continue"), (25, "recommend")):
            session.add(review(scene, episode, now - timedelta(days=days), decision))
    page = scene.browser.get(f"/patients/{patient.id}/care").text
    said = ["relapse-prevention plan written", "answered", "live contact", "visit missed", "change recommended"]
    assert [words for _, words in lines(page)] == [*said, "visit kept", "live contact", "answered"]
    signs = re.findall(r'class="sign" x="[\d.]+" y="([\d.]+)"[^>]*>(.)<title>', course(page))
    rows = {sign: {y for y, each in signs if each == sign} for _, sign in signs}
    assert rows == {"+": {"10.0"}, "■": {"22.0"}, "□": {"22.0"}, "◆": {"34.0"}}
    assert 'viewBox="0 0 320 192"' in course(page), "two more rows of signs, and the scores as high as before"


def entry(scene: Any, episode: Any, at: datetime, *, live: bool) -> CareEntry:
    """Ten minutes of Rosa's work."""
    return CareEntry(
        clinic_id=episode.clinic_id, episode_id=episode.id, staff_id=scene.rosa.id, kind="call", live=live,
        starts_at=at, ends_at=at + timedelta(minutes=10), made_at=at,
    )  # fmt: skip


def review(scene: Any, episode: Any, at: datetime, decision: str) -> CaseReview:
    """What Dr. Silva said."""
    return CaseReview(
        clinic_id=episode.clinic_id, key_id=episode.key_id, episode_id=episode.id, by_id=scene.silva.id,
        written_by=scene.silva.id, at=at, decision=decision,
    )  # fmt: skip


def test_who_has_answered_nothing_has_no_picture(scene: Any) -> None:
    patient = scene.house.patient()
    enrolled(scene, patient, days_ago=40)
    say(scene, patient, 3, 1)
    page = scene.browser.get(f"/patients/{patient.id}/care").text
    assert "card course" not in page
    assert "No PHQ-9 has been answered yet" in page
