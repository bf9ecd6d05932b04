"""The door for staff: pages that people who care for patients work from."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask


def register(app: "Flask") -> None:
    """Put every staff page into `app`, each closed to those it does not name."""
    # Imported here, so that reading this room's models does not bring its pages along.
    from web import acts, handoffs, inbox, layout, live, patients, preferences, signin

    layout.register(
        app,
        signin.signin,
        inbox.inbox,
        acts.acts,
        live.live,
        handoffs.handoffs,
        patients.patients,
        preferences.preferences,
    )
    app.wsgi_app = live.Watching(app.wsgi_app)  # type: ignore[method-assign]
