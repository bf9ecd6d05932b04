"""Saved replies: what is written often, in each language, with places that are filled for one patient."""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from config import audit, clock
from messaging.models import Clinic, SavedReply, Staff
from messaging.wording import proofreading, text_templates
from messaging.wording.text_templates import Problem

LONGEST_NAME, LONGEST_TEXT = 80, 1600
# A link is sent from the case, where it is known whose it is and which questions it opens; codes belong to reminders.
PLACES = ("first_name", "clinic", "clinic_phone", "care_team", "day", "time", "date", "place")


class NotSaved(ValueError):
    """It was not saved: `reason` is a key of refusals ("saved_name", "saved_text", "saved_problem")."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def listing(session: Session, clinic: Clinic, staff: Staff, *, limit: int = 200) -> list[SavedReply]:
    """Return the clinic's replies and `staff`'s own that are not retired, by name."""
    replies = select(SavedReply).where(
        SavedReply.clinic_id == clinic.id,
        or_(SavedReply.staff_id.is_(None), SavedReply.staff_id == staff.id),
        SavedReply.retired_at.is_(None),
    )
    listed = session.scalars(replies).all()  # names are sealed, so that they are put in order here
    return sorted(listed, key=lambda reply: (reply.name or "", reply.id))[:limit]


def one(session: Session, clinic: Clinic, staff: Staff, reply_id: UUID) -> SavedReply | None:
    """Return a reply that `staff` may use: the clinic's or their own."""
    reply = session.get(SavedReply, reply_id)
    ours = reply is not None and reply.clinic_id == clinic.id
    return reply if ours and reply is not None and reply.staff_id in (None, staff.id) else None


def fill(template: str, values: Mapping[str, str]) -> str:
    """Fill the places of a reply that have a value; the others stay as they are, and proofing finds them."""
    return text_templates.fill(template, {name: value for name, value in values.items() if value})


def problems(text: str) -> list[Problem]:
    """Find what a reply may not carry whoever gets it: see proofing.proof, but places of ours are no gaps."""
    problems_of_text = [problem for problem in proofreading.proof(text) if problem.rule != "gap"]
    problems_of_text += proofreading.strange_places(text, PLACES, "is not a place that is filled")
    return sorted(problems_of_text, key=lambda problem: problem.start)


def save(
    session: Session,
    clinic: Clinic,
    staff: Staff,
    *,
    name: str,
    texts: Mapping[str, str],
    reply: SavedReply | None = None,
    own: bool = False,
) -> SavedReply:
    """Save a new reply or change one; `own` makes it `staff`'s alone. Raises NotSaved."""
    name, kept = name.strip(), _checked(name, texts)
    if reply is None:
        reply = SavedReply(clinic_id=clinic.id, key_id=clinic.key_id, staff_id=staff.id if own else None)
        session.add(reply)
    reply.name, reply.texts = name, kept
    reply.updated_by, reply.updated_at = staff.id, clock.now()
    session.flush()
    about = f"saved_reply:{reply.id}"
    audit.record(session, clinic.id, audit.Actor.staff(staff.id), "saved_reply.saved", about, own=own)
    return reply


def _checked(name: str, texts: Mapping[str, str]) -> dict[str, str]:
    kept = {
        language: proofreading.tidy(text)
        for language, text in texts.items()
        if language in text_templates.LANGUAGES and proofreading.tidy(text)
    }
    if not name.strip() or len(name) > LONGEST_NAME:
        raise NotSaved("saved_name")
    if not kept or any(len(text) > LONGEST_TEXT for text in kept.values()):
        raise NotSaved("saved_text")
    if any(problems(text) for text in kept.values()):
        raise NotSaved("saved_problem")
    return kept


def retire(session: Session, staff: Staff, reply: SavedReply, *, back: bool = False) -> None:
    """Take a reply out of use, or `back` into it. It is never deleted: whoever looks back finds it."""
    reply.retired_at = None if back else clock.now()
    reply.updated_by, reply.updated_at = staff.id, clock.now()
    act = "saved_reply.brought_back" if back else "saved_reply.retired"
    audit.record(session, reply.clinic_id, audit.Actor.staff(staff.id), act, f"saved_reply:{reply.id}")


@cache
def defaults() -> Mapping[str, Mapping[str, str]]:
    """Return the replies a clinic may begin with: by key, each with its name and its words by language."""
    data = resources.files("messaging").joinpath("texts", "saved_replies.toml").read_text(encoding="utf-8")
    return tomllib.loads(data)


def add_defaults(session: Session, clinic: Clinic, staff: Staff) -> int:
    """Give the clinic those of the defaults whose name it does not have yet, retired or not; return how many."""
    ours = select(SavedReply).where(SavedReply.clinic_id == clinic.id, SavedReply.staff_id.is_(None))
    names = {reply.name for reply in session.scalars(ours)}
    missing = [default for default in defaults().values() if default["name"] not in names]
    for default in missing:
        texts = {language: default[language] for language in text_templates.LANGUAGES}
        save(session, clinic, staff, name=default["name"], texts=texts)
    return len(missing)
