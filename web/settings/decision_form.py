"""A decision's page: shown from its draft, kept as a draft.

Each mistake stands at its field, and of two people who write at once the second sees both versions.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import flash, redirect, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from config import db
from messaging.models import Clinic
from messaging.versions import field_labels, publishing
from messaging.versions.models import Version
from web import layout, sessions, words
from web.settings import decision_pages


@dataclass(frozen=True)
class Sheet:
    """A form as it is shown: what stands in it, what is wrong with it, which edit of the draft it was made from.

    `listed` is what kept it from being saved, field by field in words. `rival` is how the draft that somebody else has
    written meanwhile differs from what was typed, and `by` whose draft that is; None if nobody has.
    """

    raw: Mapping[str, Any]
    edit: int
    wrong: Sequence[publishing.Problem] = ()
    listed: Sequence[tuple[str, str]] = ()
    rival: list[field_labels.Change] | None = None
    by: str | None = None

    @property
    def problems(self) -> dict[str, str]:
        """What is wrong by its field."""
        by_field: dict[str, str] = {}
        for problem in self.wrong:
            by_field.setdefault(problem.field, problem.message)
        return by_field

    @property
    def code(self) -> int:
        """The status of the answer that shows it."""
        return 409 if self.rival is not None else 422 if self.listed else 200


Page = Callable[[Session, Clinic, Sheet], str]


def show(kind: publishing.Kind, page: Page) -> str:
    """Answer with the page of a decision as it stands."""
    with db.unit_of_work(sessions.clinic().id, read_only=True) as session:
        clinic = session.get_one(Clinic, sessions.clinic().id)
        return page(session, clinic, fresh(session, clinic, kind))


def save(kind: publishing.Kind, page: Page, raw: Mapping[str, Any]) -> Response | tuple[str, int]:
    """Keep what was typed as the draft, by which nothing is in force, or answer with what stands in its way."""
    with db.unit_of_work(sessions.clinic().id) as session:
        clinic = session.get_one(Clinic, sessions.clinic().id)
        sheet = keep(session, clinic, kind, raw)
        if sheet is not None:
            return page(session, clinic, sheet), sheet.code
    return kept(kind)


def kept(kind: publishing.Kind) -> Response:
    """Say that the draft is kept, and lead back to the page it was written on."""
    flash(words.say("notices", "draft_saved"), "done")
    return redirect(url_for(decision_pages.EDITORS[kind.name]), 303)


def fresh(session: Session, clinic: Clinic, kind: publishing.Kind) -> Sheet:
    """Return the form as it stands: the open draft, else what is in force."""
    return Sheet(*standing(session, clinic, kind))


def standing(session: Session, clinic: Clinic, kind: publishing.Kind) -> tuple[publishing.Definition, int]:
    """Return the definition of the open draft, else of what is in force, and the edit of the draft."""
    draft = publishing.draft(session, clinic.id, kind.name)
    return (draft.definition, draft.edit) if draft else (kind.present(session, clinic), 0)


def keep(session: Session, clinic: Clinic, kind: publishing.Kind, raw: Mapping[str, Any]) -> Sheet | None:
    """Keep what was typed as the draft and return None, or return the form with what stands in its way."""
    edit = decision_pages.edit_of_form()
    try:
        publishing.save(session, clinic, kind, raw, edit=edit, actor=layout.the_actor())
    except publishing.Refused as wrong:
        listed = decision_pages.at_fields(session, clinic, kind, wrong.problems, raw)
        return Sheet(raw, edit, wrong.problems, listed)
    except publishing.Overtaken as overtaken:
        return _overtaken(session, clinic, kind, raw, overtaken.theirs)
    return None


def _overtaken(
    session: Session, clinic: Clinic, kind: publishing.Kind, raw: Mapping[str, Any], theirs: Version | None
) -> Sheet:
    """What was typed stays in the form, beside what differs; saving again puts it over theirs knowingly."""
    there, edit = standing(session, clinic, kind)
    differ = decision_pages.changes(session, clinic, kind, there, kind.read(raw))
    return Sheet(raw, edit, rival=differ, by=decision_pages.told(session, clinic, theirs) if theirs else None)
