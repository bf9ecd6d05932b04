"""A care manager who leaves: the people whose care they managed have another, or it is said that nobody has them."""

from typing import Any

from config import db
from tests.web.caseload.seeding import enrolled, with_registry
from tests.web.settings.test_people import published


def test_people_in_care_go_to_whoever_gets_the_rest(house: Any) -> None:
    scene = with_registry(house)
    lead = house.signed_in(published(house))
    ben = house.staff("Ben Okafor", number="+12025550153")
    enrolled(scene, house.patient(), 20)
    path = f"/settings/people?leave={scene.rosa.id}"
    assert "They manage the care of 1 person" in lead.get(path).text
    # Nobody is chosen for them unseen.
    assert lead.post(f"/settings/people/{scene.rosa.id}/leave").status_code == 422
    assert lead.post(f"/settings/people/{scene.rosa.id}/leave", to=str(ben.id)).status_code == 303
    assert [episode.manager_id for episode in scene.episodes()] == [ben.id]
    assert "People in care who moved on: 1" in lead.get("/settings/people").text


def test_where_nobody_covers_it_is_said_whose_care_nobody_manages(house: Any) -> None:
    scene = with_registry(house)
    lead = house.signed_in(published(house))
    enrolled(scene, house.patient(), 20)
    assert lead.post(f"/settings/people/{scene.rosa.id}/leave", to="team").status_code == 303
    assert [episode.manager_id for episode in scene.episodes()] == [scene.rosa.id]
    assert "whose care nobody here manages now: 1" in lead.get("/settings/people").text


def test_an_episode_that_has_ended_keeps_who_managed_it(house: Any) -> None:
    scene = with_registry(house)
    lead = house.signed_in(published(house))
    ben = house.staff("Ben Okafor", number="+12025550153")
    episode = enrolled(scene, house.patient(), 20)
    with db.unit_of_work(db.EVERY) as session:
        row = session.merge(episode)
        row.phase = "discharged"
    assert lead.post(f"/settings/people/{scene.rosa.id}/leave", to=str(ben.id)).status_code == 303
    assert [each.manager_id for each in scene.episodes()] == [scene.rosa.id]
