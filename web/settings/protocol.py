"""The page on which a clinic writes its own safety protocol, line by line; it stands as a checklist on safety items."""

from typing import Any

from flask import request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from messaging.inbox import protocol as checklist
from messaging.inbox.protocol import PROTOCOL
from messaging.models import Clinic
from web import layout, permissions
from web.settings import decision_form, decision_pages

protocols = layout.room("protocols", __name__)
decision_pages.EDITORS["protocol"] = "protocols.show"


@protocols.get("/settings/protocol")
@permissions.signed_in("clinic.look")
def show() -> str:
    """Show the protocol and the draft of a change."""
    return decision_form.show(PROTOCOL, _page)


@protocols.post("/settings/protocol")
@permissions.signed_in("clinic.settings")
def save() -> Response | tuple[str, int]:
    """Keep what was typed as a draft; nothing is in force by that."""
    return decision_form.save(PROTOCOL, _page, given(request.form.get("lines", "")))


def given(typed: str) -> dict[str, Any]:
    """Return what was typed, a line each, in the shape of the definition; empty lines are not there."""
    return {"lines": [line.strip() for line in typed.splitlines() if line.strip()]}


def _page(session: Session, clinic: Clinic, sheet: decision_form.Sheet) -> str:
    return layout.page(
        session,
        "staff/protocol.html",
        here="protocol",
        sheet=sheet,
        raw=sheet.raw,
        problems=sheet.problems,
        desk=decision_pages.desk(session, clinic, PROTOCOL),
        lines=checklist.of_clinic(session, clinic),
        most=checklist.MOST,
        longest=checklist.LONGEST,
        edits=layout.may("clinic.settings"),
    )
