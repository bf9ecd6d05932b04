"""Answers entered by staff and forms on the tablet: who may, what is kept, and that item nine rings at once."""

import re
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from config import db, runtime
from config.audit import AuditEntry
from intake_links import alert_audit, finding
from intake_links.models import IntakeLink, Screen
from messaging.inbox.models import InboxItem
from reminders.models import Handoff


def today() -> date:
    """The day it is in the clinic, which is another than ours for some hours of each day."""
    return datetime.now(ZoneInfo("America/Denver")).date()


def form(staff: Any, answers: list[Any], **more: str) -> dict[str, str]:
    fields = {f"a{index}": str(answer) for index, answer in enumerate(answers)}
    facts = {"way": "paper", "asked_by": str(staff.id), "on": today().isoformat(), "once": str(uuid4())}
    return fields | facts | {"language": "en"} | more


def screens(house: Any) -> list[tuple[str, str, list[int | None], str | None]]:
    with db.unit_of_work(house.clinic.id, read_only=True) as session:
        return [
            (screen.instrument, screen.source, list(finding.answers_of(screen)), screen.owed)
            for screen in session.scalars(select(Screen).order_by(Screen.id))
        ]


def items(house: Any) -> list[tuple[str, str | None]]:
    with db.unit_of_work(house.clinic.id, read_only=True) as session:
        return [(item.kind, item.summary) for item in session.scalars(select(InboxItem).order_by(InboxItem.id))]


def test_a_paper_form_is_kept_totalled_and_says_where_it_came_from(house: Any) -> None:
    rosa, patient = house.staff(), house.patient()
    browser = house.signed_in(rosa)
    answer = browser.post(f"/patients/{patient.id}/answers/phq9", **form(rosa, [2] * 5 + [0] * 4))
    assert (answer.status_code, answer.location) == (303, f"/patients/{patient.id}/scores")
    assert screens(house) == [("phq9", "staff.paper", [2] * 5 + [0] * 4, "screen")]
    page = browser.get(f"/patients/{patient.id}/scores").text
    assert "from paper" in page
    assert "The answers are kept" in page
    assert [kind for kind, _ in items(house)] == ["screen"]


def test_item_nine_read_out_by_phone_rings_in_the_same_moment(house: Any) -> None:
    rosa, patient = house.staff(), house.patient()
    answers = form(rosa, ["none"] * 8 + [1], way="aloud")
    house.signed_in(rosa).post(f"/patients/{patient.id}/answers/phq9", **answers)
    assert screens(house) == [("phq9", "staff.aloud", [None] * 8 + [1], "safety")]
    ((kind, summary),) = items(house)
    assert kind == "safety"
    assert "item 9" in (summary or "")


def test_who_asked_and_who_entered_is_in_the_audit_log(house: Any) -> None:
    rosa, liz, patient = house.staff(), house.staff("Liz Ortega"), house.patient()
    house.signed_in(rosa).post(
        f"/patients/{patient.id}/answers/gad2", **form(rosa, [0, 0], asked_by=str(liz.id), way="aloud")
    )
    with db.unit_of_work(house.clinic.id, read_only=True) as session:
        acts = {
            entry.act: entry for entry in session.scalars(select(AuditEntry).where(AuditEntry.act.like("screen.%")))
        }
    assert acts["screen.entered"].actor == f"staff:{rosa.id}"
    assert acts["screen.entered"].detail == {"way": "aloud", "asked_by": str(liz.id)}
    assert acts["screen.submitted"].actor == f"staff:{liz.id}"


def test_an_open_question_is_asked_about_and_what_was_entered_stays(house: Any) -> None:
    rosa, patient = house.staff(), house.patient()
    answers = form(rosa, [3] * 8)
    answer = house.signed_in(rosa).post(f"/patients/{patient.id}/answers/phq9", **answers)
    assert answer.status_code == 422
    assert "Question 9 is open" in answer.text
    assert answer.text.count('value="3" checked') == 8
    assert screens(house) == []


