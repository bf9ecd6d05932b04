"""The door for staff: pages that people who care for patients work from."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask


def register(app: "Flask") -> None:
    """Put every staff page into `app`, each closed to those it does not name."""
    # Imported here, so that reading this room's models does not bring its pages along.
    from web import (
        answers,
        bulk,
        composing,
        contacts,
        handoffs,
        identify,
        inbox,
        layout,
        live,
        patients,
        phones,
        preferences,
        questions,
        reach,
        savedfilters,
        savedreplies,
        search,
        signin,
    )

    layout.register(
        app,
        signin.signin,
        inbox.inbox,
        bulk.room,
        contacts.contacts,
        questions.questions,
        answers.answers,
        composing.composer,
        savedreplies.savedreplies,
        live.live,
        savedfilters.savedfilters,
        handoffs.handoffs,
        patients.patients,
        search.search,
        identify.identify,
        phones.phones,
        reach.reach,
        preferences.preferences,
    )
