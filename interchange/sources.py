"""The feeds that a clinic has: added with a secret shown once, read by a profile of their own, paused and resumed."""

import base64
import re
import secrets
import tomllib
from collections.abc import Mapping
from typing import Any

import tomli_w
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from config import audit, clock, queue
from interchange import feeds, profiles
from interchange.models import Feed, FeedMessage
from messaging.models import Clinic

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,29}")
LONGEST_PROFILE = 20_000


class Refused(ValueError):
    """Why there is no such feed: name | taken."""


def new_secret() -> str:
    """Return a secret of Standard Webhooks."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def add(session: Session, clinic: Clinic, name: str, profile: Mapping[str, Any], actor: str) -> str:
    """Add a feed and return the secret it signs with. Raises Refused, or profiles.BadProfile."""
    if not NAME.fullmatch(name):
        raise Refused("name")
    if session.scalar(select(Feed.id).where(Feed.name == name)):
        raise Refused("taken")
    feeds.profile_of(profile, clinic.zone)
    secret = new_secret()
    facts = {"name": name, "secret": secret, "profile": dict(profile), "created_at": clock.now()}
    session.add(Feed(clinic_id=clinic.id, key_id=clinic.key_id, **facts))
    audit.record(session, clinic.id, actor, "feeds.source", f"feed:{name}")
    return secret


def renew_secret(session: Session, feed: Feed, actor: str) -> str:
    """Give a feed another secret and return it; what is signed with the old one is refused from now on."""
    feed.secret = new_secret()
    audit.record(session, feed.clinic_id, actor, "feeds.secret", f"feed:{feed.name}")
    return feed.secret


def written(profile: Mapping[str, Any]) -> str:
    """Return a profile as TOML."""
    return tomli_w.dumps(profile)


def understood(text: str, clinic_zone: str) -> dict[str, Any]:
    """Return the profile that a text of TOML holds. Raises profiles.BadProfile and names what is wrong."""
    if len(text) > LONGEST_PROFILE:
        raise profiles.BadProfile(f"longer than {LONGEST_PROFILE} letters")
    try:
        own = tomllib.loads(text.replace("\r\n", "\n"))
    except tomllib.TOMLDecodeError as error:
        raise profiles.BadProfile(str(error)) from None
    feeds.profile_of(own, clinic_zone)
    return own


def save_profile(session: Session, feed: Feed, profile: Mapping[str, Any], actor: str) -> bool:
    """Read a feed by another profile from now on; False where nothing is different."""
    before = feed.profile
    changed = sorted(name for name in {*before, *profile} if before.get(name) != profile.get(name))
    if not changed:
        return False
    feed.profile = dict(profile)
    audit.record(session, feed.clinic_id, actor, "feeds.profile", f"feed:{feed.name}", changed=",".join(changed))
    return True


def pause(session: Session, feed: Feed, actor: str) -> None:
    """Work on nothing that a feed says until it is resumed; it is kept and answered all the same."""
    if feed.paused_at is None:
        feed.paused_at = clock.now()
        audit.record(session, feed.clinic_id, actor, "feeds.paused", f"feed:{feed.name}")


def resume(session: Session, feed: Feed, actor: str) -> None:
    """Work on what has come meanwhile, and on what comes from now on."""
    if feed.paused_at is None:
        return
    feed.paused_at = None
    session.flush()
    waiting = update(FeedMessage).where(FeedMessage.feed_id == feed.id, FeedMessage.state == "paused")
    session.execute(waiting.values(state="received", try_after=clock.now(), attempts=0))
    queue.ring(session, feeds.LANE)
    audit.record(session, feed.clinic_id, actor, "feeds.resumed", f"feed:{feed.name}")