@pytest.mark.parametrize(
    "wrong",
    [{"way": "telepathy"}, {"on": "2999-01-01"}, {"on": "yesterday"}, {"once": "x"}, {"asked_by": ""}],
)
def test_without_how_who_and_when_nothing_is_kept(house: Any, wrong: dict[str, str]) -> None:
    rosa, patient = house.staff(), house.patient()
    answer = house.signed_in(rosa).post(f"/patients/{patient.id}/answers/gad2", **(form(rosa, [1, 1]) | wrong))
    assert (answer.status_code, screens(house)) == (422, [])


def test_pressed_twice_is_kept_once(house: Any) -> None:
    rosa, patient = house.staff(), house.patient()
    browser, answers = house.signed_in(rosa), form(rosa, [1, 1])
    for _ in range(2):
        assert browser.post(f"/patients/{patient.id}/answers/gad2", **answers).status_code == 303
    assert len(screens(house)) == 1


def test_who_never_drinks_need_not_be_asked_the_rest(house: Any) -> None:
    rosa, patient = house.staff(), house.patient()
    house.signed_in(rosa).post(f"/patients/{patient.id}/answers/audit_c", **form(rosa, [0]))
    assert screens(house) == [("audit_c", "staff.paper", [0, None, None], None)]


def test_the_teens_form_is_offered_to_teens_alone_and_never_by_text(house: Any) -> None:
    rosa = house.staff()
    browser, year = house.signed_in(rosa), today().year
    teen, grown = house.patient(birth_date=date(year - 15, 1, 1)), house.patient()
    assert "Modified for Teens" in browser.get(f"/patients/{teen.id}/answers").text
    assert "Modified for Teens" not in browser.get(f"/patients/{grown.id}/answers").text
    assert browser.get(f"/patients/{grown.id}/answers/phq9m").status_code == 404
    assert "Modified for Teens" not in browser.get(f"/patients/{teen.id}").text
    assert browser.post(f"/patients/{teen.id}/form", instrument="phq9m").status_code == 422


def test_the_code_is_shown_once_and_opens_the_form_on_the_tablet(house: Any) -> None:
    rosa, patient = house.staff(role="front_desk"), house.patient()
    browser, tablet = house.signed_in(rosa), house.browser()
    page = browser.post(f"/patients/{patient.id}/tablet", instrument="phq2").text
    code = re.search(r'tablet-code num">([0-9 ]+)<', page)
    assert code
    assert f"{urlsplit(runtime.settings().public_url).netloc}/k" in page
    opened = tablet.post("/k", token_from="/k", code=code[1])
    assert (opened.status_code, opened.location) == (303, "/i/q")
    assert "Question 1<" in tablet.get("/i/q/1/1").text
    with db.unit_of_work(house.clinic.id, read_only=True) as session:
        assert session.scalars(select(IntakeLink.place)).one() == "tablet"
    assert code[1].replace(" ", "") not in browser.get(f"/patients/{patient.id}").text


def test_who_is_handed_the_tablet_may_be_said_to_have_come_for_their_handoff(house: Any) -> None:
    rosa, patient = house.signed_in(house.staff()), house.patient(record="A-1")
    desk = house.signed_in(house.staff("Ida Frank", role="front_desk"))
    choices, tablet = f"/patients/{patient.id}/answers", f"/patients/{patient.id}/tablet"
    desk.post("/handoffs", record="A-1")
    assert "for their warm handoff" not in desk.get(choices).text
    with db.unit_of_work(db.EVERY) as session:
        handoff_id = session.scalars(select(Handoff.id)).one()
    rosa.post(f"/handoffs/{handoff_id}/accept")
    assert "for their warm handoff: tell Rosa Delgado" in rosa.get(choices).text
    rosa.post(tablet, instrument="phq2")
    assert house.read(Handoff, handoff_id).state != "arrived"
    rosa.post(tablet, instrument="phq2", here="on")
    assert house.read(Handoff, handoff_id).state == "arrived"
    assert "for their warm handoff" not in rosa.get(choices).text


