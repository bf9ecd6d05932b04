"""What an EHR tells of a questionnaire is read where scores stand, and what waits for whoever it is in the inbox."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from config import db
from intake_links.models import Screen
from messaging.inbox.models import InboxItem
from tests.interchange.messages import PID, header, visit
from tests.interchange.resources import response
from tests.web.feeds import feed_of, heard

AT = f"{datetime.now(UTC) - timedelta(hours=1):%Y%m%d%H%M%S}+0000"
VISIT = visit("S12", start=f"{datetime.now(UTC) + timedelta(days=9):%Y%m%d}160000+0000")


def oru(*results: tuple[str, int], pid: str = PID) -> str:
    lines = [f"OBX|1|NM|{code}^a score^LN||{value}||||||F" for code, value in results]
    head = header("R01").replace("20260301120000", AT)
    return "\r".join([head, pid, f"OBR|1|||44249-1^PHQ-9^LN|||{AT}", *lines])


def only(model: Any, **facts: Any) -> Any:
    with db.unit_of_work(db.EVERY) as session:
        return session.scalars(select(model).filter_by(**facts)).one()


def test_a_total_stands_with_the_scores_and_says_who_told_it(house: Any) -> None:
    feed_of(house)
    heard(house, VISIT)
    heard(house, oru(("44261-6", 26)))
    screen, browser = only(Screen), house.signed_in(house.staff("Cal", role="care_manager"))
    page = browser.get(f"/patients/{screen.patient_id}/scores").text
    assert "told by the EHR books" in page
    assert "A total of 26 on the PHQ-9: the answer to item 9 cannot have been 0" in page
    case = browser.get(f"/inbox/{only(InboxItem, kind='safety').id}")
    assert case.status_code == 200
    assert "cannot have been 0" in case.text


def test_a_positive_answer_of_nobody_known_is_a_case_of_its_own(house: Any) -> None:
    feed_of(house)
    heard(house, oru(("44260-8", 2)))
    browser = house.signed_in(house.staff("Cal", role="care_manager"))
    page = browser.get(f"/inbox/{only(InboxItem, kind='safety').id}")
    assert page.status_code == 200
    assert "ANA, RIVER, 1980-01-02, 4711" in page.text


def test_a_total_that_contradicts_its_answers_says_so_where_scores_stand(house: Any) -> None:
    feed_of(house)
    heard(house, VISIT)
    codes = ["44250-9", "44255-8", "44259-0", "44254-1", "44251-7", "44258-2", "44252-5", "44253-3", "44260-8"]
    heard(house, oru(*((code, 1) for code in codes), ("44261-6", 20)))
    browser = house.signed_in(house.staff("Cal", role="care_manager"))
    page = browser.get(f"/patients/{only(Screen).patient_id}/scores").text
    assert "The EHR&#39;s total of 20 contradicts its answers, which make 9: look there which is right." in page


@pytest.mark.parametrize(
    ("message", "said"),
    [
        (oru(("44260-8", 14)), "Put before a person: it may be a positive answer"),
        (json.dumps(response()), "1, 1, 1, 1, 1, 1, 1, 1, 1"),
    ],
)
def test_what_would_be_done_with_a_score_is_said_in_words(house: Any, message: str, said: str) -> None:
    browser, feed = house.signed_in(house.staff("Ada", role="clinic_admin")), feed_of(house)
    fields = {"profile": "", "message": message, "edition": ""}
    assert said in browser.post(f"/feeds/{feed.id}/try", **fields).text
