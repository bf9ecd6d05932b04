"""The lead's page: every number is the number of rows in the list it leads to."""

import html
import re
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine

from config import clock, db
from messaging.inbox.models import InboxItem
from messaging.inbox.staff import absences
from messaging.models import Clinic, Staff
from tests.web.boards.test_unreached import visit
from web import reading_marks


@pytest.fixture
def people(house: Any) -> tuple[Staff, Staff, Any]:
    """Rosa, Ben, and the browser of who leads."""
    lead = house.signed_in(house.staff("Ines Moreau", role="clinic_admin"))
    return house.staff("Rosa Delgado"), house.staff("Ben Okafor"), lead


def item(
    house: Any, owner: Staff | None, kind: str = "reply", *, late: bool = False, days: int = 0, **more: Any
) -> Any:
    """An item of a patient of its own, `late`, come in `days` ago."""
    patient = more.pop("patient", None) or house.patient()
    opened = house.item(kind, owner_id=owner.id if owner else None, patient_id=patient.id, **more)
    with db.unit_of_work(db.EVERY) as session:
        row = session.get_one(InboxItem, opened.id)
        row.created_at = clock.now() - timedelta(days=days)
        row.answer_by = clock.now() + timedelta(minutes=-5 if late else 300)
    return row


def numbers(page: str, name: str) -> list[str]:
    """The numbers in a colleague's row."""
    row = page.split(f'<th scope="row">{name}')[1].split("</tr>")[0]
    return [
        re.sub(r"<[^>]+>", "", cell).strip() for cell in re.findall(r'<td class="num[^>]*>(.*?)</td>', row, re.DOTALL)
    ]


def links(page: str) -> list[tuple[int, str]]:
    """Every number that leads somewhere on the page, with where."""
    main = page.split("<main")[1]
    found = re.findall(r'<a href="([^"]+)" aria-label="(\d+) ', main)
    return [(int(number), html.unescape(path)) for path, number in found]


def test_each_colleague_s_numbers_count_patients(house: Any, people: Any) -> None:
    rosa, ben, lead = people
    walter = house.patient(first_name="Walter")
    item(house, rosa, patient=walter)
    item(house, rosa, "safety", patient=walter, late=True)
    item(house, rosa)
    item(house, ben)
    item(house, None)
    page = lead.get("/workload").text
    assert numbers(page, "Rosa Delgado") == ["2", "1", "1", "–"]
    assert numbers(page, "Ben Okafor") == ["1", "–", "–", "–"]
    assert numbers(page, "Unassigned") == ["1", "–", "–", "–"]
    assert page.index("Rosa Delgado") < page.index("Ben Okafor")


def test_every_number_is_the_number_of_rows_it_leads_to(house: Any, people: Any) -> None:
    rosa, ben, lead = people
    walter = house.patient(first_name="Walter")
    visit(house, walter, days=0, place="North")
    item(house, rosa, "safety", patient=walter, late=True, days=3)
    item(house, rosa, patient=walter, late=True, days=2)
    item(house, rosa, late=True)
    item(house, ben, "screen", days=2)
    item(house, None, late=True)
    page = lead.get("/workload").text
    found = links(page)
    assert len(found) >= 10
    for number, path in found:
        assert len(set(re.findall(r'data-row="([^"]+)"', lead.get(path).text))) == number, path


def test_what_was_not_opened_for_a_day_is_listed_until_its_owner_opens_it(house: Any, people: Any) -> None:
    rosa, _, lead = people
    old = item(house, rosa, days=2)
    item(house, rosa)  # came in just now
    assert numbers(lead.get("/workload").text, "Rosa Delgado")[3] == "1"
    page = lead.get(f"/workload/unread?who={rosa.id}").text
    assert f'data-row="{old.id}"' in page
    with db.unit_of_work(db.EVERY) as session:
        reading_marks.put(session, session.get_one(Staff, rosa.id), old.thread)
    assert numbers(lead.get("/workload").text, "Rosa Delgado")[3] == "–"
    assert (
        "Nothing is: whatever stands with Rosa Delgado was opened." in lead.get(f"/workload/unread?who={rosa.id}").text
    )


