"""What is kept, taken over and asked, once on PostgreSQL, where each clinic sees its own rows only."""

from pathlib import Path
from typing import Any

from sqlalchemy import insert, select, text
from sqlalchemy.dialects import postgresql

from caseload import questionnaires as asking
from caseload.models import OPEN, Asking, CareEntry, CareTimer, DueNotice, Episode
from config import db
from intake_links.models import IntakeLink
from tests.web.caseload.seeding import answer, enrolled, with_registry
from tests.web.caseload.test_asking import BY_PHASE, publish
from tests.web.caseload.test_due_items import choose, events, night, spoken
from tests.web.caseload.test_kept_scores import agree
from tests.web.caseload.test_registry_import import row, take
from tests.web.caseload.test_registry_rows import counted
from tests.web.caseload.test_timer import an_hour_ago, confirming


def test_a_registry_is_taken_over_read_and_asked(house_on_postgresql: Any, tmp_path: Path) -> None:
    scene = with_registry(house_on_postgresql)
    publish(scene, BY_PHASE)
    asked, taken_over = (scene.house.patient(first_name=name) for name in ("Ada", "Bea"))
    enrolled(scene, asked, days_ago=40)
    for days, points in ((39, 14), (20, 6)):
        answer(scene.house, asked, days, points)
    assert take(scene, tmp_path, row(scene, taken_over))[0].created == 1
    assert agree(scene, imported=2) == 4
    page = scene.browser.get("/caseload").text
    assert "14 → <b>6</b>" in page
    assert "16 → <b>8</b>" in page
    assert all(episode.scores_of for episode in scene.rows(Episode))
    assert asking.drain() == 2
    # Whoever was imported answered three days ago, as the file says.
    assert {link.patient_id for link in scene.rows(IntakeLink)} == {asked.id}
    assert [looked.state for looked in scene.rows(Asking)] == ["waiting", "waiting"]
    assert asking.drain() == 0


def test_work_is_timed_and_confirmed(house_on_postgresql: Any) -> None:
    scene = with_registry(house_on_postgresql)
    patient = scene.house.patient()
    enrolled(scene, patient, days_ago=20)
    path = f"/patients/{patient.id}/care"
    assert [scene.browser.post(f"{path}/timer").status_code for _ in range(2)] == [303, 303]
    an_hour_ago(scene)
    scene.browser.post("/care-timer/stop")
    where, form = confirming(scene.browser.get(path).text)
    assert scene.browser.post(where, **form).status_code == 303
    assert [timer.state for timer in scene.rows(CareTimer)] == ["kept"]
    assert len(scene.rows(CareEntry)) == 1


def test_what_is_due_is_an_item_once(house_on_postgresql: Any) -> None:
    scene = with_registry(house_on_postgresql)
    choose(scene, "contact")
    patient = scene.house.patient()
    enrolled(scene, patient, days_ago=40)
    assert [state for _, state in night(scene)] == ["open"]
    spoken(scene, patient)
    assert [state for _, state in night(scene, 2)] == ["open"]
    assert events(scene) == ["due_over"]
    assert [notice.why for notice in scene.rows(DueNotice)] == ["over"]


def test_days_and_minutes_are_counted_by_the_clinics_clock(house_on_postgresql: Any) -> None:
    assert counted(with_registry(house_on_postgresql)) == 20


def test_who_is_in_care_is_found_by_an_index_and_not_by_reading_who_was(house_on_postgresql: Any) -> None:
    scene = with_registry(house_on_postgresql)
    enrolled(scene, scene.house.patient(), days_ago=40)
    [episode] = scene.episodes()
    alike = {column.key: getattr(episode, column.key) for column in Episode.__table__.columns}
    ended = [alike | {"id": db.new_id(), "phase": "discharged", "ended_on": episode.enrolled_on} for _ in range(5_000)]
    with db.unit_of_work(scene.house.clinic.id) as session:
        session.execute(insert(Episode), ended)
        session.execute(text("ANALYZE care_episode"))
        asked = select(Episode.id).where(Episode.clinic_id == scene.house.clinic.id, OPEN)
        written = asked.compile(dialect=postgresql.dialect(), compile_kwargs={"literal_binds": True})
        way = str(session.execute(text(f"EXPLAIN {written}")).all())
    assert "Seq Scan" not in way
    assert "ix_care_episode_clinic_phase" in way
