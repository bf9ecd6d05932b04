"""What goes back to an EHR, on its page: decided, tried dry, paused, refused in words, written again; all audited."""

from typing import Any

import pytest
from sqlalchemy import select

from config import audit, clock, db, runtime
from interchange.models import Feed
from messaging.ehr_outbox import part_two
from messaging.inbox.models import InboxItem
from tests.interchange.polling.asked_ehrs import Asked
from tests.phones import Network
from tests.records.writing import kit
from tests.records.writing.kit import Writes, answered, confirmed
from tests.web.caseload.seeding import with_registry

SCREENS = {"kinds": ["screen"], "forms": ["response", "observations"]}


@pytest.fixture
def admin(house: Any) -> Any:
    return house.signed_in(house.staff("Ada", role="clinic_admin"))


@pytest.fixture
def network(network_url: str, house: Any, monkeypatch: pytest.MonkeyPatch) -> Network:
    allowed = runtime.settings().model_copy(update={"ehr_networks": "127.0.0.0/8"})
    monkeypatch.setattr(runtime, "_settings", allowed)
    simulated = Network(network_url)
    simulated.ask("DELETE", "/sim")
    return simulated


@pytest.fixture
def epic(house: Any, network: Network) -> Writes:
    ehr = Asked(network, house.clinic)
    ehr.patient()
    return Writes(ehr, kinds=[], forms=[])


@pytest.fixture
def page(epic: Writes) -> str:
    return f"/feeds/{epic.ehr.feed_id}/writing"


def acts(house: Any) -> list[str]:
    with db.unit_of_work(house.clinic.id) as session:
        return list(session.scalars(select(audit.AuditEntry.act).where(audit.AuditEntry.actor.startswith("staff:"))))


def test_it_is_decided_tried_dry_and_written(house: Any, admin: Any, page: str, epic: Writes) -> None:
    assert "Nothing leaves for this EHR until you tick it" in admin.get(page).text
    assert admin.post(page, **SCREENS).status_code == 303
    answered(house.clinic)
    before = len(epic.ehr.ask("GET")["asked"])
    dry = admin.post(f"{page}/dry").text
    assert dry.count("<summary>Observation</summary>") == 11
    assert "Patient/7" in dry
    assert "Several days" not in dry  # an administrator does not read what a patient said
    assert len(epic.ehr.ask("GET")["asked"]) == before
    epic.drain()
    shown = admin.get(page).text
    assert "Written</td>" in shown
    assert "<dd>never</dd>" not in shown
    assert {"feeds.writing_decided", "feeds.writing_read"} <= set(acts(house))


def test_what_it_refuses_stands_there_in_words_and_in_the_inbox_until_it_is_seen_to(
    house: Any, admin: Any, page: str, epic: Writes
) -> None:
    admin.post(page, **SCREENS)
    epic.ehr.patient("7", restricted="4130")
    answered(house.clinic)
    epic.drain()
    shown = admin.get(page).text
    assert "The record is restricted in the EHR" in shown
    assert "(4130)" in shown
    assert [item.state for item in items(epic)] == ["open"]
    epic.ehr.patient("7")
    admin.post(f"{page}/replay/{epic.row.id}")
    epic.drain()
    assert epic.row.state == "written"
    assert [item.state for item in items(epic)] == ["done"]
    assert "feeds.writing_replayed" in acts(house)


def items(epic: Writes) -> list[InboxItem]:
    with db.unit_of_work(db.EVERY) as session:
        return list(session.scalars(select(InboxItem).where(InboxItem.about == f"feed_writing:{epic.ehr.feed_id}")))


def test_a_range_of_days_is_written_again_and_one_is_set_aside(house: Any, admin: Any, page: str, epic: Writes) -> None:
    admin.post(page, **SCREENS)
    epic.faults({"method": "POST", "path": "QuestionnaireResponse", "code": "59100", "times": 3})
    for event in "123":
        answered(house.clinic, event=event)
    epic.drain()
    assert {row.state for row in epic.rows()} == {"refused"}
    admin.post(f"{page}/aside/{epic.rows()[0].id}")
    assert epic.rows()[0].state == "set_aside"
    today = epic.rows()[0].created_at.date()
    assert admin.post(f"{page}/replay", first="2026-02-30", last=today.isoformat()).status_code == 422
    days = {"first": today.replace(day=1).isoformat(), "last": today.replace(year=today.year + 1, day=1).isoformat()}
    admin.post(f"{page}/replay", **days)
    assert "Written again: 2." in admin.get(page).text
    epic.drain()
    assert [row.state for row in epic.rows()] == ["set_aside", "written", "written"]
    assert len(epic.there("QuestionnaireResponse")) == 2


