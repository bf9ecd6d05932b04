"""Keeps what a feed says, sealed and once, before its sender is answered; what a person must see is in the inbox."""

import hashlib
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from importlib import resources
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Connection, bindparam, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from config import clock, db, keys, queue
from interchange import moments, profiles
from interchange.hl7 import er7, timestamps
from interchange.models import Feed, FeedMessage
from interchange.problems import Problem, Problems, heaviest
from interchange.profiles import Profile
from messaging.inbox import items
from messaging.inbox.models import InboxItem
from messaging.inbox.staff import roster
from messaging.models import Clinic

LANE, ABOUT = "ehr", "feed"
REFUSED = ("rejected", "error")
_TABLE = FeedMessage.metadata.tables[FeedMessage.__tablename__]
_USED = (
    select(_TABLE.c.id).where(_TABLE.c.feed_id == bindparam("feed"), _TABLE.c.control_id == bindparam("used")).limit(1)
)
# What another process keeps at this very moment was said before, too.
_INSERT_ONCE = {
    name: dialect.insert(_TABLE)
    .on_conflict_do_nothing(index_elements=["feed_id", "event"])
    .execution_options(preserve_rowcount=True)
    for name, dialect in (("sqlite", sqlite), ("postgresql", postgresql))
}


@dataclass(frozen=True)
class Said:
    """One thing a feed says: its words, who says it under which id, of which kind, and when it was so.

    `tells_scores`: it is worked on whatever else of it its sender must mend, as a positive answer waits for no mending.
    """

    raw: str
    sender: str
    control_id: str
    kind: str
    at: datetime | None = None
    tells_scores: bool = False

    @property
    def event(self) -> str:
        """Return what tells it apart: the sender, its id and all its words. It is stored as `keyed` makes it."""
        return digest(self.sender, self.control_id, self.raw)


def digest(*parts: str) -> str:
    """Return a hash of some texts, 64 letters: what a patient's words are in it may be guessed, so see `keyed`."""
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


def digest_key(session: Session, key_id: UUID) -> bytes:
    """Return the key of the digests of what a clinic's feeds say."""
    db.load_keys(session, [key_id])
    return db.clinic_index_key(session, key_id, "feed_digest")


def keyed(key: bytes, bare: str) -> str:
    """Return a digest as it is stored, 32 letters: whoever has the database alone can try out no guess on it."""
    return keys.blind_index(key, bare).hex()


def profile_of(feed_profile: Mapping[str, Any], clinic_zone: str) -> Profile:
    """Return how a feed is read; times without an offset are by the clinic's clock where it names no zone."""
    return profiles.read({"zone": clinic_zone} | dict(feed_profile))


def of_message(message: er7.Message, profile: Profile, acts: Sequence[Mapping[str, Any]] = ()) -> Said:
    """Return what an HL7 message says as a feed's word, `acts` as it was read; MSH-7 says since when it is so."""
    header = message.header
    stamp = timestamps.stamp(header.part(7))
    known = stamp is not None and stamp.has_hour and stamp.is_plausible
    at = moments.instant(stamp, profile.zone, Problems(), "MSH-7") if stamp and known else None
    kind = f"{header.part(9)}^{message.event}"
    return Said(message.text, message.sender, message.control_id, kind, at, tell_scores(acts))


def tell_scores(acts: Sequence[Mapping[str, Any]]) -> bool:
    """Whether something is said of a score, be it only what may be one."""
    return any(str(act["act"]).startswith("score") for act in acts)


@dataclass(frozen=True)
class Whose:
    """Whose a message is and what it is kept by: its feed, the clinic with its key, and the key of its digests."""

    clinic_id: UUID
    key_id: UUID
    feed_id: UUID
    digest_key: bytes = field(repr=False)


class _Bare(NamedTuple):
    """What a bare row's words are sealed with, and bound to."""

    id: UUID
    clinic_id: UUID
    key_id: UUID


@dataclass(frozen=True)
class Row:
    """A message as it is stored, its words sealed, and whether its sender gave it an id."""

    values: dict[str, Any]
    has_control_id: bool


