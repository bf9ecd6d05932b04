"""Digests of what feeds have said are made anew by the upgrade, and what was said before is still told apart."""

from typing import Any

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import select, update

from config import clock, db
from interchange import feeds
from interchange.models import Feed, FeedMessage, FeedSeen
from interchange.polling import answers, store
from messaging.models import Clinic
from service import migrations

both = pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)
SAID = feeds.Said("PID|1||4711", "BOOKS|ELM", "C1", "SIU^S12")
NAME, VISIT = "Appointment/12", {"resourceType": "Appointment", "id": "12"}
FACTS: dict[str, Any] = {"name": "books", "secret": "whsec_x", "profile": {}}


def stored_bare(clinic: Clinic) -> Feed:
    """A message and what was read of a visit, with the digests that were written before."""
    with db.unit_of_work(clinic.id) as session:
        feed = Feed(clinic_id=clinic.id, key_id=clinic.key_id, created_at=clock.now(), **FACTS)
        session.add(feed)
        session.flush()
        assert feeds.keep(session, session.get_one(Clinic, clinic.id), feed, SAID, [])
        session.execute(update(FeedMessage).values(event=SAID.event, control_id=feeds.digest(SAID.control_id)))
        seen = {"clinic_id": clinic.id, "feed_id": feed.id, "seen_at": clock.now(), "times": 1}
        session.add(FeedSeen(resource=feeds.digest(NAME), digest=answers.digest(VISIT), **seen))
        session.add(FeedSeen(resource=feeds.digest("Patient/7"), digest=store.RESTRICTED, **seen))
    return feed


@both
def test_no_bare_digest_is_left_and_nothing_is_taken_twice(house: Any, clinic: Clinic) -> None:
    feed = stored_bare(clinic)
    config = migrations._config()
    command.stamp(config, ScriptDirectory.from_config(config).get_revision("0076").down_revision)
    command.upgrade(config, "0076")
    command.stamp(config, "head")  # what came after it stands already
    with db.unit_of_work(clinic.id) as session:
        kept = session.scalars(select(FeedMessage)).one()
        assert SAID.event not in (kept.event, kept.control_id)
        assert {len(kept.event), len(kept.control_id)} == {32}
        ours, own = session.get_one(Clinic, clinic.id), session.get_one(Feed, feed.id)
        assert not feeds.keep(session, ours, own, SAID, [])
        assert feeds.keep(session, ours, own, feeds.Said("PID|1||4712", SAID.sender, "C1", SAID.kind), [])
        told = [problem["code"] for row in session.scalars(select(FeedMessage)) for problem in row.problems]
        assert told == ["control_id_again"]
    assert store.changed(clinic.id, feed.id, {NAME: VISIT}) == set()
    assert store.changed(clinic.id, feed.id, {NAME: VISIT | {"status": "booked"}}) == {NAME}
    assert store.known(clinic.id, feed.id, ["Patient/7"])["Patient/7"][0] == store.RESTRICTED