def test_no_form_or_one_that_is_none_gives_no_code(house: Any) -> None:
    rosa, patient = house.staff(), house.patient()
    browser = house.signed_in(rosa)
    assert browser.post(f"/patients/{patient.id}/tablet").status_code == 422
    assert browser.post(f"/patients/{patient.id}/tablet", instrument="phq15").status_code == 422


@pytest.mark.parametrize(
    ("role", "tablet", "grid"),
    [
        ("care_manager", 200, 200),
        ("clinician", 200, 200),
        ("front_desk", 200, 403),
        ("psychiatric_consultant", 403, 403),
        ("clinic_admin", 403, 403),
        ("auditor", 403, 403),
    ],
)
def test_each_role_opens_what_it_may(house: Any, role: str, tablet: int, grid: int) -> None:
    browser, patient = house.signed_in(house.staff(role=role)), house.patient()
    assert browser.get(f"/patients/{patient.id}/answers").status_code == tablet
    assert browser.get(f"/patients/{patient.id}/answers/phq9").status_code == grid


def test_another_clinics_patient_is_not_there(house: Any, another_house: Any) -> None:
    browser = house.signed_in(house.staff())
    foreign = another_house().patient()
    assert browser.get(f"/patients/{foreign.id}/answers").status_code == 404
    assert browser.get(f"/patients/{foreign.id}/answers/phq9").status_code == 404
    assert browser.post(f"/patients/{foreign.id}/tablet", instrument="phq9").status_code == 404


def test_the_grid_is_there_in_the_patients_language(house: Any) -> None:
    patient = house.patient(language="es")
    page = house.signed_in(house.staff()).get(f"/patients/{patient.id}/answers/phq9").text
    assert "Poco interés o placer" in page
    assert "No se requiere permiso" in page


def paper(staff: Any, answers: list[Any], days: int, **more: str) -> dict[str, str]:
    return form(staff, answers, on=(today() - timedelta(days=days)).isoformat(), **more)


def test_an_old_paper_asks_whether_it_is_still_current_and_keeps_what_was_typed(house: Any) -> None:
    rosa, patient = house.staff(), house.patient()
    answer = house.signed_in(rosa).post(f"/patients/{patient.id}/answers/phq9", **paper(rosa, [1] * 9, 28))
    assert answer.status_code == 422
    assert "still tell how they are" in answer.text
    assert len(re.findall(r'name="a\d" value="1" checked', answer.text)) == 9
    assert screens(house) == []


def test_an_old_paper_that_is_not_current_is_a_screen_for_a_person_and_no_alarm(house: Any) -> None:
    rosa, patient = house.staff(), house.patient()
    form_ = paper(rosa, [0] * 8 + [1], 28, current="no")
    assert house.signed_in(rosa).post(f"/patients/{patient.id}/answers/phq9", **form_).status_code == 303
    assert screens(house)[0][3] == "screen"
    ((kind, summary),) = items(house)
    assert kind == "screen"
    assert "Answered item 9" in (summary or "")
    assert "said not to tell how they are now" in (summary or "")
    with db.unit_of_work(house.clinic.id, read_only=True) as session:
        (row,) = alert_audit.rows(session, house.clinic.id)
    assert (row.kind, row.owed, row.item_id is not None) == ("screen", False, True)


def test_an_old_paper_that_is_said_to_be_current_alerts_at_once(house: Any) -> None:
    rosa, patient = house.staff(), house.patient()
    form_ = paper(rosa, [0] * 8 + [1], 28, current="yes")
    house.signed_in(rosa).post(f"/patients/{patient.id}/answers/phq9", **form_)
    assert [kind for kind, _ in items(house)] == ["safety"]


def test_a_paper_of_this_week_is_never_taken_for_an_old_one(house: Any) -> None:
    rosa, patient = house.staff(), house.patient()
    form_ = paper(rosa, [0] * 8 + [1], 3, current="no")
    house.signed_in(rosa).post(f"/patients/{patient.id}/answers/phq9", **form_)
    assert [kind for kind, _ in items(house)] == ["safety"]
