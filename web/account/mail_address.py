"""E-mail to whoever asks for it: they ask, prove by a link that they read the address, and may stop it at any time."""

from dataclasses import dataclass
from datetime import timedelta

from flask import flash, redirect, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from config import clock, db
from messaging.inbox import digests
from messaging.mail import addresses, spool
from messaging.models import Staff
from web import layout, permissions, sessions, times, words

mails = layout.room("mails", __name__)
DROPPED_WITHIN = timedelta(days=7)


@dataclass(frozen=True)
class Status:
    """How it stands with the reader's e-mail: none (no mail server) | off | asked | on | refused.

    `asked` is when a link was mailed; `troubles` are sentences on what the mail server did not take.
    """

    state: str
    address: str
    asked: str
    troubles: list[str]


def status(session: Session, staff: Staff) -> Status:
    """Return how it stands with this colleague's e-mail."""
    if not spool.can_mail():
        return Status("none", staff.email, "", [])
    now, zone, address = clock.now(), sessions.clinic().zone, addresses.of(session, staff)
    if address is None:
        return Status("off", staff.email, "", [])
    asked = times.moment(address.asked_at, now, zone, running=True)
    state = "refused" if address.fault else "on" if address.confirmed_at else "asked"
    return Status(state, staff.email, asked, _troubles(session, staff))


def _troubles(session: Session, staff: Staff) -> list[str]:
    now, zone, troubles = clock.now(), sessions.clinic().zone, []
    count, since = addresses.waiting(session, staff)
    if since is not None:
        when = times.moment(since, now, zone, running=True)
        troubles.append(words.say("mail", "waits" if count == 1 else "wait", count=count, when=when))
    count, last = addresses.dropped(session, staff, now - DROPPED_WITHIN)
    if last is not None:
        when = times.moment(last, now, zone, running=True)
        troubles.append(words.say("mail", "was_late" if count == 1 else "were_late", count=count, when=when))
    return troubles


@mails.post("/preferences/mail/ask")
@permissions.signed_in("self")
def ask() -> Response:
    """Mail the reader a link by which they confirm their address."""
    with db.unit_of_work(sessions.clinic().id) as session:
        asked = spool.can_mail() and addresses.ask(session, _me(session))
    flash(words.say("mail", "asked" if asked else "not_asked"), "message" if asked else "refused")
    return redirect(url_for("preferences.show", _anchor="mail"), 303)


@mails.post("/preferences/mail/stop")
@permissions.signed_in("self")
def stop() -> Response:
    """Mail the reader nothing any more."""
    with db.unit_of_work(sessions.clinic().id) as session:
        addresses.stop(session, _me(session))
    flash(words.say("mail", "stopped"))
    return redirect(url_for("preferences.show", _anchor="mail"), 303)


@mails.get("/preferences/mail/<token>")
@permissions.signed_in("self")
def look(token: str) -> str | tuple[str, int]:
    """Ask whether to confirm: a program that follows links confirms nothing."""
    with db.unit_of_work(sessions.clinic().id) as session:
        address = addresses.asked_by(session, layout.the_staff(), token)
        page = layout.page(session, "staff/mail.html", here="preferences", token=token, good=address is not None)
    return page if address is not None else (page, 410)


@mails.post("/preferences/mail/<token>")
@permissions.signed_in("self")
def confirm(token: str) -> Response:
    """Take in that the reader reads the address they sign in with."""
    clinic = sessions.clinic()
    with db.unit_of_work(clinic.id) as session:
        me = _me(session)
        address = addresses.asked_by(session, me, token)
        if address is not None:
            addresses.confirm(session, address, me, digests.next_due(clinic, me, clock.now()))
    flash(words.say("mail", "confirmed" if address else "dead"), "message" if address else "refused")
    return redirect(url_for("preferences.show", _anchor="mail"), 303)


def _me(session: Session) -> Staff:
    return session.get_one(Staff, layout.the_staff().id, with_for_update=True)
