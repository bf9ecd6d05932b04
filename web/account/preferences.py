"""What each reader prefers: how lists look in this browser, whether single keys act, how they hear of what."""

from flask import flash, redirect, request, url_for
from werkzeug.wrappers import Response

from config import db, devices, runtime
from messaging.inbox import views
from web import layout, permissions, sessions, words
from web.account import duty_feed, entering, mail_address, notifications

preferences = layout.room("preferences", __name__)
# The first of each is how it is until somebody chooses. `names` is for desks that others can see.
CHOICES = {
    "density": ("comfortable", "compact"),
    "keys": ("on", "off"),
    "names": ("full", "initials", "hidden"),
    "sort": views.SORTS,
    "start": ("today", "inbox"),
}
A_YEAR = 365 * 24 * 3600


@preferences.get("/preferences")
@permissions.signed_in("self")
def show() -> str:
    """Show the keys and the switches."""
    with db.unit_of_work(sessions.clinic().id, read_only=True) as session:
        me = layout.the_staff()
        return layout.page(
            session,
            "staff/preferences.html",
            here="preferences",
            chosen=chosen,
            mail=mail_address.status(session, me),
            feed=duty_feed.status(session, me),
            has_hours=bool(me.hours),
        )


@preferences.post("/preferences")
@permissions.signed_in("self")
def save() -> Response:
    """Remember the choices: how they hear of what with the person, the rest in this browser; the others stay."""
    with db.unit_of_work(sessions.clinic().id) as session:
        notifications.remember(session, request.form)
    onward = request.form.get("next")
    response = redirect(entering.safe_next(onward) if onward else url_for("preferences.show"), 303)
    for name, allowed in CHOICES.items():
        # A switch that is off sends nothing of its own: what stands before it in the form says so.
        picked = request.form.getlist(name)[-1:]
        if picked and picked[0] in allowed:
            remember(response, name, picked[0])
    flash(words.say("notices", "saved"))
    return response


def chosen(name: str) -> str:
    """Return what this browser remembers of a choice, else what holds until somebody chooses."""
    kept = request.cookies.get(devices.of_this_host(f"wt_{name}"), "")
    return kept if kept in CHOICES[name] else CHOICES[name][0]


def remember(response: Response, name: str, choice: str) -> None:
    """Let this browser remember a choice for a year."""
    response.set_cookie(
        devices.of_this_host(f"wt_{name}"),
        choice,
        max_age=A_YEAR,
        httponly=True,
        samesite="Lax",
        secure=runtime.settings().secure,
    )
