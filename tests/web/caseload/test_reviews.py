"""The consultant's hour: who is on the list and why, a recommendation that is a task, a second pair of hands."""

from typing import Any

import pytest
from sqlalchemy import text

from caseload.models import CaseReview
from config import db
from messaging.inbox.models import InboxItem
from messaging.models import Staff
from messaging.team import tasks
from messaging.team.models import Task
from tests.web.caseload.seeding import answer, enrolled, with_registry


@pytest.fixture
def scene(house: Any) -> Any:
    scene = with_registry(house)
    scene.patient = house.patient(first_name="Ada")
    scene.episode = enrolled(scene, scene.patient, days_ago=60)
    for days, points in ((59, 18), (2, 17)):
        answer(house, scene.patient, days, points)
    scene.consultant = house.signed_in(scene.silva)
    return scene


def review(scene: Any, browser: Any = None, seen: str = "", **changed: str) -> Any:
    said = {"by": str(scene.silva.id), "decision": "recommend", "words": "Raise to 40 mg.", "to": str(scene.ames.id)}
    path = f"/caseload/reviews/{scene.episode.id}"
    return (browser or scene.consultant).post(path, **(said | {"seen": seen} | changed))


def task(scene: Any) -> tuple[InboxItem, Task]:
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        [(item, made)] = tasks.owned(session, session.get_one(Staff, scene.ames.id))
        assert made.words == "Raise to 40 mg."
        return item, made


def test_who_writes_down_what_the_consultant_said_is_named_beside_them(scene: Any) -> None:
    page = f"/caseload/reviews/{scene.episode.id}"
    assert "both names are kept" in scene.browser.get(page).text
    assert "both names are kept" not in scene.consultant.get(page).text
    assert review(scene, scene.browser).status_code == 303
    assert "Dr. Silva, recorded by Rosa Delgado" in scene.browser.get(page).text


def test_who_does_not_improve_is_on_the_list_with_the_reasons(scene: Any) -> None:
    page = scene.consultant.get("/caseload/reviews").text
    row = page.split(">Ada ")[1].split("</tr>")[0]
    for reason in ("score 17", "not better in week 8", "review due"):
        assert reason in row
    assert f'href="/caseload/reviews/{scene.episode.id}">Begin' in page


def test_the_consultant_reads_what_they_take_in_the_manager_s_words(scene: Any) -> None:
    page, care = f"/caseload/reviews/{scene.episode.id}", f"/patients/{scene.patient.id}/care"
    assert "Nothing is written down." in scene.consultant.get(page).text
    said = "Sertraline 50 mg since May.\nBefore: <none>"
    assert scene.browser.post(f"{care}/medicines", medicines=said).status_code == 303
    assert "Before: &lt;none&gt;" in scene.consultant.get(page).text
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        assert b"Sertraline" not in bytes(session.execute(text("SELECT medicines_ct FROM care_episode")).scalar_one())
    long = scene.browser.post(f"{care}/medicines", medicines="x" * 1001)
    assert long.status_code == 422
    assert "at most 1,000 letters" in long.text
    assert scene.consultant.post(f"{care}/medicines", medicines="Mine").status_code == 403
    assert scene.browser.post(f"{care}/medicines", medicines=" ").status_code == 303
    assert "Nothing is written down." in scene.consultant.get(page).text


def test_a_recommendation_is_a_task_for_who_treats_them_until_they_say_what_came_of_it(scene: Any) -> None:
    assert review(scene).status_code == 303
    item, made = task(scene)
    assert (made.made, made.watcher_id, item.patient_id) == ("recommendation", scene.rosa.id, scene.patient.id)
    assert "recommendation waits" in scene.browser.get("/caseload").text
    page = scene.browser.get(f"/patients/{scene.patient.id}/care").text
    assert "Raise to 40 mg." in page
    assert "Dr. Ames: waits" in page
    with db.unit_of_work(scene.house.clinic.id) as session:
        ames = session.get_one(Staff, scene.ames.id)
        tasks.end(session, scene.house.clinic, session.get_one(InboxItem, item.id), ames, "task_done")
    assert "Dr. Ames: done" in scene.browser.get(f"/patients/{scene.patient.id}/care").text
    assert "recommendation waits" not in scene.browser.get("/caseload").text


def test_going_on_is_a_review_too_and_takes_them_off_the_list(scene: Any) -> None:
    other = scene.house.patient(first_name="Bea")
    next_one = enrolled(scene, other, days_ago=3)
    answer_page = review(scene, decision="continue", words="")
    assert answer_page.headers["Location"] == f"/caseload/reviews/{next_one.id}"
    page = scene.consultant.get("/caseload/reviews").text
    assert ">Ada " not in page
    assert ">Bea " in page
    assert scene.rows(CaseReview)[0].decision == "continue"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"words": " "}, "Say what is recommended"),
        ({"words": "x" * 2001}, "at most 2,000"),
        ({"decision": ""}, "go on or to recommend"),
        ({"to": ""}, "Choose who acts on it"),
        ({"by": ""}, "psychiatric consultant"),
    ],
)
def test_what_is_missing_is_said_and_what_was_typed_stays(scene: Any, changed: dict[str, str], said: str) -> None:
    refused = review(scene, **({"words": "Stop and think."} | changed))
    assert refused.status_code == 422
    assert said in refused.text
    if "words" not in changed:
        assert "Stop and think." in refused.text
    assert scene.rows(CaseReview) == []


def test_of_two_who_write_at_once_the_second_reads_the_first_and_loses_nothing(scene: Any) -> None:
    assert review(scene, words="First.").status_code == 303
    second = review(scene, scene.browser, words="Second.")
    assert second.status_code == 409
    assert "First." in second.text
    assert "Second." in second.text
    [first] = scene.rows(CaseReview)
    assert review(scene, scene.browser, seen=str(first.id), words="Second.").status_code == 303
    assert [row.written_by for row in scene.rows(CaseReview)] == [scene.silva.id, scene.rosa.id]


def test_a_question_puts_somebody_on_the_list_and_a_review_answers_it(scene: Any) -> None:
    well = scene.house.patient(first_name="Bea")
    episode = enrolled(scene, well, days_ago=10)
    scene.episode, before = episode, scene.consultant.get("/caseload/reviews").text
    assert "Is it the sleep?" not in before
    path = f"/patients/{well.id}/care/question"
    assert scene.browser.post(path, question="Is it the sleep?").status_code == 303
    waiting = scene.consultant.get("/caseload/reviews").text
    assert "Is it the sleep?" in waiting
    assert "? →" not in waiting, "who has no score yet is said to have none"
    assert "at most 500" in scene.browser.post(path, question="x" * 501).text
    review(scene, decision="continue", words="")
    assert "Is it the sleep?" not in scene.consultant.get("/caseload/reviews").text


def test_a_clinician_reads_the_list_and_writes_no_review(scene: Any) -> None:
    clinician = scene.house.signed_in(scene.ames)
    assert clinician.get(f"/caseload/reviews/{scene.episode.id}").status_code == 200
    assert review(scene, clinician).status_code == 403


def test_nobody_of_another_clinic_says_or_receives_anything(scene: Any, another_house: Any) -> None:
    stranger = another_house().staff("Dr. Foreign", role="psychiatric_consultant")
    assert review(scene, by=str(stranger.id)).status_code == 422
    assert review(scene, to=str(stranger.id)).status_code == 422
