"""Mentions: a note that asks a colleague to look opens an item for them, and says when it was read."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from config import audit, clock
from messaging.inbox import dispositions, items
from messaging.inbox.models import Contact, InboxItem
from messaging.models import Clinic, Staff
from messaging.team import asking
from messaging.team.models import Mention

READ, ANSWERED = dispositions.OF_TEAM["mention"]


def ask(session: Session, clinic: Clinic, contact: Contact, author: Staff, people: Iterable[Staff]) -> None:
    """Ask each of `people`, once, to look at a note; nobody asks themselves."""
    known = {author.id, *(mention.staff_id for mention in of_contacts(session, [contact.id])[contact.id])}
    for each in people:
        if each.id not in known:
            _ask(session, clinic, contact, author, each)
            known.add(each.id)


def _ask(session: Session, clinic: Clinic, contact: Contact, author: Staff, whom: Staff) -> None:
    item = asking.open_for(
        session,
        clinic,
        whom,
        kind="mention",
        about=f"contact:{contact.id}",
        dedupe=f"mention:{contact.id}:{whom.id}",
        summary=items.words()["summaries"]["mentioned"].format(who=author.name),
        patient_id=contact.patient_id,
    )
    session.flush()
    mention = Mention(clinic_id=clinic.id, contact_id=contact.id, staff_id=whom.id, item_id=item.id, at=clock.now())
    session.add(mention)
    session.flush()
    actor = audit.Actor.staff(author.id)
    audit.record(session, clinic.id, actor, "mention.made", f"contact:{contact.id}", whom=str(whom.id))


def of_contacts(session: Session, contact_ids: Collection[UUID]) -> dict[UUID, list[Mention]]:
    """Return who was asked to look at each of these notes, in the order of asking."""
    by_contact: dict[UUID, list[Mention]] = defaultdict(list)
    if contact_ids:
        rows = select(Mention).where(Mention.contact_id.in_(contact_ids)).order_by(Mention.at, Mention.id)
        for mention in session.scalars(rows):
            by_contact[mention.contact_id].append(mention)
    return by_contact


def of_item(session: Session, item: InboxItem) -> Mention | None:
    """Return the mention an item is about."""
    return session.scalar(select(Mention).where(Mention.item_id == item.id))


def read(session: Session, staff: Staff, patient_id: UUID | None) -> list[UUID]:
    """Write down that `staff` has the thread of a patient before their eyes: what asks them there is read.

    Return the items of what they had not read before.
    """
    if patient_id is None:
        return []
    asked = (
        select(Mention)
        .join(InboxItem, InboxItem.id == Mention.item_id)
        .where(
            InboxItem.patient_id == patient_id,
            Mention.read_at.is_(None),
            or_(Mention.staff_id == staff.id, InboxItem.owner_id == staff.id),
        )
    )
    unread = list(session.scalars(asked))
    for mention in unread:
        mention.read_at, mention.read_by = clock.now(), staff.id
        about, actor = f"contact:{mention.contact_id}", audit.Actor.staff(staff.id)
        audit.record(session, staff.clinic_id, actor, "mention.read", about)
    return [mention.item_id for mention in unread]


def answer(session: Session, staff: Staff, contact_ids: Collection[UUID]) -> None:
    """Close what asked `staff` to look at these notes: they have answered them."""
    _close(session, staff, contact_ids, ANSWERED, InboxItem.owner_id == staff.id)


def close(session: Session, staff: Staff, item: InboxItem) -> None:
    """Close a mention because `staff`, who has it, has looked; somebody else closes it in their own name."""
    mention = of_item(session, item)
    if mention is not None and mention.read_at is None:
        mention.read_at, mention.read_by = clock.now(), staff.id
    items.resolve(session, item, staff, READ)


def withdraw(session: Session, staff: Staff, contact_id: UUID) -> None:
    """Close everything that asks to look at a note which its author has struck."""
    _close(session, staff, [contact_id], dispositions.WITHDRAWN)


def _close(
    session: Session,
    staff: Staff,
    contact_ids: Collection[UUID],
    disposition: str,
    *where: ColumnElement[bool],
) -> None:
    open_ones = select(InboxItem).where(
        InboxItem.clinic_id == staff.clinic_id,
        InboxItem.about.in_([f"contact:{contact_id}" for contact_id in contact_ids]),
        InboxItem.kind == "mention",
        InboxItem.state != "done",
        *where,
    )
    for item in session.scalars(open_ones.with_for_update()).all():
        items.resolve(session, item, staff, disposition)
