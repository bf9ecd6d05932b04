"""The tasks that come of an outcome: what the clinic wants after it, and the next contact that was said with it."""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from config import clock
from messaging.inbox import items
from messaging.inbox.models import InboxItem
from messaging.models import Clinic, Patient, Staff
from messaging.team import task_templates, tasks
from messaging.team.models import Task, TaskTemplate


def after_outcome(
    session: Session, clinic: Clinic, staff: Staff, item: InboxItem, disposition: str, next_at: datetime | None = None
) -> list[InboxItem]:
    """Make the tasks that the clinic wants after this outcome, for whoever has said it: none of which the item has made
    one before that is still open. The next contact, where the item is acknowledged, is a task too: it comes back."""
    patient, source = session.get(Patient, item.patient_id) if item.patient_id else None, f"inbox_item:{item.id}"
    made = []
    if next_at is not None and item.acknowledged_at is not None:
        title = items.words()["tasks"]["next_contact"]
        wanted = tasks.Wanted(title, next_at, staff, None, patient, made="next_contact", source=source)
        made.append(tasks.make(session, clinic, staff, wanted))
    for template in task_templates.after(session, clinic.id, disposition):
        if _made_before(session, template, source):
            continue
        due = clock.now() + timedelta(hours=template.hours)
        wanted = tasks.Wanted(template.name, due, staff, None, patient, template.words, template, "rule", source)
        made.append(tasks.make(session, clinic, staff, wanted))
    return made


def _made_before(session: Session, template: TaskTemplate, source: str) -> bool:
    made = (
        select(Task.id)
        .join(InboxItem, InboxItem.id == Task.item_id)
        .where(
            Task.clinic_id == template.clinic_id,
            Task.template_id == template.id,
            Task.source == source,
            InboxItem.state != "done",
        )
    )
    return session.scalar(made.limit(1)) is not None