def whose(session: Session, feed: Feed, clinic: Clinic) -> Whose:
    """Return what a feed's messages are kept by."""
    return Whose(clinic.id, clinic.key_id, feed.id, digest_key(session, clinic.key_id))


def keep(session: Session, clinic: Clinic, feed: Feed, said: Said, problems: Sequence[Problem]) -> bool:
    """Keep what was said in the caller's transaction; False if it was said before, word for word.

    What its sender must mend is refused, and a person of the clinic hears of it; the rest waits in the lane.
    """
    session.flush()
    return keep_row(session, clinic, feed, row_of(whose(session, feed, clinic), said, problems))


def keep_row(session: Session, clinic: Clinic, feed: Feed, row: Row) -> bool:
    """Keep a row of `row_of` as `keep` does."""
    if not insert(session.connection(), row):
        return False
    if row.values["state"] == "refused":
        tell(session, clinic, feed)
    else:
        queue.ring(session, LANE)
    return True


def row_of(own: Whose, said: Said, problems: Sequence[Problem]) -> Row:
    """Return what was said as it is stored, sealed; nothing of it needs a transaction."""
    refused = heaviest(problems) in REFUSED and not said.tells_scores
    bare, now = _Bare(db.new_id(), own.clinic_id, own.key_id), clock.now()
    values = {
        **bare._asdict(), "feed_id": own.feed_id, "state": "refused" if refused else "received",
        "event": keyed(own.digest_key, said.event), "control_id": keyed(own.digest_key, digest(said.control_id)),
        "kind": _shown(said.kind), "problems": stored(problems), "said_at": min(said.at or now, now),
        "raw_ct": FeedMessage.raw.closed(bare, said.raw.encode("utf-8", "surrogatepass"), FeedMessage),
        "received_at": now, "processed_at": now if refused else None, "try_after": now, "attempts": 0, "fence": 0,
    }  # fmt: skip
    return Row(values, has_control_id=bool(said.control_id))


def insert(connection: Connection, row: Row) -> bool:
    """Insert a row of `row_of`; False if it was said before. What is said under a used control id is taken, and told.

    Two plain statements: a session's bookkeeping would cost more than the rest of a message does.
    """
    values, insert_once = row.values, _INSERT_ONCE[connection.dialect.name]
    used = {"feed": values["feed_id"], "used": values["control_id"]}
    if row.has_control_id and connection.execute(_USED, used).first():
        again = stored([Problem("control_id_again", "MSH-10")])
        values = values | {"problems": [*values["problems"], *again]}
    return connection.execute(insert_once, values).rowcount > 0


def _shown(kind: str) -> str:
    """A kind as it can be stored and shown: what is no letter of anything is left out."""
    return "".join(letter for letter in kind if letter.isprintable())[:40]


def stored(problems: Sequence[Problem]) -> list[dict[str, str]]:
    """Return problems as a row keeps them."""
    return [{"code": problem.code, "where": problem.where} for problem in problems]


def tell(session: Session, clinic: Clinic, feed: Feed) -> None:
    """Open an item for the clinic's administrator unless one is open: one a feed, however many messages wait."""
    if open_items(session, clinic.id, feed.id):
        return
    about = f"{ABOUT}:{feed.id}"
    items.open_item(
        session,
        clinic,
        kind="delivery",
        about=about,
        dedupe=f"{about}:{db.new_id()}",
        summary=words()["items"]["unreadable"].replace("{feed}", feed.name),
        owner_id=roster.administrator(session, clinic),
    )


def open_items(session: Session, clinic_id: UUID, feed_id: UUID) -> Sequence[InboxItem]:
    """Return the items about a feed that nobody has ended."""
    waiting = select(InboxItem).where(InboxItem.clinic_id == clinic_id, InboxItem.state != "done")
    return session.scalars(waiting.where(InboxItem.about == f"{ABOUT}:{feed_id}")).all()


@cache
def words() -> dict[str, dict[str, str]]:
    """Return this room's words for staff."""
    return tomllib.loads(resources.files("interchange").joinpath("texts", "staff.toml").read_text("utf-8"))
