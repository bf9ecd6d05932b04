"""Whom a form asks to look: chosen from its list, or named in its words with "@"."""

from flask import request
from sqlalchemy import select
from sqlalchemy.orm import Session

from messaging.models import Clinic, Staff
from messaging.team import readers
from web import ids, words


def of_form(session: Session, clinic: Clinic, typed: str) -> readers.Named:
    """Return whom the form asks to look, and which names behind an "@" are nobody's here."""
    colleagues = session.scalars(select(Staff).where(Staff.clinic_id == clinic.id, Staff.active)).all()
    chosen = {ids.uuid_of(each) for each in request.form.getlist("mention")}
    named = readers.named(typed, colleagues)
    people = [*(each for each in colleagues if each.id in chosen), *named.people]
    # Somebody may have left between the page and the press: that they were not asked is said.
    gone = select(Staff.name).where(Staff.clinic_id == clinic.id, Staff.id.in_(filter(None, chosen)), ~Staff.active)
    return readers.Named(list(dict.fromkeys(people)), [*session.scalars(gone), *named.unknown])


def refused(why: readers.MayNotSee) -> str:
    """Say who may not see a patient's thread, and who could be asked."""
    could, role = ", ".join(why.could) or words.say("team", "nobody"), words.say("roles", why.role).lower()
    return words.say("team_refusals", "may_not_see", who=why.name, role=role, could=could)


def unknown(named: readers.Named) -> str:
    """Say of which names nobody was found, empty where each was somebody's."""
    if not named.unknown:
        return ""
    names = ", ".join(f"“@{name}”" for name in named.unknown)
    return " " + words.say("team", "unknown_names", names=names)
