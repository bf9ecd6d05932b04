"""The tasks a clinic does often: written by it, offered in one press, and made by themselves after an outcome."""

import tomllib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from config import audit, clock
from messaging.inbox import dispositions
from messaging.models import Clinic, Staff
from messaging.team.models import TaskTemplate

LONGEST_NAME, LONGEST_WORDS, MOST_HOURS = 80, 1000, 24 * 365
# After which outcomes a task can make itself.
AFTER = (*(key for group in dispositions.GROUPS.values() for key in group),)


class NotSaved(ValueError):
    """It was not saved: `why` is template_name | template_words | template_hours | template_taken."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True)
class Facts:
    """What a clinic says of a template; `hours` as it was typed."""

    name: str
    words: str
    hours: str
    after: Collection[str] = ()


def listing(session: Session, clinic_id: UUID) -> list[TaskTemplate]:
    """Return the clinic's templates in use, by name."""
    rows = select(TaskTemplate).where(TaskTemplate.clinic_id == clinic_id, TaskTemplate.retired_at.is_(None))
    return list(session.scalars(rows.order_by(TaskTemplate.name, TaskTemplate.id)))


def find(session: Session, clinic_id: UUID, template_id: UUID | None) -> TaskTemplate | None:
    """Return the clinic's own template."""
    template = session.get(TaskTemplate, template_id) if template_id else None
    return template if template is not None and template.clinic_id == clinic_id else None


def after(session: Session, clinic_id: UUID, disposition: str) -> list[TaskTemplate]:
    """Return the templates that make a task after this outcome."""
    return [template for template in listing(session, clinic_id) if disposition in template.after]


def save(
    session: Session, clinic: Clinic, staff: Staff, facts: Facts, template: TaskTemplate | None = None
) -> TaskTemplate:
    """Save a new template or change one; tasks that were made from it stay as they are. Raises NotSaved."""
    values = _checked(session, clinic, facts, template)
    if template is None:
        template = TaskTemplate(clinic_id=clinic.id)
        session.add(template)
    for name, value in values.items():
        setattr(template, name, value)
    template.updated_by, template.updated_at = staff.id, clock.now()
    session.flush()
    _write_down(session, template, staff, "saved")
    return template


def _checked(session: Session, clinic: Clinic, facts: Facts, template: TaskTemplate | None) -> dict[str, Any]:
    name, words, hours = facts.name.strip(), facts.words.strip(), facts.hours.strip()
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise NotSaved("template_name")
    if len(words) > LONGEST_WORDS:
        raise NotSaved("template_words")
    if not hours.isascii() or not hours.isdigit() or not 1 <= int(hours[:6]) <= MOST_HOURS:
        raise NotSaved("template_hours")
    others = [each for each in listing(session, clinic.id) if template is None or each.id != template.id]
    if name.casefold() in (each.name.casefold() for each in others):
        raise NotSaved("template_taken")
    chosen = [key for key in AFTER if key in facts.after]
    return {"name": name, "words": words, "hours": int(hours), "after": chosen}


def retire(session: Session, staff: Staff, template: TaskTemplate, *, back: bool = False) -> None:
    """Take a template out of use, or `back` into it."""
    template.retired_at = None if back else clock.now()
    template.updated_by, template.updated_at = staff.id, clock.now()
    _write_down(session, template, staff, "brought_back" if back else "retired")


@cache
def defaults() -> Mapping[str, Mapping[str, Any]]:
    """Return the templates a clinic may begin with, by key."""
    return tomllib.loads((resources.files("messaging") / "texts" / "tasks.toml").read_text("utf-8"))


def missing(session: Session, clinic_id: UUID) -> Sequence[Mapping[str, Any]]:
    """Return those of the defaults whose name the clinic has never had."""
    names = set(session.scalars(select(TaskTemplate.name).where(TaskTemplate.clinic_id == clinic_id)))
    return [each for each in defaults().values() if each["name"] not in names]


def add_defaults(session: Session, clinic: Clinic, staff: Staff) -> None:
    """Give the clinic the defaults it has never had."""
    for each in missing(session, clinic.id):
        save(session, clinic, staff, Facts(each["name"], each["words"], str(each["hours"]), each.get("after", ())))


def _write_down(session: Session, template: TaskTemplate, staff: Staff, act: str) -> None:
    about = f"task_template:{template.id}"
    audit.record(session, template.clinic_id, audit.Actor.staff(staff.id), f"task_template.{act}", about)
