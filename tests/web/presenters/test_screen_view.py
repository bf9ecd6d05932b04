"""A screen as staff read it: what changed, what is missing, and how far the goals are."""

from datetime import timedelta
from typing import Any

from config import clock, db
from intake_links import submissions
from intake_links.models import Screen
from messaging.models import Patient
from web.presenters import screen_history, screen_view

START = [2, 2, 2, 2, 2, 2, 2, 2, 1]


def hand_in(house: Any, patient: Patient, days: int, answers: list[int | None], instrument: str = "phq9") -> Screen:
    with db.unit_of_work(house.clinic.id) as session:
        return submissions.accept(
            session,
            house.clinic,
            patient,
            instrument=instrument,
            answers=answers,
            language="en",
            source="forms.test",
            event=f"{instrument}{days}",
            authored_at=clock.now() - timedelta(days=days),
        )


def read(house: Any, screen: Screen, patient: Patient) -> screen_view.ScreenView:
    with db.unit_of_work(house.clinic.id, read_only=True) as session:
        kept = session.get_one(Screen, screen.id)
        return screen_view.view(session, kept, session.get_one(Patient, patient.id), "America/Denver")


def test_each_answer_says_what_changed_since_last_time(house: Any) -> None:
    patient = house.patient()
    hand_in(house, patient, 30, START)
    view = read(house, hand_in(house, patient, 1, [3, 2, 0, 2, 2, 2, 2, 2, 1]), patient)
    changes = [(answer.turn, answer.change) for answer in view.answers[:3]]
    assert changes == [("worse", "worse by 1"), ("same", "same"), ("better", "better by 2")]
    assert view.answers[8].rang
    assert not any(answer.rang for answer in view.answers[:8])


def test_a_missing_answer_is_said_as_missing_and_there_is_no_total(house: Any) -> None:
    patient = house.patient()
    hand_in(house, patient, 30, START)
    screen = hand_in(house, patient, 1, [1, None, 1, 1, None, 1, 1, 1, 0])
    view = read(house, screen, patient)
    assert (view.total, view.given, view.asked, view.points) == (None, 7, 9, 6)
    assert (view.answers[1].answer, view.answers[1].change) == ("no answer", "answered before")
    page = house.signed_in(house.staff()).get(f"/patients/{patient.id}/scores").text
    assert "so far, 2 not answered" in page
    assert "no total of 9 questions" in page


def test_the_finding_says_how_the_score_has_gone_and_whether_a_goal_is_reached(house: Any) -> None:
    patient = house.patient()
    hand_in(house, patient, 70, START)
    half = read(house, hand_in(house, patient, 42, [1] * 8 + [0]), patient)
    assert half.finding == "PHQ-9 fell from 17 to 8 in 4 weeks"
    assert "at least half below the start" in half.picture.lower()
    assert "A ring marks a positive self-harm item" in half.picture
    page = house.signed_in(house.staff()).get(f"/patients/{patient.id}/scores").text
    assert page.count("PHQ-9 fell from 17 to 8 in 4 weeks") == 1, "what reads a page aloud says it once"
    assert f'role="img" aria-label="{half.picture}"' in page
    remission = read(house, hand_in(house, patient, 20, [1, 1, 1, 1, 0, 0, 0, 0, 0]), patient)
    assert "Under 5, which is remission" in remission.picture
    again = read(house, hand_in(house, patient, 2, [1] * 7 + [0, 0]), patient)
    assert again.finding == "PHQ-9 fell from 17 to 7 in 10 weeks, but rose by 3 since the last time"
    assert again.trend is not None
    assert [goal.kind for goal in again.trend.goals] == ["start", "response", "remission"]


def test_goals_are_drawn_only_where_they_are_published_and_fit(house: Any) -> None:
    patient, mild = house.patient(), house.patient()
    hand_in(house, patient, 40, [2] * 7, "gad7")
    anxious = read(house, hand_in(house, patient, 1, [1] * 7, "gad7"), patient)
    hand_in(house, mild, 40, [1] * 8 + [0])
    low = read(house, hand_in(house, mild, 1, [1] * 4 + [0] * 5), mild)
    for view in (anxious, low):
        assert view.trend is not None
        assert [goal.kind for goal in view.trend.goals] == ["start"]
    assert anxious.trend is not None
    assert [band.lowest for band in anxious.trend.bands] == [0, 5, 10, 15]


def test_what_was_sent_again_is_shown_and_is_no_point_of_its_own(house: Any) -> None:
    patient = house.patient()
    hand_in(house, patient, 40, START)
    first = hand_in(house, patient, 1, [1] * 9)
    with db.unit_of_work(house.clinic.id) as session:
        submissions.accept(
            session,
            house.clinic,
            patient,
            instrument="phq9",
            answers=[3] * 9,
            language="en",
            source="forms.test",
            event="phq91",
        )
        kept = session.get_one(Patient, patient.id)
        again = next(
            candidate
            for candidate in session.query(Screen).filter(Screen.patient_id == patient.id)
            if candidate.detail.get("again")
        )
        assert [taken.screen.id for taken in screen_history.by_instrument(session, kept)["phq9"]][-1] == first.id
        view = screen_view.view(session, again, kept, "America/Denver")
    assert view.again
    assert view.total == 27
    assert view.trend is not None
    assert [dot.total for dot in view.trend.dots] == [17, 9]
    assert view.answers[0].change == "worse by 2"


def test_the_strip_shows_which_item_moves_with_numbers_and_shades(house: Any) -> None:
    patient = house.patient()
    hand_in(house, patient, 40, START)
    view = read(house, hand_in(house, patient, 1, [0, 3, None, 2, 2, 2, 2, 2, 0]), patient)
    assert view.strip is not None
    cells = {number: [(cell.points, cell.shade, cell.rang) for cell in row] for number, _, row in view.strip.rows}
    assert cells[1] == [("2", 2, False), ("0", 0, False)]
    assert cells[3] == [("2", 2, False), ("–", -1, False)]
    assert cells[9] == [("1", 1, True), ("0", 0, False)]
