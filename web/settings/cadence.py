"""The clinic's reminders as a page: steps as cards to change, a draft to save, and what it does to a made-up visit."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from flask import request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from config import db
from intake_links import scoring
from messaging.models import Clinic
from messaging.versions import publishing
from messaging.wording import clinic_words, text_templates
from reminders.cadence_decision import CADENCE
from web import layout, permissions, sessions, words
from web.settings import cadence_form, cadence_preview, cadence_week, decision_form, decision_pages

cadences = layout.room("cadences", __name__)
decision_pages.EDITORS[CADENCE.name] = "cadences.show"
# Texts that may belong to a step; the others are answers to what a patient does.
STEP_TEXTS = ("reminder", "form_link", "missed", "after")
NEVER_A_STEP = ("reminder_codes",)


@cadences.get("/settings/cadence")
@permissions.signed_in("clinic.look")
def show() -> str:
    """Show the reminders in force and the draft, what they do to a made-up visit, and the form to change them."""
    with db.unit_of_work(sessions.clinic().id, read_only=True) as session:
        clinic = session.get_one(Clinic, sessions.clinic().id)
        sheet = decision_form.fresh(session, clinic, CADENCE)
        wrong = CADENCE.check(session, clinic, dict(sheet.raw))
        return _page(session, clinic, replace(sheet, wrong=wrong))


@cadences.post("/settings/cadence")
@permissions.signed_in("clinic.settings")
def save() -> Response | tuple[str, int]:
    """Save the draft; or add, remove or move a card, which keeps all that was typed and saves nothing."""
    act, edit = request.form.get("act", "save"), decision_pages.edit_of_form()
    with db.unit_of_work(sessions.clinic().id) as session:
        clinic = session.get_one(Clinic, sessions.clinic().id)
        base, _ = decision_form.standing(session, clinic, CADENCE)
        raw = cadence_form.typed(request.form.to_dict(flat=False), base)
        if act != "save":
            look_at = cadence_form.change(raw, act, request.form.get("new_kind", ""))
            return _page(session, clinic, decision_form.Sheet(raw, edit), look_at), 200
        sheet = decision_form.keep(session, clinic, CADENCE, raw)
        if sheet is not None:
            return _page(session, clinic, sheet), sheet.code
    return decision_form.kept(CADENCE)


def _page(session: Session, clinic: Clinic, sheet: decision_form.Sheet, look_at: str | None = None) -> str:
    raw, problems = sheet.raw, _by_field(sheet.wrong)
    return layout.page(
        session,
        "staff/cadence.html",
        here="cadence",
        desk=decision_pages.desk(session, clinic, CADENCE),
        sheet=sheet,
        standing=cadence_week.how_far(session, clinic),
        raw=raw,
        groups=cadence_form.groups(raw),
        form=cadence_form,
        offered=_offered(raw),
        said=_said(session, clinic),
        instruments=[(key, instrument.title) for key, instrument in sorted(scoring.instruments().items())],
        conditions=words.table_of("cadence_conditions"),
        problems=problems,
        wrong_rows=[_row(field) for field in problems],
        look_at=look_at,
        edits=layout.may("clinic.settings"),
        tests=layout.may("clinic.agree"),
        **cadence_preview.preview(session, clinic, request.args),
    )


def _said(session: Session, clinic: Clinic) -> dict[str, dict[str, str]]:
    """Every text by language and key, as the clinic words it."""
    own = clinic_words.of(session, clinic.id)
    return {
        language: {key: own.text(key, language) for key in text_templates.texts(language)}
        for language in text_templates.LANGUAGES
    }


def _offered(raw: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The texts a step may have, each with what it is for; one that is already chosen stays, whatever it is."""
    shipped = [key for key in text_templates.texts("en") if key.startswith(STEP_TEXTS) and key not in NEVER_A_STEP]
    chosen = [
        step.get(name)
        for group in cadence_form.groups(raw)
        for step in group.steps
        for name in ("text", "text_without_intake")
    ]
    every = dict.fromkeys([*shipped, *(str(key) for key in chosen if key)])
    return [(key, words.say("cadence_texts", key)) for key in every]


def _row(field: str) -> str:
    """The row a field stands in: its step's, else "limits"."""
    return field.partition("]")[0] + "]" if "]" in field else "limits"


def _by_field(problems: Sequence[publishing.Problem]) -> dict[str, str]:
    """What is wrong, by the field of the form where it is said."""
    by_field: dict[str, str] = {}
    for problem in problems:
        field = problem.field.replace(".after", ".before").replace(".weekday", ".before")
        by_field[field] = f"{by_field[field]}; {problem.message}" if field in by_field else problem.message
    return by_field
