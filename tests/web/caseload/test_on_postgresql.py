"""What is kept, taken over and asked, once on PostgreSQL, where each clinic sees its own rows only."""

from pathlib import Path
from typing import Any

from caseload import questionnaires as asking
from caseload.models import Asking, Episode
from intake_links.models import IntakeLink
from tests.web.caseload.seeding import answer, enrolled, with_registry
from tests.web.caseload.test_asking import BY_PHASE, publish
from tests.web.caseload.test_kept_scores import agree
from tests.web.caseload.test_registry_import import row, take


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
