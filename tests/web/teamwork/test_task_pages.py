"""Tasks at the door: made, handed on, closed, taken back; templates; and what somebody leaves."""

import re
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from config import clock, db
from messaging.inbox.models import InboxItem
from messaging.models import Staff
from messaging.team.models import Task, TaskTemplate
from tests.queries import statements
from tests.web.teamwork.test_thread_pages import notes, post

TOMORROW = {"due": "tomorrow"}


def tasks_of(house: Any) -> list[InboxItem]:
    with db.unit_of_work(house.clinic.id, read_only=True) as session:
        return list(session.scalars(select(InboxItem).where(InboxItem.kind == "task").order_by(InboxItem.id)))


def task_of(house: Any, item: InboxItem) -> Task:
    with db.unit_of_work(house.clinic.id, read_only=True) as session:
        return session.scalars(select(Task).where(Task.item_id == item.id)).one()


def test_a_task_about_a_patient_is_in_its_owners_inbox_and_is_closed_there(house: Any) -> None:
    rosa, ben, patient = house.staff(), house.staff("Ben Okafor"), house.patient()
    hers, his = house.signed_in(rosa), house.signed_in(ben)
    form = hers.get(f"/tasks?patient={patient.id}").text
    assert "About <b>Teresa Quintana</b>" in form
    answer = hers.post(
        "/tasks",
        title="Call about her labs",
        owner=str(ben.id),
        watcher=str(rosa.id),
        patient=str(patient.id),
        **TOMORROW,
    )
    assert (answer.status_code, answer.location) == (303, f"/patients/{patient.id}/team")
    [item] = tasks_of(house)
    assert "Call about her labs" in his.get("/inbox").text
    case = his.get(f"/inbox/{item.id}").text
    assert "Could not be done" in case
    assert 'name="next" value="1"' not in case
    assert "Call about her labs" in hers.get(f"/patients/{patient.id}/team").text
    refused = his.post(f"/tasks/{item.id}/end", outcome="task_not_possible")
    assert refused.status_code == 422
    assert "Say why it could not be done" in refused.text
    assert (
        his.post(f"/tasks/{item.id}/end", outcome="task_done", words="all normal", case=str(item.id)).status_code == 303
    )
    assert house.read(InboxItem, item.id).disposition == "task_done"
    assert "all normal" in hers.get(f"/patients/{patient.id}/team").text
    watched = hers.get("/tasks").text
    assert "new: ended" in watched
    assert 'Tasks and notes <span class="num">1</span>' in watched
    hers.get(f"/tasks/{item.id}")
    after = hers.get("/tasks").text
    assert "all normal" in after
    assert "new: ended" not in after
    assert 'Tasks and notes <span class="num">' not in after


def test_closing_is_taken_back_within_seconds(house: Any, unhurried: None) -> None:
    browser = house.signed_in(house.staff())
    browser.post("/tasks", title="Order forms", **TOMORROW)
    [item] = tasks_of(house)
    browser.post(f"/tasks/{item.id}/end", outcome="task_done")
    way = re.search(r'action="(/tasks/undo/[^"]+)"', browser.get("/tasks").text)
    assert way is not None
    assert browser.post(way[1]).status_code == 303
    assert house.read(InboxItem, item.id).state != "done"


def test_making_one_is_taken_back_by_who_made_it(house: Any) -> None:
    rosa, ben = house.staff(), house.staff("Ben Okafor")
    browser = house.signed_in(rosa)
    browser.post("/tasks", title="Order forms", owner=str(ben.id), **TOMORROW)
    [item] = tasks_of(house)
    assert f'action="/tasks/{item.id}/withdraw"' in browser.get("/tasks").text
    assert house.signed_in(ben).post(f"/tasks/{item.id}/withdraw").status_code == 422
    assert browser.post(f"/tasks/{item.id}/withdraw").status_code == 303
    assert house.read(InboxItem, item.id).disposition == "withdrawn"


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"title": " ", "due": "tomorrow"}, "Say in 1 to 120 characters"),
        ({"title": "Call"}, "Choose until when"),
        ({"title": "Call", "due_at": "2020-01-01T09:00"}, "Choose until when"),
        ({"title": "Call", "due": "tomorrow", "owner": "nobody"}, "Choose a colleague who works here"),
    ],
)
def test_what_is_refused_keeps_what_was_typed(house: Any, form: dict[str, str], said: str) -> None:
    browser = house.signed_in(house.staff())
    answer = (
        browser.post("/tasks", words="all that I typed", **form)
        if form.get("owner") != "nobody"
        else browser.post("/tasks", words="all that I typed", **(form | {"owner": str(house.patient().id)}))
    )
    assert answer.status_code == 422
    assert said in answer.text
    assert "all that I typed</textarea>" in answer.text
    assert tasks_of(house) == []


