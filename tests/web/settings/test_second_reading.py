"""The second reader's page: shadow mode, sign-off by a clinician, by when and how wide, its month and its sample."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from config import audit, db
from messaging import conversations
from messaging.inbox.models import InboxItem
from messaging.models import Clinic, Message, Patient
from messaging.second_reading import figures, sampling, standing, watching
from messaging.second_reading.models import ReadingWatch, SecondReading

PAGE = "/settings/second-reading"


@pytest.fixture
def clinician(house: Any) -> Any:
    return house.signed_in(house.staff("Dr Lindqvist", role="clinician"))


@pytest.fixture
def admin(house: Any) -> Any:
    return house.signed_in(house.staff("Ada", role="clinic_admin"))


def holds(house: Any) -> standing.Standing:
    with db.unit_of_work(db.EVERY) as session:
        return standing.of(session.get_one(Clinic, house.clinic.id))


def actions() -> list[str]:
    with db.unit_of_work(db.EVERY) as session:
        lines = session.scalars(select(audit.AuditEntry.act).order_by(audit.AuditEntry.id))
        return [action for action in lines if action.startswith("second_reading.")]


def read(house: Any, count: int, at: datetime, *, score: float = 0.1, tier: str | None = None, **facts: Any) -> None:
    """Keep so many readings of that moment."""
    patient = house.patient()
    with db.unit_of_work(db.EVERY) as session:
        clinic = session.get_one(Clinic, house.clinic.id)
        number = session.get_one(Patient, patient.id).numbers[0].number or ""
        conversation = conversations.of_number(session, clinic, number)
        for place in range(count):
            sid = f"SM{at.timestamp()}-{place}-{patient.id}"
            text = conversations.file_inbound(
                session, clinic, conversation, body=f"text {place}", provider_sid=sid, reading=[], at=at
            )
            defaults = {"language": "en", "rules_version": "r", "reasons": [], "joined": [], "acted": tier}
            session.add(
                SecondReading(
                    clinic_id=clinic.id, message_id=text.id, at=at, score=score, tier=tier, **(defaults | facts)
                )
            )


def test_a_clinic_begins_in_shadow_mode_and_its_page_says_so(house: Any, clinician: Any) -> None:
    assert not holds(house).acts
    assert "Shadow mode" in clinician.get(PAGE).text


def test_a_clinician_signs_it_off_by_name_and_takes_it_back(house: Any, clinician: Any) -> None:
    assert clinician.post(f"{PAGE}/sign", token_from=PAGE, read="on").status_code == 303
    assert holds(house).acts
    assert "Signed off by Dr Lindqvist" in clinician.get(PAGE).text
    clinician.post(f"{PAGE}/shadow", token_from=PAGE)
    assert not holds(house).acts
    assert actions() == ["second_reading.signed_off", "second_reading.shadow"]


def test_nobody_signs_what_they_have_not_read(house: Any, clinician: Any) -> None:
    clinician.post(f"{PAGE}/sign", token_from=PAGE)
    assert not holds(house).acts
    assert "Say first that you have read" in clinician.get(PAGE).text


@pytest.mark.parametrize("role", ["care_manager", "clinic_admin", "auditor"])
def test_nobody_but_a_clinician_signs(house: Any, role: str) -> None:
    other = house.signed_in(house.staff("Kim", role=role))
    assert "A clinician of your clinic signs it off" in other.get(PAGE).text
    assert other.post(f"{PAGE}/sign", token_from=PAGE, read="on").status_code == 403


def test_minutes_and_width_are_a_draft_until_they_are_published(house: Any, admin: Any) -> None:
    assert admin.post(PAGE, token_from=PAGE, edit="0", minutes="10", widening="wider").status_code == 303
    assert holds(house).terms.minutes == 15
    assert "text that may be a crisis is read within" in admin.get(PAGE).text
    admin.post("/settings/draft/second_reading/publish", token_from=PAGE, edit="1", why="less waiting")
    assert holds(house).terms == standing.Terms(minutes=10, widening="wider")


def test_never_longer_than_for_a_positive_screen(house: Any, admin: Any) -> None:
    with db.unit_of_work(db.EVERY) as session:
        session.get_one(Clinic, house.clinic.id).rules = {"answer_within": {"screen": 20}}
    admin.post(PAGE, token_from=PAGE, edit="0", minutes="30", widening="shipped")
    assert "never longer than a positive screen, which is seen within 20 minutes here" in admin.get(PAGE).text


@pytest.mark.parametrize(("minutes", "widening"), [("0", "shipped"), ("61", "shipped"), ("x", "wider"), ("5", "none")])
def test_what_cannot_be_read_stays_typed_with_its_mistake(admin: Any, minutes: str, widening: str) -> None:
    answer = admin.post(PAGE, token_from=PAGE, edit="0", minutes=minutes, widening=widening)
    assert answer.status_code == 422
    assert f'value="{minutes}"' in answer.text


def test_what_would_be_read_later_or_less_needs_a_second_person(house: Any, admin: Any) -> None:
    longer = standing.SECOND_READING.silences(
        {"minutes": 15, "widening": "wider"}, {"minutes": 30, "widening": "shipped"}
    )
    assert len(longer) == 2
    assert (
        standing.SECOND_READING.silences({"minutes": 15, "widening": "shipped"}, {"minutes": 5, "widening": "widest"})
        == []
    )


def test_a_month_is_counted_by_language_and_tier(house: Any, clinician: Any) -> None:
    now = datetime.now(UTC)
    read(house, 8, now)
    read(house, 1, now, tier="crisis", verdict="neither")
    read(house, 1, now, tier="worry")
    page = clinician.get("/second-reading").text
    assert "10.0 %" in page
    assert "100.0 %" in page
    assert "English" in page
    assert "Nobody has read one yet" not in page
    empty = clinician.get("/second-reading?month=2020-01").text
    assert "No text came in." in empty


def test_the_sample_of_a_week_is_drawn_once_of_what_nobody_flagged(house: Any) -> None:
    now = datetime.now(UTC)
    read(house, 60, now - timedelta(days=7))
    read(house, 5, now - timedelta(days=7), tier="worry")
    with db.unit_of_work(db.EVERY) as session:
        clinic = session.get_one(Clinic, house.clinic.id)
        monday = (now - timedelta(days=7)).date()
        monday -= timedelta(days=monday.weekday())
        assert sampling.draw(session, clinic, monday) == 50
        assert sampling.draw(session, clinic, monday) == 50
        drawn = session.scalars(select(SecondReading).where(SecondReading.drawn.is_not(None))).all()
        assert len(drawn) == 50
        assert {row.tier for row in drawn} == {None}


def test_a_person_reads_the_sample_and_what_was_missed_is_put_before_the_care_team(house: Any) -> None:
    kim = house.signed_in(house.staff("Kim"))
    read(house, 3, datetime.now(UTC), drawn="2026-W48")
    assert "Read the sample: 3 to go" in kim.get("/second-reading").text
    for verdict in ("neither", "crisis", "unclear"):
        page = kim.get("/second-reading/sample").text
        path = page.split('action="/second-reading/sample/')[1].split('"')[0]
        assert "text " in page
        assert kim.post(f"/second-reading/sample/{path}", verdict=verdict).status_code == 303
    assert "Nothing is left to read" in kim.get("/second-reading/sample").text
    with db.unit_of_work(db.EVERY) as session:
        assert [item.kind for item in session.scalars(select(InboxItem))] == ["safety"]
    page = kim.get("/second-reading").text
    assert 'of <span class="num">2</span> read were a crisis or a worry' in page


def test_the_upper_bound_is_wilsons() -> None:
    assert figures.upper_bound(0, 0) is None
    assert round(figures.upper_bound(0, 50) or 0, 3) == 0.071
    assert round(figures.upper_bound(5, 50) or 0, 3) == 0.214


@pytest.mark.parametrize(
    ("flagged_now", "flagged_before", "score", "said"),
    [
        (20, 20, 0.1, []),
        (40, 20, 0.1, ["flagged_doubled"]),
        (10, 20, 0.1, ["flagged_halved"]),
        (20, 20, 0.9, ["scores_moved"]),
    ],
)
def test_drift_is_a_share_that_doubles_or_halves_or_scores_that_move(
    flagged_now: int, flagged_before: int, score: float, said: list[str]
) -> None:
    moved = [0] * figures.BINS
    moved[figures.bin_of(score)] = 200
    before = [0] * figures.BINS
    before[1] = 200
    now, then = figures.Week(200, flagged_now, moved), figures.Week(200, flagged_before, before)
    assert figures.drifted(now, then) == said


def test_few_texts_say_nothing_about_drift() -> None:
    few = figures.Week(99, 50, [99, *[0] * 9])
    assert figures.drifted(few, figures.Week(200, 1, [200, *[0] * 9])) == []


def test_drift_is_an_item_for_the_administrator_who_settles_it_by_name(house: Any, admin: Any) -> None:
    now = datetime.now(UTC)
    read(house, 100, now - timedelta(days=20))
    read(house, 80, now - timedelta(days=1))
    read(house, 40, now - timedelta(days=1), tier="worry")
    with db.unit_of_work(db.EVERY) as session:
        session.add(ReadingWatch(clinic_id=house.clinic.id, fence=0, attempts=0, try_after=now))
    for _ in range(2):
        with db.unit_of_work(db.EVERY) as session:
            watching.look_over(session, session.scalars(select(ReadingWatch)).one())
    with db.unit_of_work(db.EVERY) as session:
        (item,) = session.scalars(select(InboxItem)).all()
        assert item.owner_id is not None
    assert "For the administrator" in admin.get("/inbox").text
    page = admin.get("/second-reading").text
    assert "at least twice as many texts" in page
    path = page.split('action="/second-reading/drift/')[1].split('"')[0]
    assert admin.post(f"/second-reading/drift/{path}", token_from="/second-reading").status_code == 303
    with db.unit_of_work(db.EVERY) as session:
        (item,) = session.scalars(select(InboxItem)).all()
        assert (item.state, item.done_by) == ("done", item.owner_id)


def test_the_sample_shows_no_name_and_no_number(house: Any) -> None:
    kim = house.signed_in(house.staff("Kim"))
    read(house, 1, datetime.now(UTC), drawn="2026-W48")
    page = kim.get("/second-reading/sample").text
    with db.unit_of_work(db.EVERY) as session:
        assert session.scalars(select(Message)).one().patient_id is not None
    assert "Quintana" not in page
    assert "555" not in page.split("<main")[1]
