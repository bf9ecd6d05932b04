"""Keeping a draft from a form: each mistake at its field, and of two people who write at once the second sees the first."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import flash
from sqlalchemy.orm import Session

from messaging.editions import differences, publishing
from messaging.models import Clinic
from web import editions, words


@dataclass(frozen=True)
class Sheet:
    """A form as it is shown: what stands in it, what is wrong where, which edit of the draft it was made from.

    `rival` is how the draft that somebody else has written meanwhile differs from what was typed; None if nobody has.
    """

    raw: Mapping[str, Any]
    edit: int
    problems: Mapping[str, str] = field(default_factory=dict)
    rival: list[differences.Difference] | None = None

    @property
    def code(self) -> int:
        """The status of the answer that shows it."""
        return 409 if self.rival is not None else 422 if self.problems else 200


def fresh(session: Session, clinic: Clinic, kind: publishing.Kind) -> Sheet:
    """Return the form as it stands: the open draft, else what is in force."""
    draft = publishing.draft(session, clinic.id, kind.name)
    return Sheet(draft.definition if draft else kind.present(session, clinic), draft.edit if draft else 0)


def keep(session: Session, clinic: Clinic, kind: publishing.Kind, raw: Mapping[str, Any]) -> Sheet | None:
    """Keep what was typed as the draft and return None, or return the form with what stands in its way."""
    edit = editions.edit_of_form()
    try:
        publishing.save(session, clinic, kind, raw, edit=edit, actor=editions.actor())
    except publishing.Refused as wrong:
        return Sheet(raw, edit, {one.field: one.message for one in reversed(wrong.problems)})
    except publishing.Overtaken as overtaken:
        theirs = overtaken.theirs
        there = theirs.definition if theirs else kind.present(session, clinic)
        return Sheet(raw, theirs.edit if theirs else 0, rival=differences.between(there, kind.read(raw)))
    flash(words.say("notices", "draft_saved"))
    return None
