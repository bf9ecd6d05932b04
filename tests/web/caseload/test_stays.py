"""A stay in a hospital that a feed tells wrongly is put right by a person, and the feed does not take that back."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine

from caseload.stays import standing
from caseload.stays.models import StayCorrection
from config import db
from config.audit import AuditEntry
from reminders import stays
from reminders.models import InpatientStay
from tests.web.caseload.seeding import enrolled, with_registry
from tests.web.caseload.test_month import row, work

DENVER = ZoneInfo("America/Denver")
NOW = datetime(2026, 3, 18, 16, tzinfo=UTC)
MARCH, WHY = "/caseload/month?month=2026-03", "The ward says he went home"


def at(day: int, hour: int = 9, month: int = 3) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=DENVER)


@pytest.fixture
def scene(house: Any) -> Any:
    """Rosa has worked twenty minutes on each of the 3rd, 5th and 10th; a feed tells a stay since the 4th."""
    with time_machine.travel(NOW, tick=True) as traveller:
        scene = with_registry(house)
        scene.march = traveller
        scene.patient = house.patient(first_name="Ada", last_name="Nowak")
        scene.episode = enrolled(scene, scene.patient, days_ago=30)
        for day in (3, 5, 10):
            work(scene, day, 20)
        tell(scene, at(4), None)
        scene.path = f"/patients/{scene.patient.id}/stays/{scene.rows(InpatientStay)[0].id}"
        yield scene


def tell(
    scene: Any, admitted: datetime, discharged: datetime | None, *, said: int = 0, cancelled: bool = False
) -> None:
    """Let the feed say this of the stay, so many hours from now."""
    edges = {"admitted_at": admitted, "discharged_at": discharged}
    told = stays.Told("ehr.general", "1", NOW + timedelta(hours=said), edges, cancelled)
    with db.unit_of_work(scene.house.clinic.id) as session:
        stays.keep(session, scene.patient, told)


def say(scene: Any, says: str, ended_at: str = "", reason: str = WHY, **more: str) -> Any:
    return scene.browser.post(scene.path, says=says, ended_at=ended_at, reason=reason, **more)


def minutes(scene: Any) -> str:
    return row(scene.browser.get(MARCH).text).split('<b class="num">')[1].split("</b>")[0]


def test_the_end_that_a_person_gives_lets_the_minutes_after_it_count(scene: Any) -> None:
    assert minutes(scene) == "20"
    assert scene.path in row(scene.browser.get(MARCH).text)
    assert say(scene, "ended", "2026-03-06T10:00").location == f"/patients/{scene.patient.id}/care"
    assert minutes(scene) == "40"
    said = row(scene.browser.get(MARCH).text)
    assert "in a hospital from Wed Mar 4 9:00 AM to Fri Mar 6 10:00 AM" in said
    assert "Rosa Delgado, " in said
    assert f"it ended Fri Mar 6 10:00 AM (“{WHY}”)" in said
    assert "Told by general: in a hospital since Wed Mar 4 9:00 AM" in said
    assert "told anew" not in said
    care = scene.browser.get(f"/patients/{scene.patient.id}/care").text
    assert "Stays in a hospital" in care
    assert f"it ended Fri Mar 6 10:00 AM (“{WHY}”)" in care
    with db.unit_of_work(scene.house.clinic.id) as session:
        written = session.query(AuditEntry).filter_by(act="care.stay_corrected").one()
        assert (written.actor, written.detail) == (f"staff:{scene.rosa.id}", {"says": "ended"})


def test_what_was_no_stay_holds_no_minute_back_and_can_be_taken_back(scene: Any) -> None:
    say(scene, "none", reason="Another person of this name")
    assert minutes(scene) == "60"
    said = row(scene.browser.get(MARCH).text)
    assert "no stay in a hospital" in said
    assert "there was none (“Another person of this name”)" in said
    say(scene, "as_told", reason="It was him after all")
    assert minutes(scene) == "20"
    page = scene.browser.get(scene.path).text
    assert page.index("It was him after all") < page.index("Another person of this name")


@pytest.mark.parametrize(
    ("says", "counted"), [(("ended", "2026-03-06T10:00"), "40"), (("none",), "60")], ids=["ended", "none"]
)
@pytest.mark.parametrize(
    ("story", "words"),
    [
        ({"discharged": at(12)}, "Told by general: in a hospital from Wed Mar 4 9:00 AM to Thu Mar 12 9:00 AM"),
        ({"admitted": at(2), "discharged": None}, "Told by general: in a hospital since Mon Mar 2 9:00 AM"),
        ({"admitted": at(8), "discharged": None}, "Told by general: in a hospital since Sun Mar 8 9:00 AM"),
        ({"discharged": None, "cancelled": True}, "Told by general: no stay in a hospital"),
    ],
    ids=["discharge", "sooner", "after the end", "taken back"],
)
def test_what_the_feed_tells_later_changes_no_minute_and_is_shown_beside(
    scene: Any, says: tuple[str, ...], counted: str, story: dict[str, Any], words: str
) -> None:
    say(scene, *says)
    tell(scene, **({"admitted": at(4), "said": 1} | story))
    assert minutes(scene) == counted
    if says == ("none",) and "cancelled" in story:
        return  # both say that there was none
    said = row(scene.browser.get(MARCH).text)
    assert words in said
    assert "told anew since: look again" in said
    say(scene, "none", reason="Asked again")
    assert "told anew" not in row(scene.browser.get(MARCH).text)


def test_a_month_that_was_closed_says_that_it_has_changed(scene: Any) -> None:
    scene.march.move_to(datetime(2026, 4, 2, 16, tzinfo=UTC))
    scene.browser = scene.house.signed_in(scene.rosa)
    close = f"/caseload/month/{scene.episode.id}"
    scene.browser.post(close, month="2026-03", choice="0", incomplete="on")
    assert say(scene, "none", month="2026-03").location == MARCH
    assert "changed after export: 20 minutes then, 60 now" in row(scene.browser.get(MARCH).text)
    [stay] = scene.browser.get(f"{close}.json?month=2026-03").get_json()["stays"]
    assert (stay["holds"][1], stay["corrected"]) == (None, None)
    scene.browser.post(close, month="2026-03", choice="0", incomplete="on")
    [stay] = scene.browser.get(f"{close}.json?month=2026-03").get_json()["stays"]
    assert (stay["told"][1], stay["holds"]) == (None, None)
    assert (stay["corrected"]["by"], stay["corrected"]["reason"]) == ("Rosa Delgado", WHY)
    page = scene.browser.get(f"{close}?month=2026-03").text
    assert f"no stay · corrected by Rosa Delgado, Apr 2, 2026 10:00 AM ({WHY}) · told by general: since Mar 4" in page


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"says": "ended"}, "ended_at"),
        ({"says": "ended", "ended_at": "2026-03-04T08:59"}, "ended_at"),
        ({"says": "ended", "ended_at": "2026-03-19T10:00"}, "ended_at"),
        ({"says": "ended", "ended_at": "yesterday"}, "ended_at"),
        ({"says": "none", "reason": " "}, "reason"),
        ({"says": "none", "reason": "x" * 201}, "reason"),
        ({"says": "as_told"}, "says"),
        ({"says": "x"}, "says"),
    ],
)
def test_what_cannot_be_so_is_refused_by_its_field_and_nothing_is_kept(
    scene: Any, wrong: dict[str, str], field: str
) -> None:
    answer = say(scene, **wrong)
    assert answer.status_code == 422
    assert f'name="{field}"' in answer.text
    assert 'aria-invalid="true"' in answer.text.split(f'name="{field}"')[1].split(">")[0]
    assert scene.rows(StayCorrection) == []


def test_two_who_correct_at_once_are_both_read_and_the_later_holds(scene: Any) -> None:
    say(scene, "none", reason="First")
    say(scene, "ended", "2026-03-06T10:00", reason="Second")
    assert minutes(scene) == "40"
    page = scene.browser.get(scene.path).text
    assert "First" in page
    assert "Second" in page


@pytest.mark.parametrize(
    ("role", "code"),
    [("care_manager", 200), ("clinic_admin", 200), ("clinician", 403), ("front_desk", 403), ("auditor", 403)],
)
def test_who_bills_corrects(scene: Any, role: str, code: int) -> None:
    browser = scene.house.signed_in(scene.house.staff("Somebody", role=role))
    assert browser.get(scene.path).status_code == code
    assert browser.post(scene.path, says="none", reason=WHY).status_code == (303 if code == 200 else 403)


def test_a_stay_of_somebody_else_is_not_there(scene: Any) -> None:
    other = scene.house.patient(first_name="Bea", last_name="Nowak")
    assert scene.browser.get(scene.path.replace(str(scene.patient.id), str(other.id))).status_code == 404


@pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)
def test_a_stretch_has_the_stays_that_hold_in_it_and_those_that_are_told_of_it(scene: Any) -> None:
    def holds(begins: int, ends: int) -> list[tuple[Any, ...] | None]:
        with db.unit_of_work(scene.house.clinic.id) as session:
            read = standing.of_patients(session, [scene.patient.id], at(begins), at(ends))
            return [stay.span for stay in read.get(scene.patient.id, [])]

    say(scene, "ended", "2026-03-06T10:00")
    ours = [(at(4), at(6, 10))]
    assert (holds(1, 3), holds(1, 5), holds(8, 9)) == ([], ours, ours)
    tell(scene, at(4), at(5), said=1)
    assert (holds(1, 4), holds(5, 6), holds(7, 9)) == ([], ours, [])
