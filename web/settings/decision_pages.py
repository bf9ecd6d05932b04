"""What every decision of the clinic has in common on its pages: its draft, who agrees, publishing, what was before."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import abort, flash, redirect, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from config import audit, clock, db
from messaging import second_people
from messaging.models import Clinic
from messaging.versions import field_labels, publishing
from messaging.versions.models import Version
from reminders import decision_kinds
from web import layout, permissions, sessions, team, times, words

versions = layout.room("editions", __name__)
# The page each kind is changed on, which also shows what came of a post.
EDITORS: dict[str, str] = {}


class NoReason(Exception):
    """Nobody has said why, and this change needs a reason."""


@dataclass(frozen=True)
class Desk:
    """A decision as its page shows it: the live version, the draft with what it changes, and what stands in its way.

    `wrong` are the draft's problems, each by its field and in words; `silences` says in words what could silence an
    alert, so that a second person must agree; `agrees` whether the reader may be that person, `alone` that there is
    nobody else to ask, and `why_not` why one who is here too short a time does not count (a sentence, or ""). `reason`
    says whether publishing must have one.
    """

    kind: str
    live: Version | None
    draft: Version | None
    edit: int
    changes: list[field_labels.Change]
    problems: Sequence[publishing.Problem]
    wrong: list[tuple[str, str]]
    silences: list[str]
    agrees: bool
    alone: bool
    why_not: str
    reason: bool
    told: list[str]

    @property
    def editor(self) -> str:
        """The page it is changed on."""
        return EDITORS[self.kind]


def desk(session: Session, clinic: Clinic, kind: publishing.Kind) -> Desk:
    """Return how this decision stands now."""
    draft = publishing.draft(session, clinic.id, kind.name)
    in_force = publishing.live(session, clinic.id, kind.name)
    problems = kind.check(session, clinic, draft.definition) if draft else ()
    silences = publishing.silenced(session, clinic, kind, draft) if draft else []
    me = layout.the_actor()
    return Desk(
        kind=kind.name,
        live=in_force,
        draft=draft,
        edit=draft.edit if draft else 0,
        changes=changes(session, clinic, kind, kind.present(session, clinic), draft.definition) if draft else [],
        problems=problems,
        wrong=at_fields(session, clinic, kind, problems, draft.definition) if draft else [],
        silences=silences,
        agrees=draft is not None and publishing.agrees(session, draft, me),
        alone=not publishing.somebody_else(session, clinic, me),
        why_not=_why_not(session, draft),
        reason=draft is not None and publishing.wants_reason(session, clinic, kind, draft),
        told=[told(session, clinic, version) for version in (in_force, draft) if version is not None],
    )


def _why_not(session: Session, draft: Version | None) -> str:
    """Return why the reader's agreement, or somebody's question, does not count yet."""
    if draft is None or draft.state != "asked":
        return ""
    refusal = second_people.refusal(session, "decision", layout.the_actor(), draft.asked_by)
    return words.say("second_person", refusal) if refusal in ("new", "asker_new") else ""


def changes(
    session: Session,
    clinic: Clinic,
    kind: publishing.Kind,
    old: publishing.Definition,
    new: publishing.Definition,
) -> list[field_labels.Change]:
    """Return in the words of the clinic's lead what two definitions of one kind differ in."""
    return field_labels.changes(publishing.names(session, clinic, kind), old, new)


def spoken(
    session: Session,
    clinic: Clinic,
    kind: publishing.Kind,
    problems: Sequence[publishing.Problem],
    definition: Mapping[str, Any],
) -> list[str]:
    """Return each problem of a definition with its field as the clinic's lead would name it."""
    names = publishing.names(session, clinic, kind)
    fields = (field_labels.called(names, field_labels.path_of(problem.field, definition)) for problem in problems)
    return [": ".join(filter(None, (field, problem.message))) for field, problem in zip(fields, problems, strict=True)]


def at_fields(
    session: Session,
    clinic: Clinic,
    kind: publishing.Kind,
    problems: Sequence[publishing.Problem],
    definition: Mapping[str, Any],
) -> list[tuple[str, str]]:
    """Return the field of each problem of a definition, and the problem as `spoken`."""
    sentences = spoken(session, clinic, kind, problems, definition)
    return [(problem.field, sentence) for problem, sentence in zip(problems, sentences, strict=True)]


def edit_of_form() -> int:
    """Return the edit of the draft that the reader had before them; 400 where the form carries none."""
    try:
        return int(request.form["edit"])
    except (KeyError, ValueError):
        abort(400)


def told(session: Session, clinic: Clinic, version: Version) -> str:
    """Say of a version which it is, who made it so and when."""
    if version.number == 0:
        return words.say("editions", "beginning")
    by, at = version.published_by or version.written_by, version.published_at or version.written_at
    when = times.moment(at, clock.now(), clinic.zone)
    return words.say("editions", version.state, number=version.number, who=name_of(session, by), when=when)