def test_the_front_desk_does_tasks_without_an_inbox(house: Any) -> None:
    rosa, dana, patient = house.staff(), house.staff("Dana Price", role="front_desk"), house.patient()
    house.signed_in(rosa).post("/tasks", title="Book her", owner=str(dana.id), patient=str(patient.id), **TOMORROW)
    [item], desk = tasks_of(house), house.signed_in(dana)
    page = desk.get("/tasks").text
    assert "Book her" in page
    assert "Teresa Quintana" in page
    assert 'Tasks and notes <span class="num">1</span>' in page
    assert desk.post(f"/tasks/{item.id}/hand", to=str(rosa.id)).status_code == 303
    assert house.read(InboxItem, item.id).owner_id == rosa.id


def test_a_clinic_administrator_sees_no_patients_task(house: Any) -> None:
    rosa, admin, patient = house.staff(), house.staff("Ada", role="clinic_admin"), house.patient()
    browser = house.signed_in(rosa)
    browser.post("/tasks", title="About somebody", patient=str(patient.id), **TOMORROW)
    browser.post("/tasks", title="About nobody", owner=str(admin.id), **TOMORROW)
    about, nobody = tasks_of(house)
    hers = house.signed_in(admin)
    assert hers.get(f"/tasks/{about.id}").status_code == 403
    assert hers.get(f"/tasks?patient={patient.id}").status_code == 403
    assert hers.get(f"/tasks/{nobody.id}").status_code == 200
    assert house.signed_in(house.staff(role="auditor")).get("/tasks").status_code == 403


def test_a_consultants_note_becomes_a_task_as_their_recommendation(house: Any) -> None:
    rosa, patient = house.staff(), house.patient()
    consultant = house.staff("Dr Lind", role="psychiatric_consultant")
    house.item(patient_id=patient.id, owner_id=consultant.id)  # whom nobody asks about a patient does not reach them
    post(house.signed_in(consultant), patient, "Raise sertraline to 100 mg")
    [note], browser = notes(house), house.signed_in(rosa)
    assert "Raise sertraline" in browser.get(f"/tasks?patient={patient.id}&from={note.id}").text
    browser.post("/tasks", title="Tell her doctor", patient=str(patient.id), **({"from": str(note.id)} | TOMORROW))
    [item] = tasks_of(house)
    assert (task_of(house, item).made, task_of(house, item).source) == ("recommendation", f"contact:{note.id}")
    assert "Made of a recommendation" in browser.get(f"/tasks/{item.id}").text


def test_a_template_fills_the_form_and_sets_the_time(house: Any) -> None:
    browser = house.signed_in(house.staff())
    assert browser.post("/tasks/templates/defaults").status_code == 303
    with db.unit_of_work(house.clinic.id) as session:
        template = session.scalars(select(TaskTemplate).where(TaskTemplate.name == "Obtain consent")).one()
    form = browser.get(f"/tasks?template={template.id}").text
    assert 'value="Obtain consent"' in form
    browser.post("/tasks", title="Obtain consent", template=str(template.id), due="template")
    [item] = tasks_of(house)
    assert timedelta(hours=47) < item.answer_by - clock.now() <= timedelta(hours=48)
    browser.post(f"/tasks/templates/{template.id}/retire")
    assert "Obtain consent" not in browser.get("/tasks").text.split('id="new"')[1]
    browser.post(f"/tasks/templates/{template.id}/back")
    assert "Obtain consent" in browser.get("/tasks/templates").text
    refused = browser.post("/tasks/templates", name="Call", words="typed", hours="soon", after="assessed_plan")
    assert refused.status_code == 422
    assert "typed</textarea>" in refused.text
    assert 'value="assessed_plan" checked' in refused.text


