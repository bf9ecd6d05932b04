"""The page on which a clinic says how its behavioral-health care is organised, and after how many days what is due."""

from flask import request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from caseload import episodes
from messaging.models import Clinic
from reminders import care_model
from reminders.care_model import CARE
from web import layout, permissions, words
from web.settings import decision_form, decision_pages

care_terms = layout.room("care_terms", __name__)
decision_pages.EDITORS[care_model.NAME] = "care_terms.show"
DAYS = ("contact", "contact_in_relapse_prevention", "score", "review", "review_in_relapse_prevention")


@care_terms.get("/settings/care")
@permissions.signed_in("clinic.look")
def show() -> str:
    """Show the care model, and the draft of a change."""
    return decision_form.show(CARE, _page)


@care_terms.post("/settings/care")
@permissions.signed_in("clinic.settings")
def save() -> Response | tuple[str, int]:
    """Keep what was typed as a draft; nothing is in force by that."""
    days = {name: request.form.get(name, "").strip() for name in ("model", *DAYS)}
    ticked = {"items": request.form.getlist("items"), "own_line": "own_line" in request.form}
    return decision_form.save(CARE, _page, {**days, **ticked})


def _page(session: Session, clinic: Clinic, sheet: decision_form.Sheet) -> str:
    return layout.page(
        session,
        "staff/care_terms.html",
        here="care_terms",
        sheet=sheet,
        raw=sheet.raw,
        problems=sheet.problems,
        desk=decision_pages.desk(session, clinic, CARE),
        models=[(model, words.say("care_models", model)) for model in care_model.MODELS],
        days=[(name, words.say("care_days", name)) for name in DAYS],
        rules=[(rule, words.say("care_reasons", rule), words.say("care_items", rule)) for rule in care_model.RULES],
        edits=layout.may("clinic.settings"),
        open_episodes=episodes.open_count(session, clinic),
    )
