"""Social needs: loaded with permission, asked in person, each need a task until something came of it, never texted."""

from typing import Any

import pytest

from caseload import episodes
from caseload.social import scoring
from caseload.social.models import SocialNeed, SocialScreen, SocialWording
from config import db
from messaging.inbox.models import InboxItem
from messaging.models import Message
from messaging.team.models import Task
from tests.web.caseload.seeding import with_registry

WORDS = "\n".join(f"{key} = Words of {key}" for key in scoring.core().wanted())
ANSWERS = {"q71802-3": "LA31994-9", "q96778-6": "LA31996-4", "q93030-5": "LA32-8", "q88122-7": "LA28398-8"}
SAFETY = {"q95618-5": "LA6482-9", "q95617-7": "LA6482-9", "q95616-9": "LA6270-8", "q95615-1": "LA6270-8"}


@pytest.fixture(params=["sqlite", "postgresql"])
def scene(request: pytest.FixtureRequest) -> Any:
    return with_registry(request.getfixturevalue("house" if request.param == "sqlite" else "house_on_postgresql"))


def load(scene: Any, **changed: str) -> Any:
    admin = scene.house.signed_in(scene.house.staff("Ada Admin", role="clinic_admin"))
    form = {"language": "en", "licence": "Ours by letter of 3 May", "words": WORDS, "permitted": "on"}
    return admin.post("/settings/social-needs", **{key: said for key, said in (form | changed).items() if said})


def ask(scene: Any, patient: Any, **answers: str) -> Any:
    today = episodes.today_of(scene.house.clinic).isoformat()
    form = {"once": str(db.new_id()), "language": "en", "asked_on": today}
    return scene.browser.post(f"/patients/{patient.id}/social-needs/ask", **(form | answers))


def test_a_need_is_a_task_until_something_came_of_its_referral(scene: Any) -> None:
    patient = scene.house.patient()
    assert "not loaded the words" in scene.browser.get(f"/patients/{patient.id}/social-needs/ask").text
    assert load(scene).status_code == 303
    page = scene.browser.get(f"/patients/{patient.id}/social-needs/ask").text
    assert "Words of 71802-3" in page
    assert "Ours by letter of 3 May" in page
    assert ask(scene, patient, **ANSWERS).status_code == 303
    # Two answers, one need; asked again while it is open, it is not asked of anybody twice.
    assert ask(scene, patient, **ANSWERS).status_code == 303
    [need], [task] = scene.rows(SocialNeed), scene.rows(Task)
    item = scene.house.read(InboxItem, need.item_id)
    assert (task.made, item.owner_id, item.patient_id) == ("social_need", scene.rosa.id, patient.id)
    own = f"/patients/{patient.id}/social-needs"
    assert scene.browser.post(f"{own}/{need.id}/refer", referred=" ").status_code == 422
    assert scene.browser.post(f"{own}/{need.id}/refer", referred="Cedar Shelter").status_code == 303
    assert "Referred to Cedar Shelter" in scene.browser.get(own).text
    shown = scene.browser.get(f"/tasks/{item.id}").text
    assert "Social need: housing" in shown
    assert "Connected with a service" in shown
    assert "task_done" not in shown
    assert scene.browser.post(f"/tasks/{item.id}/end", outcome="task_done").status_code == 422
    assert scene.browser.post(f"/tasks/{item.id}/end", outcome="need_no_service").status_code == 303
    assert "No service to be found" in scene.browser.get(own).text
    assert "Housing: need" in scene.browser.get(f"/patients/{patient.id}/scores").text
    assert scene.browser.post(f"{own}/{need.id}/refer", referred="Elm").status_code == 422
    assert ask(scene, patient, **ANSWERS).status_code == 303
    assert len(scene.rows(SocialNeed)) == 2, "what is there again after it was closed is a need again"
    assert scene.rows(Message) == []


def test_the_questions_about_safety_are_asked_alone_or_not(scene: Any) -> None:
    patient = scene.house.patient()
    load(scene)
    refused = ask(scene, patient, **ANSWERS, **SAFETY)
    assert refused.status_code == 422
    assert "nobody else could hear" in refused.text
    assert scene.rows(SocialScreen) == []
    # Nothing that was chosen is lost.
    assert 'value="LA31996-4" checked' in refused.text
    assert ask(scene, patient, **SAFETY, private="on").status_code == 303
    [need] = scene.rows(SocialNeed)
    item = scene.house.read(InboxItem, need.item_id)
    assert (item.answer_by - item.created_at).days <= 1
    page = scene.browser.get(f"/patients/{patient.id}/social-needs").text
    assert "Safety at home: need" in page
    assert "Words of" not in page
    assert b"safety" not in need.domain_ct
    assert scene.rows(Message) == []


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"permitted": ""}, "Without permission"),
        ({"licence": ""}, "under whose permission"),
        ({"words": "71802-3 = x"}, "The words of LA31993-1 are missing"),
        ({"language": "fr"}, "English or Spanish"),
    ],
)
def test_words_are_not_loaded_without_permission_or_whole(house: Any, changed: dict[str, str], said: str) -> None:
    scene = with_registry(house)
    answer = load(scene, **changed)
    assert answer.status_code == 422
    assert said in answer.text
    assert scene.rows(SocialWording) == []


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ({}, "Nothing was answered"),
        ({"q96778-6": "LA31996-0"}, "cannot go together"),
        ({"q93030-5": "LA33-6", "asked_on": "2001-01-01"}, "a day of the last year"),
    ],
)
def test_what_cannot_be_is_kept_nowhere(house: Any, answers: dict[str, str], said: str) -> None:
    scene = with_registry(house)
    patient = house.patient()
    load(scene)
    answer = ask(scene, patient, **answers)
    assert answer.status_code == 422
    assert said in answer.text
    assert scene.rows(SocialScreen) == []


def test_a_form_posted_twice_is_one_and_a_retired_wording_asks_nobody(house: Any) -> None:
    scene = with_registry(house)
    patient = house.patient()
    load(scene)
    once = str(db.new_id())
    for _ in range(2):
        assert ask(scene, patient, **ANSWERS, once=once).status_code == 303
    assert len(scene.rows(SocialScreen)) == 1
    admin = house.signed_in(house.staff("Ben Admin", role="clinic_admin"))
    assert admin.post("/settings/social-needs/retire", language="en").status_code == 303
    assert ask(scene, patient, **ANSWERS).status_code == 404
    assert len(scene.rows(SocialScreen)) == 1


def test_who_may_not_read_answers_sees_none(house: Any) -> None:
    scene = with_registry(house)
    patient = house.patient()
    for role in ("front_desk", "clinic_admin", "auditor"):
        browser = house.signed_in(house.staff(f"Other {role}", role=role))
        assert browser.get(f"/patients/{patient.id}/social-needs").status_code == 403
    assert scene.browser.post("/settings/social-needs", words=WORDS).status_code == 403