def name_of(session: Session, who: str) -> str:
    """Return the name of who did it: a colleague's, or "operator"."""
    staff_id = audit.Actor(who).staff_id
    return team.names(session, [staff_id]).get(staff_id, who) if staff_id else words.say("editions", "operator")


@versions.get("/settings/history/<kind>")
@permissions.signed_in("clinic.look")
def history(kind: str) -> str:
    """Show everything that was ever published of one kind, and what two versions differ in."""
    decision = _kind(kind)
    with db.unit_of_work(sessions.clinic().id, read_only=True) as session:
        clinic = session.get_one(Clinic, sessions.clinic().id)
        versions = publishing.history(session, clinic.id, kind)
        chosen = request.args.get("number", type=int)
        old = next((version for version in versions if version.number == chosen), None)
        changed = changes(session, clinic, decision, old.definition, decision.present(session, clinic)) if old else []
        return layout.page(
            session,
            "staff/editions.html",
            here="ladder" if kind == "rules" else kind,
            kind=kind,
            editor=EDITORS.get(kind),
            found=[(version, told(session, clinic, version)) for version in versions],
            brings=decision.shipped is not None,
            chosen=old,
            changed=changed,
            edit=_edit(session, clinic, kind),
            edits=layout.may("clinic.settings"),
        )


@versions.post("/settings/draft/<kind>/<act>")
@permissions.signed_in("clinic.agree", fresh=True)
def move(kind: str, act: str) -> Response:
    """Ask for a second person, publish, take a draft back, or make a draft of what once was."""
    verbs = {"ask": _ask, "publish": _publish, "drop": _drop, "revert": _revert, "shipped": _shipped}
    if act not in verbs or (act != "publish" and not layout.may("clinic.settings")):
        abort(403)
    decision = _kind(kind)
    try:
        with db.unit_of_work(sessions.clinic().id) as session:
            clinic = session.get_one(Clinic, sessions.clinic().id)
            verbs[act](session, clinic, decision)
            notice, tone = words.say("editions", f"did_{act}"), "done"
    except publishing.Overtaken:
        notice, tone = words.say("editions", "overtaken"), "refused"
    except NoReason:
        notice, tone = words.say("editions", "needs_reason"), "refused"
    except publishing.NeedsSecond as needs:
        notice, tone = words.say("editions", "needs_second", why="; ".join(needs.why)), "refused"
    except publishing.Refused as wrong:
        notice, tone = (
            words.say("editions", "refused", why="; ".join(problem.message for problem in wrong.problems)),
            "refused",
        )
    flash(notice, tone)
    return redirect(url_for(EDITORS[kind]), 303)


def _ask(session: Session, clinic: Clinic, kind: publishing.Kind) -> None:
    draft = _the_draft(session, clinic, kind)
    publishing.ask(session, draft, layout.the_actor(), _why(session, clinic, kind, draft))


def _why(session: Session, clinic: Clinic, kind: publishing.Kind, draft: Version) -> str:
    """Return the reason that was typed, or the one given when a second person was asked. Raises NoReason."""
    why = request.form.get("why", "").strip() or draft.why or ""
    if not why and publishing.wants_reason(session, clinic, kind, draft):
        raise NoReason
    return why


def _publish(session: Session, clinic: Clinic, kind: publishing.Kind) -> None:
    draft = _the_draft(session, clinic, kind)
    # Who may not change settings may still be the second person, and nothing else.
    if not layout.may("clinic.settings") and (draft.state != "asked" or draft.asked_by == layout.the_actor()):
        abort(403)
    why = _why(session, clinic, kind, draft)
    publishing.publish(session, clinic, kind, edit=draft.edit, actor=layout.the_actor(), why=why)


def _drop(session: Session, clinic: Clinic, kind: publishing.Kind) -> None:
    publishing.drop(session, _the_draft(session, clinic, kind), layout.the_actor())


def _revert(session: Session, clinic: Clinic, kind: publishing.Kind) -> None:
    number = request.form.get("number", -1, type=int)
    try:
        publishing.revert(session, clinic, kind, number, edit=edit_of_form(), actor=layout.the_actor())
    except LookupError:
        abort(404)


def _shipped(session: Session, clinic: Clinic, kind: publishing.Kind) -> None:
    try:
        publishing.shipped(session, clinic, kind, edit=edit_of_form(), actor=layout.the_actor())
    except LookupError:
        abort(404)


def _the_draft(session: Session, clinic: Clinic, kind: publishing.Kind) -> Version:
    """The draft that the reader had before them. Raises Overtaken where it has moved on."""
    draft = publishing.draft(session, clinic.id, kind.name)
    if draft is None or draft.edit != edit_of_form():
        raise publishing.Overtaken(draft)
    return draft


def _edit(session: Session, clinic: Clinic, kind: str) -> int:
    draft = publishing.draft(session, clinic.id, kind)
    return draft.edit if draft else 0


def _kind(name: str) -> publishing.Kind:
    return decision_kinds.KINDS[name] if name in decision_kinds.KINDS else abort(404)