def test_an_outcome_makes_a_task_and_taking_it_back_takes_the_task_back(house: Any, unhurried: None) -> None:
    rosa, patient = house.staff(), house.patient()
    browser = house.signed_in(rosa)
    browser.post("/tasks/templates/defaults")
    item = house.item("screen", patient_id=patient.id, owner_id=rosa.id)
    answer = browser.post(
        f"/inbox/{item.id}/acknowledge", disposition="assessed_follow_up", words="seen, will come back"
    )
    assert answer.status_code == 303
    [task] = tasks_of(house)
    assert (task_of(house, task).made, task.owner_id, task.patient_id) == ("rule", rosa.id, patient.id)
    event = re.search(r'name="event" value="([0-9a-f-]{36})"', browser.get(answer.location).text)
    assert event is not None
    assert browser.post("/inbox/undo", event=event[1]).status_code == 303
    assert tasks_of(house)[0].disposition == "withdrawn"


def test_who_deactivates_a_colleague_says_to_whom_their_work_goes(house: Any) -> None:
    admin, rosa = house.staff("Ada", role="clinic_admin"), house.staff()
    ben, cleo = house.staff("Ben Okafor"), house.staff("Cleo Ruiz")
    house.signed_in(rosa).post("/tasks", title="Order forms", owner=str(ben.id), watcher=str(ben.id), **TOMORROW)
    mine = house.item(owner_id=ben.id)
    browser = house.signed_in(admin)
    asked = browser.get(f"/settings/people?leave={ben.id}").text
    assert "Who gets what is unfinished" in asked
    assert "2 of their items and tasks are unfinished" in asked
    refused = browser.post(f"/settings/people/{ben.id}/leave")
    assert refused.status_code == 422
    assert "nothing may be left with nobody" in refused.text
    assert "Who gets what is unfinished" in refused.text
    assert house.read(Staff, ben.id).active
    assert browser.post(f"/settings/people/{ben.id}/leave", to=str(cleo.id)).status_code == 303
    [task] = tasks_of(house)
    assert {house.read(InboxItem, each.id).owner_id for each in (task, mine)} == {cleo.id}
    assert task_of(house, task).watcher_id == cleo.id
    with db.unit_of_work(house.clinic.id) as session:
        left = select(InboxItem).where(InboxItem.owner_id == ben.id, InboxItem.state != "done")
        assert session.scalars(left).all() == []


def test_an_auditor_sees_that_a_task_is_there_and_not_what_it_asks(house: Any) -> None:
    ben, odd = house.staff("Ben Okafor"), house.signed_in(house.staff("Ada Audit", role="auditor"))
    wanted = {"title": "Talk about the budget", "words": "before the board meets", "owner": str(ben.id)}
    house.signed_in(house.staff()).post("/tasks", **wanted, **TOMORROW)
    [item] = tasks_of(house)
    page = odd.get(f"/inbox/{item.id}?view=everyone")
    assert page.status_code == 200
    assert "budget" not in page.text
    assert "before the board meets" not in page.text
    assert "before the board meets" in house.signed_in(ben).get(f"/inbox/{item.id}").text


def test_resolve_says_that_a_task_is_closed_by_what_came_of_it(house: Any) -> None:
    rosa = house.staff()
    browser = house.signed_in(rosa)
    browser.post("/tasks", title="Call back", owner=str(rosa.id), **TOMORROW)
    [item] = tasks_of(house)
    answer = browser.post(f"/inbox/{item.id}/resolve")
    assert answer.status_code == 422
    assert "A task is closed by what came of it" in answer.text


def test_who_works_here_is_read_once_for_a_page(house: Any) -> None:
    rosa, patient = house.staff(), house.patient()
    browser = house.signed_in(rosa)
    browser.post("/tasks", title="Call back", owner=str(rosa.id), patient=str(patient.id), **TOMORROW)
    [item] = tasks_of(house)
    for path in ("/tasks", f"/tasks/{item.id}", "/notes", f"/patients/{patient.id}/team"):
        with statements() as sent:
            assert browser.get(path).status_code == 200
        everyone = [
            each for each in sent if re.search(r"FROM staff\s+WHERE staff.clinic_id = \S+ ORDER BY staff.name", each)
        ]
        assert len(everyone) == 1, path
