"""Takes what an HL7 sender transmits, by whichever door: kept sealed and committed first, acknowledged then."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from config import clock, db, logging
from interchange import feeds, keeping
from interchange.hl7 import acknowledging, er7, reading
from interchange.models import Feed
from interchange.problems import Problem
from interchange.profiles import Profile
from messaging.models import Clinic


@dataclass(frozen=True)
class Sender:
    """Who may send: the feed, its clinic, how it is read, and the secret it signs with where its door asks for one.

    `hub_secret` signs the events that its EHR tells by ids alone, those of one practice."""

    whose: feeds.Whose
    profile: Profile
    secret: str = field(default="", repr=False)
    hub_secret: str = field(default="", repr=False)
    practice: str = ""


@dataclass(frozen=True)
class Answer:
    """The acknowledgements of a transmission in the order of its messages, and the codec its letters came in."""

    acknowledgements: tuple[bytes, ...]
    codec: str = "utf-8"


@contextmanager
def kept(sender: Sender) -> Iterator[tuple[Session, Clinic, Feed]]:
    """What is kept in here is committed, all of it or nothing, before anybody is answered."""
    with db.unit_of_work(sender.whose.clinic_id) as session:
        yield session, session.get_one(Clinic, sender.whose.clinic_id), session.get_one(Feed, sender.whose.feed_id)


def accept(sender: Sender, body: bytes, noted: Sequence[Problem] = ()) -> Answer:
    """Keep each message of the body in one transaction, then acknowledge each that wants it; `noted` is what its door
    has found. Whatever is raised has kept nothing and answered nobody."""
    try:
        transmission = er7.read(body, sender.profile.charset)
    except er7.Unreadable as unreadable:
        return _unreadable(sender, body, [*noted, Problem(str(unreadable), "MSH")])
    # Read before the transaction begins: on SQLite everybody else waits for whoever writes.
    read, rows = [], []
    for message in transmission.messages:
        heard = reading.read(message, sender.profile)
        # Of what its door has cut only the head was read: what it then lacks says nothing of its sender.
        problems = [*noted, *transmission.problems, *([] if noted else heard.problems)]
        read.append((message, problems))
        said = feeds.of_message(message, sender.profile, heard.acts)
        rows.append(feeds.row_of(sender.whose, said, problems))
    _keep(sender, rows)
    answers = []
    for message, problems in read:
        ack = acknowledging.code(message, problems)
        if ack is not None:
            answers.append(acknowledgement(message, ack, problems).encode(transmission.codec, "replace"))
    return Answer(tuple(answers), transmission.codec)


def _keep(sender: Sender, rows: Sequence[feeds.Row]) -> None:
    """Commit all of the rows; where a person must hear of one, by what a session does beside it."""
    if any(row.values["state"] == "refused" for row in rows):
        with kept(sender) as (session, clinic, feed):
            for row in rows:
                feeds.keep_row(session, clinic, feed, row)
        return
    keeping.commit(sender.whose.clinic_id, rows)


def acknowledgement(message: er7.Message | None, ack: str, problems: Sequence[Problem]) -> str:
    """Return an acknowledgement in ER7 with an id of our own."""
    # Twenty letters, as much as MSH-10 holds in the oldest versions.
    own = db.new_id().hex[-20:]
    return acknowledging.text(message, ack, problems, now=clock.now(), control_id=own)


def _unreadable(sender: Sender, body: bytes, problems: Sequence[Problem]) -> Answer:
    logging.logger().warning("a message was refused", clinic_id=sender.whose.clinic_id)
    said = feeds.Said(body.decode("latin-1"), "", "", "unreadable")
    with kept(sender) as (session, clinic, feed):
        feeds.keep(session, clinic, feed, said, problems)
    return Answer((acknowledgement(None, "AR", problems).encode(),))


def refusal(body: bytes, problems: Sequence[Problem]) -> bytes:
    """Return the refusal of what is nobody's: nothing of it is kept, and its sender still has it."""
    try:
        transmission = er7.read(body)
    except er7.Unreadable:
        return acknowledgement(None, "AR", problems).encode()
    message = transmission.messages[0]
    ack = acknowledging.code(message, problems) or "AR"
    return acknowledgement(message, ack, problems).encode(transmission.codec, "replace")
