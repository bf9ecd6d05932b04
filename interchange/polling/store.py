"""What was read of each resource, and what of it is told: a visit that stands as it stood is told once."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from config import clock, db
from interchange import feeds
from interchange.fhir import encounters, reading
from interchange.fhir.values import Resource, text
from interchange.models import Feed, FeedNotice, FeedSeen
from interchange.polling import answers
from interchange.polling.pacing import Slice
from interchange.polling.slices import Beside, Found
from interchange.problems import Problem, Problems
from messaging.models import Clinic

# How long what was read of a patient counts, where no visit of theirs changes.
PATIENT_DAYS = timedelta(days=1)
FORGOTTEN = {"visits": timedelta(days=3), "patients": timedelta(days=90), "notices": timedelta(days=30)}
RESTRICTED = "restricted"


def known(clinic_id: UUID, feed_id: UUID, names: Collection[str]) -> dict[str, tuple[str, datetime]]:
    """Return of these resources, by name, the digest of what was last read and when that was."""
    with db.unit_of_work(clinic_id, read_only=True) as session:
        return _known(session, session.get_one(Feed, feed_id), names)


def changed(clinic_id: UUID, feed_id: UUID, read: Mapping[str, Resource]) -> set[str]:
    """Return the names of those resources that are not as they were last read."""
    with db.unit_of_work(clinic_id, read_only=True) as session:
        feed = session.get_one(Feed, feed_id)
        key, before = feeds.digest_key(session, feed.key_id), _known(session, feed, read)
    return {name for name, resource in read.items()
            if before.get(name, ("",))[0] != feeds.keyed(key, answers.digest(resource))}  # fmt: skip


def _known(session: Session, feed: Feed, names: Collection[str]) -> dict[str, tuple[str, datetime]]:
    key = feeds.digest_key(session, feed.key_id)
    hashes = {feeds.keyed(key, feeds.digest(name)): name for name in names}
    rows = select(FeedSeen.resource, FeedSeen.digest, FeedSeen.seen_at).where(FeedSeen.feed_id == feed.id)
    found = session.execute(rows.where(FeedSeen.resource.in_(hashes))).all() if hashes else []
    return {hashes[resource]: (digest, seen_at) for resource, digest, seen_at in found}


def expected(clinic_id: UUID, feed_id: UUID, asked: Slice) -> set[str]:
    """Return the names of the visits that were in this slice when it was last read."""
    begins = (FeedSeen.starts_at >= asked.start, FeedSeen.starts_at < asked.end)
    rows = select(FeedSeen.number).where(FeedSeen.feed_id == feed_id, FeedSeen.number != "", *begins)
    with db.unit_of_work(clinic_id, read_only=True) as session:
        return set(session.scalars(rows))


def tell(session: Session, clinic: Clinic, feed: Feed, found: Found, began: datetime) -> bool:
    """Keep what was read of a visit by the way of whatever a feed says; False where it stands as it stood."""
    said = found.visit.resource if found.visit else found.gone or found.beside[0][1]
    starts_at = found.visit.starts_at if found.visit else None
    row = _changed(session, feed, found.name, answers.digest(said), number=found.name, starts_at=starts_at)
    _note_patients(session, feed, found.beside, found.visit.patient if found.visit else "")
    if row is None:
        return False
    for reference, merged in [each for each in found.beside if _is_merged(each[1])]:
        _keep(session, clinic, feed, merged, f"{reference}#merged", "Patient", began, [])
    own = [each for each in found.beside if not _is_merged(each[1])]
    resource = answers.told(found.visit.resource, own) if found.visit else said
    problems = [Problem("visit_vanished", "")] if found.gone is not None else []
    return _keep(session, clinic, feed, resource, f"{found.name}#{row.times}", "Appointment", began, problems)


def tell_patient(session: Session, clinic: Clinic, feed: Feed, reference: str, beside: Beside, began: datetime) -> bool:
    """Keep what was read of a patient; False where they stand as they stood."""
    row = _changed(session, feed, reference, _digest_of(beside))
    if row is None or not beside or text(beside[0][1], "resourceType") != "Patient":
        return False
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": beside[0][1]}]}
    return _keep(session, clinic, feed, bundle, f"{reference}#{row.times}", "Patient", began, [])


def tell_encounter(
    session: Session, clinic: Clinic, feed: Feed, encounter: Resource, person: Resource, began: datetime
) -> bool:
    """Keep an encounter that is of an emergency department or a stay; False where it is neither, or stands as it
    stood."""
    if not encounters.says_something(encounter, feeds.profile_of(feed.profile, clinic.zone)):
        return False
    name = f"Encounter/{text(encounter, 'id')}"
    row = _changed(session, feed, name, answers.digest(encounter))
    if row is None:
        return False
    bundle = answers.told(encounter, [(f"Patient/{text(person, 'id')}", person)])
    return _keep(session, clinic, feed, bundle, f"{name}#{row.times}", "Encounter", began, [])


def _keep(
    session: Session, clinic: Clinic, feed: Feed, resource: Resource, control_id: str, kind: str, began: datetime,
    problems: Sequence[Problem],
) -> bool:  # fmt: skip
    read = reading.read(resource, feeds.profile_of(feed.profile, clinic.zone))
    raw = json.dumps(resource, sort_keys=True)
    said = feeds.Said(raw, "", control_id, kind, began, feeds.tell_scores(read.acts))
    refusing: Iterable[Problem] = [] if read.taken or problems else read.problems
    return feeds.keep(session, clinic, feed, said, Problems([*problems, *refusing]))


def _is_merged(resource: Resource) -> bool:
    """Whether this says no more than that a record was replaced; beside a visit it would be taken for its patient."""
    return text(resource, "resourceType") == "Patient" and "link" in resource and resource.get("active") is False


def _digest_of(beside: Beside) -> str:
    """A hash of a patient; of one that is restricted a word, so that nobody asks again by themselves."""
    if beside and text(beside[0][1], "resourceType") == "Patient":
        return answers.digest([each for _, each in beside])
    return RESTRICTED


def _note_patients(session: Session, feed: Feed, beside: Beside, reference: str) -> None:
    if reference and beside:
        _changed(session, feed, reference, _digest_of(beside))


def _changed(
    session: Session, feed: Feed, name: str, digest: str, number: str = "", starts_at: datetime | None = None
) -> FeedSeen | None:
    """What is known of a resource from now on; None where nothing of it is new."""
    now, key = clock.now(), feeds.digest_key(session, feed.key_id)
    resource = feeds.keyed(key, feeds.digest(name))
    digest = digest if digest == RESTRICTED else feeds.keyed(key, digest)
    own = select(FeedSeen).where(FeedSeen.feed_id == feed.id, FeedSeen.resource == resource)
    row = session.scalar(own.with_for_update())
    if row is None:
        facts = {"feed_id": feed.id, "resource": resource, "number": number[:80], "digest": digest}
        row = FeedSeen(clinic_id=feed.clinic_id, **facts, times=1, starts_at=starts_at, seen_at=now)
        session.add(row)
        session.flush()
        return row
    row.seen_at, row.starts_at = now, starts_at
    if row.digest == digest:
        return None
    row.digest, row.times = digest, row.times + 1
    return row


def forget(session: Session, feed: Feed) -> None:
    """Forget what nobody will be asked about again."""
    now = clock.now()
    own = FeedSeen.feed_id == feed.id
    session.execute(delete(FeedSeen).where(own, FeedSeen.starts_at < now - FORGOTTEN["visits"]))
    session.execute(
        delete(FeedSeen).where(own, FeedSeen.starts_at.is_(None), FeedSeen.seen_at < now - FORGOTTEN["patients"])
    )
    done = FeedNotice.feed_id == feed.id, FeedNotice.done_at < now - FORGOTTEN["notices"]
    session.execute(delete(FeedNotice).where(*done))
