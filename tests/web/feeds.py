"""What a feed of an EHR says to a house, kept as the door keeps it and worked on."""

from typing import Any

from sqlalchemy import select

from config import clock, db
from interchange import feeds, jobs, profiles
from interchange.hl7 import er7, reading
from interchange.models import Feed
from messaging.models import Clinic


def feed_of(house: Any) -> Feed:
    """The house's feed "books", added where it is not there yet."""
    with db.unit_of_work(house.clinic.id) as session:
        feed = session.scalar(select(Feed).where(Feed.clinic_id == house.clinic.id))
        if feed is None:
            facts = {"name": "books", "secret": "whsec_x", "profile": {}, "created_at": clock.now()}
            feed = Feed(clinic_id=house.clinic.id, key_id=house.clinic.key_id, **facts)
            session.add(feed)
    return feed


def heard(house: Any, message: str) -> None:
    """Keep a message, and work the lane off."""
    feed_id = feed_of(house).id
    with db.unit_of_work(house.clinic.id) as session:
        clinic = session.get_one(Clinic, house.clinic.id)
        profile = profiles.read({"zone": clinic.zone})
        (parsed,) = er7.read(message).messages
        read = reading.read(parsed, profile)
        said = feeds.of_message(parsed, profile, read.acts)
        feeds.keep(session, clinic, session.get_one(Feed, feed_id), said, read.problems)
    jobs.drain()
