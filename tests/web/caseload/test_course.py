"""The course of an episode: totals of forms and of a file, medicine above them, in a picture and in its table."""

import re
from pathlib import Path
from typing import Any

import pytest

from tests.web.caseload.seeding import answer, enrolled, with_registry
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


def test_who_has_answered_nothing_has_no_picture(scene: Any) -> None:
    patient = scene.house.patient()
    enrolled(scene, patient, days_ago=40)
    say(scene, patient, 3, 1)
    page = scene.browser.get(f"/patients/{patient.id}/care").text
    assert "card course" not in page
    assert "No PHQ-9 has been answered yet" in page
