"""What each browser remembers about its reader: how dense the list is, and whether single keys act."""

from flask import flash, redirect, request, url_for
from werkzeug.wrappers import Response

from config import db, runtime
from web import layout, permissions, sessions, signin, words

preferences = layout.room("preferences", __name__)
CHOICES = {"density": ("comfortable", "compact"), "keys": ("on", "off")}
A_YEAR = 365 * 24 * 3600


@preferences.get("/preferences")
@permissions.signed_in("self")
def show() -> str:
    """Show the keys and the switches."""
    with db.unit_of_work(sessions.clinic().id, read_only=True) as session:
        return layout.page(session, "staff/preferences.html", here="preferences")


@preferences.post("/preferences")
@permissions.signed_in("self")
def save() -> Response:
    """Remember the choices in this browser."""
    onward = request.form.get("next")
    response = redirect(signin.safe_next(onward) if onward else url_for("preferences.show"), 303)
    for name, allowed in CHOICES.items():
        if request.form.get(name) in allowed:
            response.set_cookie(
                f"wt_{name}",
                request.form[name],
                max_age=A_YEAR,
                httponly=True,
                samesite="Lax",
                secure=runtime.settings().secure,
            )
    flash(words.say("notices", "saved"))
    return response
