"""What the clinic has decided of one EHR: what it is written, in which forms, what else may leave; paused, resumed."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from config import audit, clock, queue
from interchange import pausing
from interchange.models import Feed, FeedConnection
from messaging.ehr_outbox import allowances, owing, part_two
from messaging.ehr_outbox.models import EhrWrite, EhrWriter
from records.writing import contents

# What an EHR can be written, by the way it is reached: who is read day by day by FHIR takes no word about a visit.
CAN = {"fhir": ("screen", "handoff", "day"), "athena": ("screen", "visit"), "hl7": ("visit",)}
TAKES = {"fhir": (*contents.FORMS, contents.TASK), "athena": (contents.RESPONSE,), "hl7": ()}
OF_FHIR = (allowances.PART_TWO, allowances.AUDIT_C)
ALLOWS = {
    "fhir": (*OF_FHIR, allowances.SUBSTANCES),
    "athena": OF_FHIR,
    "hl7": (allowances.PART_TWO, allowances.CHANGES),
}
# What the clinic keeps back is looked at again when it decides anew.
DECIDED = ("kept_back",)


class MayNot(ValueError):
    """What is not set up: `problems` names what is wrong by field, each in one word."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


@dataclass(frozen=True)
class Wanted:
    """What an EHR is to be written, and what falls under 42 CFR Part 2: this feed's patients, all of the clinic's."""

    kinds: Collection[str] = ()
    forms: Collection[str] = ()
    allows: Collection[str] = ()
    feed_part_two: bool = False
    clinic_part_two: bool = False


def of(session: Session, feed: Feed, *, locked: bool = False) -> EhrWriter | None:
    """Return what a feed's EHR is written, None where nothing ever was decided."""
    own = select(EhrWriter).where(EhrWriter.feed_id == feed.id)
    return session.scalar(own.with_for_update() if locked else own)


def save(session: Session, feed: Feed, connection: FeedConnection, wanted: Wanted, actor: str) -> EhrWriter:
    """Decide what an EHR is written; what was kept back is looked at again. Raises MayNot."""
    _check(connection, wanted)
    row = of(session, feed, locked=True)
    if row is None:
        row = EhrWriter(
            clinic_id=feed.clinic_id, feed_id=feed.id, source=feed.source, state="on", failures=0,
            attempts=0, fence=0, created_at=clock.now(), try_after=clock.now(), kinds=[], forms=[], allows=[],
        )  # fmt: skip
        session.add(row)
    row.days_from = (row.days_from or clock.now()) if "day" in wanted.kinds else None
    row.kinds, row.forms, row.allows = sorted(wanted.kinds), sorted(wanted.forms), sorted(wanted.allows)
    part_two.label(session, feed.clinic_id, part_two.about("feed", feed.id), actor, on=wanted.feed_part_two)
    label = part_two.about("clinic", feed.clinic_id)
    part_two.label(session, feed.clinic_id, label, actor, on=wanted.clinic_part_two)
    _hurry(session, row)
    kept_back = update(EhrWrite).where(EhrWrite.feed_id == feed.id, EhrWrite.state.in_(DECIDED))
    session.execute(kept_back.values(state="waiting", try_after=clock.now(), refused=None, ended_at=None))
    decided = {"kinds": ",".join(row.kinds), "forms": ",".join(row.forms), "allows": ",".join(row.allows)}
    audit.record(session, feed.clinic_id, actor, "feeds.writing_decided", f"feed:{feed.name}", **decided)
    return row


def _check(connection: FeedConnection, wanted: Wanted) -> None:
    problems = {}
    if not set(wanted.kinds) <= set(CAN[connection.kind]):
        problems["kinds"] = "kinds"
    if not set(wanted.forms) <= set(TAKES[connection.kind]) or (
        "screen" in wanted.kinds and not set(wanted.forms) & set(contents.FORMS)
    ):
        problems["forms"] = "forms"
    if not set(wanted.allows) <= set(ALLOWS[connection.kind]):
        problems["allows"] = "allows"
    if problems:
        raise MayNot(problems)


def _hurry(session: Session, row: EhrWriter) -> None:
    """Write at once; what is under way is not written down, and looked for."""
    pausing.hurry(row)
    queue.ring(session, owing.LANE)


def pause(session: Session, row: EhrWriter, feed: Feed, actor: str) -> None:
    """Write nothing to an EHR until it is resumed; what it is owed waits."""
    if pausing.pause(row):
        audit.record(session, feed.clinic_id, actor, "feeds.writing_paused", f"feed:{feed.name}")


def resume(session: Session, row: EhrWriter, feed: Feed, actor: str) -> None:
    """Write again, what has come meanwhile as well."""
    if pausing.resume(row):
        queue.ring(session, owing.LANE)
        audit.record(session, feed.clinic_id, actor, "feeds.writing_resumed", f"feed:{feed.name}")