def test_writing_is_paused_and_resumed(house: Any, admin: Any, page: str, epic: Writes) -> None:
    admin.post(page, **SCREENS)
    admin.post(f"{page}/pause")
    answered(house.clinic)
    assert epic.drain() == 0
    assert "Paused." in admin.get(page).text
    admin.post(f"{page}/resume")
    assert epic.drain() == 1
    assert {"feeds.writing_paused", "feeds.writing_resumed"} <= set(acts(house))


def test_each_mistake_is_named_and_a_visit_is_nothing_for_who_takes_no_note(admin: Any, page: str) -> None:
    wrong = admin.post(page, kinds=["screen", "visit"], forms=[], allows=["everything"])
    assert wrong.status_code == 422
    for said in ("takes nothing of that kind", "Choose at least one form", "Choose from the list"):
        assert said in wrong.text


def test_an_episode_is_marked_and_then_nothing_of_it_leaves(house: Any, admin: Any, page: str, epic: Writes) -> None:
    admin.post(page, **SCREENS)
    with db.unit_of_work(house.clinic.id) as session:
        episode_id = kit.episode(session)
        patient_id = kit.only_patient(session).id
    manager = with_registry(house).browser
    assert manager.post(f"/patients/{patient_id}/care/part_two", part_two="on").status_code == 303
    with db.unit_of_work(house.clinic.id) as session:
        assert part_two.is_labelled(session, house.clinic.id, [f"episode:{episode_id}"])
    answered(house.clinic)
    epic.drain()
    said = admin.get(page).text
    assert "it falls under 42 CFR Part 2" in said
    assert "<b>1 of it stays here for now</b>: it is looked at again when this is saved" in said
    manager.post(f"/patients/{patient_id}/care/part_two")
    admin.post(page, **SCREENS)
    epic.drain()
    assert epic.row.state == "written"


@pytest.mark.parametrize("has_episode", [False, True])
def test_what_an_ehr_labels_is_taken_away_with_a_reason(house: Any, epic: Writes, has_episode: bool) -> None:
    with db.unit_of_work(house.clinic.id) as session:
        if has_episode:
            kit.episode(session)
        patient_id = kit.only_patient(session).id
        part_two.label(session, house.clinic.id, f"patient:{patient_id}", "system:ehr.epic", on=True)
    manager = with_registry(house).browser
    care, record = f"/patients/{patient_id}/care", f"/patients/{patient_id}/record"
    assert ("An EHR says it of this patient" in manager.get(care).text) == has_episode
    if has_episode:
        manager.post(f"{care}/part_two")  # takes the episode's own mark alone
    assert "an EHR says so" in manager.get(record).text
    assert manager.post(f"{record}/sensitivity").status_code == 422
    assert manager.post(f"{record}/sensitivity", why="error").status_code == 303
    with db.unit_of_work(house.clinic.id) as session:
        assert not part_two.is_labelled(session, house.clinic.id, [f"patient:{patient_id}"])
        acts = select(audit.AuditEntry.detail).where(audit.AuditEntry.act == "part_two.unlabelled")
        assert session.scalars(acts).all() == [{"why": "error"}]
    assert "an EHR says so" not in manager.get(record).text
    desk = house.signed_in(house.staff("Dee", role="front_desk"))
    assert desk.post(f"{record}/sensitivity", why="error").status_code == 403


def test_a_confirmed_visit_goes_to_athena(house: Any, admin: Any, network: Network) -> None:
    ehr = Asked(network, house.clinic, "athena", "RS384")
    ehr.patient()
    athena = Writes(ehr, kinds=[], forms=[])
    decided = {"kinds": ["visit"], "labels": ["feed"], "allows": ["part_2"]}
    assert admin.post(f"/feeds/{ehr.feed_id}/writing", **decided).status_code == 303
    confirmed(house.clinic)
    athena.drain()
    assert len(athena.there("note")) == 1


def test_where_no_ehr_is_asked_there_is_no_such_page(house: Any, admin: Any, epic: Writes) -> None:
    with db.unit_of_work(house.clinic.id) as session:
        facts = {"name": "alone", "secret": "whsec_x", "profile": {}, "created_at": clock.now()}
        feed = Feed(clinic_id=house.clinic.id, key_id=house.clinic.key_id, **facts)
        session.add(feed)
    assert admin.get(f"/feeds/{feed.id}/writing").status_code == 404
