"""What happened at a clinic, for its programs: one list, read page by page (api.events) or brought to them by webhooks.

It is the audit log, sealed line by line in the order of commit: a line stands in the transaction of what it tells of,
and none is ever put in before one that was sealed.
"""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from config.audit import AuditEntry, AuditHead

# What a program can read by its id; acts about people's accounts and the clinic's decisions are none of its business.
KINDS = ("appointment", "patient", "handoff", "intake_link", "message", "screen", "inbox_item", "task", "care_episode")


def after(
    session: Session, clinic_id: UUID, seq: int, *, kinds: Collection[str] = KINDS, limit: int
) -> Sequence[AuditEntry]:
    """Return up to `limit` sealed lines about things of these kinds that come after the line `seq`, in order."""
    wanted = select(AuditEntry).where(
        AuditEntry.clinic_id == clinic_id,
        AuditEntry.seq > seq,
        or_(*(AuditEntry.about.startswith(f"{kind}:") for kind in kinds)),
        AuditEntry.act.not_like("api.%"),
    )
    return session.scalars(wanted.order_by(AuditEntry.seq).limit(limit)).all()


def newest(session: Session, clinic_id: UUID) -> int:
    """Return the sequence number of the newest sealed line, 0 where there is none."""
    head = session.get(AuditHead, clinic_id, populate_existing=True)
    return head.seq if head is not None else 0
