"""Saved replies, where they are written: the clinic's and one's own, in each language, checked at the word."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from flask import abort, flash, redirect, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from config import db
from messaging.models import SavedReply
from messaging.wording import saved_replies, text_templates
from web import ids, layout, permissions, sessions, words
from web.compose import fill_replies
from web.presenters import composer

savedreplies = layout.room("savedreplies", __name__)


@dataclass(frozen=True)
class Side:
    """One language of a reply as it is written: its words, what stops them, and how they look on a phone."""

    language: str
    language_words: str
    text: str
    proof: composer.Proof
    preview: fill_replies.Variant | None


@dataclass(frozen=True)
class Sheet:
    """The form of one reply, new if it has no id."""

    id: UUID | None
    name: str
    own: bool
    sides: list[Side]
    problem: str | None = None


@savedreplies.get("/saved-replies")
@permissions.signed_in("replies.save")
def show() -> str:
    """List what there is, with the form for a new one."""
    with db.unit_of_work(sessions.clinic().id, read_only=True) as session:
        return _page(session, None)


@savedreplies.get("/saved-replies/<uuid:reply_id>")
@permissions.signed_in("replies.save")
def edit(reply_id: UUID) -> str:
    """Show one reply in its form."""
    with db.unit_of_work(sessions.clinic().id, read_only=True) as session:
        reply = _mine(session, reply_id)
        return _page(session, _sheet(reply.name or "", reply.texts, reply.staff_id is not None, reply.id))


@savedreplies.post("/saved-replies")
@permissions.signed_in("replies.save")
def save() -> Response | tuple[str, int]:
    """Save a reply, new or changed; with `look` only show how it reads."""
    form = request.form
    texts = {language: form.get(f"text_{language}", "") for language in text_templates.LANGUAGES}
    reply_id, name = ids.uuid_of(form.get("reply")), form.get("name", "")
    own = "own" in form and layout.may("inbox.text")
    with db.unit_of_work(sessions.clinic().id) as session:
        reply = _mine(session, reply_id) if reply_id else None
        if "look" in form:
            return _page(session, _sheet(name, texts, own, reply_id)), 200
        try:
            clinic, staff = sessions.clinic(), layout.the_staff()
            saved_replies.save(session, clinic, staff, name=name, texts=texts, reply=reply, own=own)
        except saved_replies.NotSaved as why:
            problem = words.say("refusals", why.reason)
            return _page(session, _sheet(name, texts, own, reply_id, problem)), 422
    flash(words.say("notices", "reply_saved"))
    return redirect(url_for("savedreplies.show"), 303)


@savedreplies.post("/saved-replies/<uuid:reply_id>/retire")
@permissions.signed_in("replies.save")
def retire(reply_id: UUID) -> Response:
    """Take a reply out of use, or bring it back (back=1)."""
    back = "back" in request.form
    with db.unit_of_work(sessions.clinic().id) as session:
        saved_replies.retire(session, layout.the_staff(), _mine(session, reply_id), back=back)
    flash(words.say("notices", "reply_back" if back else "reply_retired"))
    return redirect(url_for("savedreplies.show", retired=None if back else reply_id), 303)


@savedreplies.post("/saved-replies/defaults")
@permissions.signed_in("replies.save")
def add_defaults() -> Response:
    """Give the clinic the replies that most clinics write."""
    with db.unit_of_work(sessions.clinic().id) as session:
        saved_replies.add_defaults(session, sessions.clinic(), layout.the_staff())
    flash(words.say("notices", "defaults_added"))
    return redirect(url_for("savedreplies.show"), 303)


def _mine(session: Session, reply_id: UUID) -> SavedReply:
    reply = saved_replies.one(session, sessions.clinic(), layout.the_staff(), reply_id)
    if reply is None:
        abort(404)
    return reply


def _sheet(
    name: str,
    texts: Mapping[str, str],
    own: bool,
    reply_id: UUID | None = None,
    problem: str | None = None,
) -> Sheet:
    return Sheet(
        reply_id,
        name,
        own,
        [_side(texts.get(language, ""), language) for language in text_templates.LANGUAGES],
        problem,
    )


def _side(text: str, language: str) -> Side:
    proof = composer.marked(text, saved_replies.problems)
    values = fill_replies.sample(sessions.clinic(), language)
    preview = fill_replies.variant(text, language, values) if text.strip() and not proof.flags else None
    return Side(language, words.say("languages", language), text, proof, preview)


def _page(session: Session, sheet: Sheet | None) -> str:
    clinic, staff = sessions.clinic(), layout.the_staff()
    listed = saved_replies.listing(session, clinic, staff)
    retired = ids.uuid_of(request.args.get("retired"))
    names = {each["name"] for each in saved_replies.defaults().values()}
    return layout.page(
        session,
        "staff/saved_replies.html",
        here="saved_replies",
        sheet=sheet or _sheet("", {}, own=False),
        listed=[
            (reply, [_side(reply.texts.get(language, ""), language) for language in reply.texts]) for reply in listed
        ],
        missing=len(names - {reply.name for reply in listed if reply.staff_id is None}),
        retired=_mine(session, retired) if retired else None,
        places=[(name, words.say("places", name)) for name in saved_replies.PLACES],
        may_own=layout.may("inbox.text"),
    )
