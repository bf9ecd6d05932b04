"""Free texts that are older than the clinic keeps words are emptied; that somebody answered, and their marks, stay."""

from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from caseload.models import Episode, SatisfactionAsked
from config import db, keys
from messaging.models import Clinic
from messaging.retention import what_ages


def words(session: Session, clinic: Clinic, terms: what_ages.Terms, after: UUID) -> what_ages.Batch:
    """Empty the next batch of free texts; not of a child, under legal hold, or while somebody is still dealing with
    them."""
    row = SatisfactionAsked
    old = (
        select(row, Episode.patient_id)
        .join(Episode, Episode.id == row.episode_id)
        .where(
            row.clinic_id == clinic.id,
            row.id > after,
            row.id < db.first_id(terms.before),
            row.answered_at < terms.before,
            func.length(row.words_ct) > keys.NOTHING,
            what_ages.has_key(row),
        )
    )
    found = session.execute(old.order_by(row.id).limit(what_ages.BATCH)).all()
    asked = [each for each, _ in found]
    whose = {each.id: patient_id for each, patient_id in found}
    stays = what_ages.kept_longer(session, terms, set(whose.values()))
    waits = what_ages.waited_for(session, clinic, asked)
    over = [each for each in asked if each.id not in waits and whose[each.id] not in stays]
    db.load_keys(session, (each.key_id for each in over))
    for each in over:
        each.words_ct, each.spoke = None, False
    return what_ages.Batch(asked[-1].id if asked else after, len(over), len(asked) == what_ages.BATCH)
