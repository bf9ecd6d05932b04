"""A decision comes into force by draft, checks and, where an alert could fall silent, a second person."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy.orm import Session

from config import audit, db
from messaging.models import Clinic
from messaging.people import directory
from messaging.versions import publishing
from messaging.versions.models import Version

ROSA, BEN = "staff:rosa", "staff:ben"


def _read(definition: Any) -> dict[str, Any]:
    if "wait" not in definition:
        raise publishing.Refused([publishing.Problem("wait", "this must be given")])
    return {"wait": definition["wait"], "who": definition.get("who", "everyone")}


def _present(session: Session, clinic: Clinic) -> dict[str, Any]:
    version = publishing.live(session, clinic.id, "bell")
    return version.definition if version else {"wait": 10, "who": "everyone"}


BELL = publishing.Kind(
    "bell",
    read=_read,
    present=_present,
    check=lambda _s, _c, new: [publishing.Problem("who", "nobody")] if new["who"] == "nobody" else [],
    silences=lambda old, new: ["it waits longer"] if new["wait"] > old["wait"] else [],
)


@pytest.fixture
def bell(house: object) -> Iterator[tuple[Session, Clinic]]:
    """A clinic with an administrator who can sign in."""
    with db.unit_of_work(db.EVERY) as session:
        clinic = directory.add_clinic(session, name="Alder", zone="America/Denver", number="+13035550100")
        dana = directory.add_staff(session, clinic, name="Dana", email="dana@a.example", role="clinic_admin")
        dana.password_hash = "x"
        session.flush()
        yield session, clinic


def _publish(bell: tuple[Session, Clinic], definition: Any, actor: str = "operator") -> Version:
    draft = publishing.save(*bell, BELL, definition, edit=0, actor=actor)
    return publishing.publish(*bell, BELL, edit=draft.edit, actor=actor)


def test_what_is_published_holds_and_what_held_before_is_kept(bell):
    first, second = _publish(bell, {"wait": 5}), _publish(bell, {"wait": 4})
    assert publishing.live(bell[0], bell[1].id, "bell") is second
    assert [(version.number, version.state) for version in publishing.history(bell[0], bell[1].id, "bell")] == [
        (2, "live"),
        (1, "past"),
        (0, "past"),
    ]
    assert first.ended_at is not None


def test_what_the_clinic_began_with_is_version_0_and_can_come_back(bell):
    _publish(bell, {"wait": 5})
    began = publishing.numbered(bell[0], bell[1].id, "bell", 0)
    assert began is not None
    assert (began.definition, began.published_at) == ({"wait": 10, "who": "everyone"}, bell[1].created_at)
    draft = publishing.revert(*bell, BELL, 0, edit=0, actor=ROSA)
    assert draft.definition["wait"] == 10


def test_a_reason_is_wanted_where_an_alert_could_fall_silent_or_patients_texts_follow(bell):
    quieter = publishing.save(*bell, BELL, {"wait": 11}, edit=0, actor=ROSA)
    assert publishing.wants_reason(*bell, BELL, quieter)
    texting = replace(BELL, texts_patients=lambda old, new: old != new)
    sooner = publishing.save(*bell, texting, {"wait": 9}, edit=quieter.edit, actor=ROSA)
    assert not publishing.wants_reason(*bell, BELL, sooner)
    assert publishing.wants_reason(*bell, texting, sooner)


def test_what_is_shipped_becomes_a_draft_where_anything_is(bell):
    with pytest.raises(LookupError):
        publishing.shipped(*bell, BELL, edit=0, actor=ROSA)
    brings = replace(BELL, shipped=lambda: {"wait": 10})
    assert publishing.shipped(*bell, brings, edit=0, actor=ROSA).definition == {"wait": 10, "who": "everyone"}


def test_the_second_of_two_writers_is_told_and_writes_nothing_over_the_first(bell):
    draft = publishing.save(*bell, BELL, {"wait": 5}, edit=0, actor=ROSA)
    publishing.save(*bell, BELL, {"wait": 4}, edit=draft.edit, actor=BEN)
    with pytest.raises(publishing.Overtaken) as overtaken:
        publishing.save(*bell, BELL, {"wait": 3}, edit=1, actor=ROSA)
    assert overtaken.value.theirs.definition["wait"] == 4
    with pytest.raises(publishing.Overtaken):
        publishing.publish(*bell, BELL, edit=1, actor=ROSA)


def test_what_cannot_be_read_is_no_draft_and_what_may_not_hold_is_not_published(bell):
    with pytest.raises(publishing.Refused, match="this must be given"):
        publishing.save(*bell, BELL, {}, edit=0, actor=ROSA)
    assert publishing.draft(bell[0], bell[1].id, "bell") is None
    with pytest.raises(publishing.Refused, match="nobody"):
        _publish(bell, {"wait": 5, "who": "nobody"})
    assert publishing.live(bell[0], bell[1].id, "bell") is None


def test_what_could_silence_an_alert_needs_somebody_else(bell):
    draft = publishing.save(*bell, BELL, {"wait": 20}, edit=0, actor="operator")
    with pytest.raises(publishing.NeedsSecond, match="waits longer"):
        publishing.publish(*bell, BELL, edit=draft.edit, actor="operator")
    publishing.ask(bell[0], draft, "operator", "we are fewer")
    with pytest.raises(publishing.NeedsSecond):
        publishing.publish(*bell, BELL, edit=draft.edit, actor="operator")
    with pytest.raises(publishing.NeedsSecond):
        publishing.publish(*bell, BELL, edit=draft.edit, actor=ROSA)  # nobody who works here
    dana = audit.Actor.staff(bell[0].query(directory.Staff).one().id)
    published = publishing.publish(*bell, BELL, edit=draft.edit, actor=dana)
    assert (published.asked_by, published.published_by, published.why) == ("operator", dana, "we are fewer")


def test_a_draft_that_changes_after_it_was_asked_for_must_be_asked_for_again(bell):
    draft = publishing.save(*bell, BELL, {"wait": 20}, edit=0, actor=ROSA)
    publishing.ask(bell[0], draft, ROSA, "")
    publishing.save(*bell, BELL, {"wait": 30}, edit=draft.edit, actor=BEN)
    assert (draft.state, draft.asked_by) == ("draft", None)


def test_where_there_is_nobody_else_one_person_may(bell):
    for staff in bell[0].query(directory.Staff):
        staff.active = False
    assert _publish(bell, {"wait": 20}, "operator").state == "live"


def test_going_back_makes_a_draft_of_what_was(bell):
    _publish(bell, {"wait": 5}), _publish(bell, {"wait": 4})
    draft = publishing.revert(*bell, BELL, 1, edit=0, actor=ROSA)
    assert (draft.state, draft.definition["wait"], draft.based_on) == ("draft", 5, 2)
    with pytest.raises(LookupError):
        publishing.revert(*bell, BELL, 9, edit=draft.edit, actor=ROSA)


def test_a_draft_that_was_thrown_away_leaves_room_for_another(bell):
    draft = publishing.save(*bell, BELL, {"wait": 5}, edit=0, actor=ROSA)
    publishing.drop(bell[0], draft, ROSA)
    assert publishing.draft(bell[0], bell[1].id, "bell") is None
    assert publishing.save(*bell, BELL, {"wait": 6}, edit=0, actor=ROSA).edit == 1
