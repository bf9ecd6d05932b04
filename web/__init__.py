"""The door for staff: pages that people who care for patients work from."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

# Each a file of this room and the name of the blueprint in it.
ROOMS = (
    "signin.signin",
    "inbox.inbox",
    "bulk.room",
    "contacts.contacts",
    "questions.questions",
    "answers.answers",
    "composing.composer",
    "savedreplies.savedreplies",
    "live.live",
    "attachments.attachments",
    "savedfilters.savedfilters",
    "handoffs.handoffs",
    "search.search",
    "identify.identify",
    "phones.phones",
    "consents.consents",
    "record.record",
    "reach.reach",
    "patients.patients",
    "preferences.preferences",
    "notices.notices",
    "ladder.ladder",
    "settings.settings",
    "replays.replays",
    "rota.rota",
    "editions.editions",
    "importing.importing",
    "wordings.wordings",
    "rehearsals.rehearsals",
    "cadences.cadences",
    "cover.cover",
    "setup.setup",
    "clinics.clinics",
    "colleagues.colleagues",
    "questionnaires.questionnaires",
    "files.files",
    "clocks.clocks",
)


def register(app: "Flask") -> None:
    """Put every staff page into `app`, each closed to those it does not name."""
    # Imported here, so that reading this room's models does not bring its pages along.
    rooms = [name.split(".") for name in ROOMS]
    import_module("web.layout").register(
        app, *(getattr(import_module(f"web.{module}"), blueprint) for module, blueprint in rooms)
    )
    importing = import_module("web.settings.imports")
    app.extensions["large_bodies"] = {"/settings/import": (importing.LARGEST, importing.may_send_large)}
    app.wsgi_app = import_module("web.inbox.live").Watching(app.wsgi_app)  # type: ignore[method-assign]
