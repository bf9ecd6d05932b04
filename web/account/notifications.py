"""What somebody is texted about at once, and what only waits in their list: each for themselves, safety excepted."""

from typing import Any

from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from config import audit
from messaging.inbox.staff import roster
from messaging.models import Staff
from web import layout, words

notices = layout.room("notices", __name__)


@notices.app_context_processor
def _facts() -> dict[str, Any]:
    return {"notices_of_mine": _mine, "named_to_patients": lambda: layout.the_staff().named_to_patients}


def _mine() -> list[tuple[str, str, bool]]:
    """Kind, its words, and whether I am texted: for those that may be chosen."""
    me = layout.the_staff()
    return [(kind, words.say("kinds", kind), roster.wants_text(me, kind)) for kind in roster.NOTIFIED]


def _remember_name(session: Session, me: Staff, chosen: list[str]) -> None:
    """Remember whether a text may give a patient my first name; nothing is said where the form does not ask."""
    if chosen not in (["on"], ["off"]) or me.named_to_patients == (chosen == ["on"]):
        return
    me.named_to_patients = chosen == ["on"]
    named = "yes" if me.named_to_patients else "no"
    audit.record(session, me.clinic_id, audit.Actor.staff(me.id), "staff.named", f"staff:{me.id}", named=named)


def remember(session: Session, form: MultiDict[str, str]) -> None:
    """Remember with the person what of `form` says whether they are texted: it holds in every browser."""
    chosen = {kind: form.getlist(kind)[-1] for kind in roster.NOTIFIED if kind in form}
    chosen = {kind: how for kind, how in chosen.items() if how in ("text", "inbox")}
    me = session.get_one(Staff, layout.the_staff().id, with_for_update=True)
    _remember_name(session, me, form.getlist("named")[-1:])
    if not chosen or {**me.notify, **chosen} == me.notify:
        return
    me.notify = {**me.notify, **chosen}
    audit.record(session, me.clinic_id, audit.Actor.staff(me.id), "staff.notices", f"staff:{me.id}", **me.notify)