def test_who_is_here_is_said_as_routing_sees_it(house: Any, people: Any) -> None:
    rosa, *_ = people
    open_hours = {day: ["08:00", "17:00"] for day in ("mon", "tue", "wed", "thu", "fri")}
    with db.unit_of_work(house.clinic.id) as session:
        session.get_one(Clinic, house.clinic.id).rules = {"hours": {"zone": house.clinic.zone, "week": open_hours}}
        session.get_one(Staff, rosa.id).hours = {}
    here = lambda page: page.split('<th scope="row">Rosa Delgado')[1].split("</th>")[0]  # noqa: E731
    noon = datetime(2027, 3, 3, 12, 0, tzinfo=ZoneInfo(house.clinic.zone))
    for at, said in ((noon, "here"), (noon + timedelta(hours=10), "off duty")):
        with time_machine.travel(at, tick=False):
            assert said in here(house.signed_in(house.staff(role="care_manager")).get("/workload").text)


def test_who_is_away_and_who_covers_stands_there_with_what_they_still_have(house: Any, people: Any) -> None:
    rosa, ben, lead = people
    with db.unit_of_work(house.clinic.id) as session:
        until = clock.now() + timedelta(days=2)
        absences.plan(session, session.get_one(Staff, rosa.id), session.get_one(Staff, ben.id), clock.now(), until)
    item(house, rosa)
    page = lead.get("/workload").text
    assert "Ben Okafor covers" in page
    assert "away" in page.split('<th scope="row">Rosa Delgado')[1].split("</th>")[0]


def test_whoever_has_left_and_still_holds_something_is_marked(house: Any, people: Any) -> None:
    rosa, _, lead = people
    item(house, rosa)
    with db.unit_of_work(db.EVERY) as session:
        session.get_one(Staff, rosa.id).active = False
    page = lead.get("/workload").text
    assert "reassign it" in page
    assert "has left" in page


def test_an_empty_clinic_says_so(house: Any, people: Any) -> None:
    page = people[2].get("/workload").text
    assert "Nobody is away this week." in page
    assert "Nothing is past its deadline." in page


@pytest.mark.parametrize(
    ("role", "status"), [("care_manager", 200), ("auditor", 200), ("clinician", 403), ("front_desk", 403)]
)
def test_it_is_for_who_looks_at_the_clinic(house: Any, role: str, status: int) -> None:
    browser = house.signed_in(house.staff(role=role))
    assert browser.get("/workload").status_code == status
    assert browser.get("/workload/unread").status_code == status
    assert ('href="/workload"' in browser.get("/menu").text) == (status == 200)


def test_nobody_of_another_clinic_is_looked_at(house: Any, another_house: Any, people: Any) -> None:
    stranger = another_house().staff("Elsewhere")
    assert people[2].get(f"/workload/unread?who={stranger.id}").status_code == 404
    assert people[2].get("/workload/unread?who=nobody").status_code == 404


def test_a_list_narrowed_to_a_colleague_says_whose_it_is(house: Any, people: Any) -> None:
    rosa, ben, lead = people
    item(house, rosa, summary="x")
    item(house, ben, summary="x")
    page = lead.get(f"/inbox?view=everyone&owner={rosa.id}").text
    assert len(re.findall(r'data-row="', page)) == 1
    assert '<span class="unseen">Take away: </span>Rosa Delgado' in page
    assert f'<option value="{rosa.id}" selected>Rosa Delgado</option>' in page
    assert "Left out" in lead.get("/inbox?view=everyone&owner=rosa").text


def test_who_may_not_read_words_reads_none_here(house: Any, people: Any) -> None:
    rosa, _, lead = people
    item(house, rosa, days=2, summary="i cannot cope any more")
    assert "cannot cope" not in lead.get("/workload/unread").text
