"""The page on which a clinic says whether and what it asks of how it did, and who reads it, with the form itself."""

from dataclasses import dataclass

from flask import request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from messaging import phone
from messaging.models import Clinic
from messaging.versions import publishing
from reminders import care_model, satisfaction
from reminders.satisfaction import SATISFACTION
from web import layout, permissions, words
from web.settings import decision_form, decision_pages

views_terms = layout.room("views_terms", __name__)
decision_pages.EDITORS[satisfaction.NAME] = "views_terms.show"
FIELDS = (
    "after_days",
    *(f"{place}_{language}" for place in (*satisfaction.PLACES, "free") for language in ("en", "es")),
)


@dataclass(frozen=True)
class Form:
    """The form as a patient sees it in a language; the marks go from high to low."""

    language: str
    named: bool
    words: dict[str, str]
    questions: list[str]
    free: str
    marks: list[str]


@views_terms.get("/settings/satisfaction")
@permissions.signed_in("clinic.look")
def show() -> str:
    """Show the questions, and the draft of a change."""
    return decision_form.show(SATISFACTION, _page)


@views_terms.post("/settings/satisfaction")
@permissions.signed_in("clinic.settings")
def save() -> Response | tuple[str, int]:
    """Keep what was typed as a draft; nobody is asked anything by that."""
    raw: publishing.Definition = {name: request.form.get(name, "").strip() for name in FIELDS}
    raw |= {name: name in request.form for name in ("asks", "named")}
    return decision_form.save(SATISFACTION, _page, raw)


def _page(session: Session, clinic: Clinic, sheet: decision_form.Sheet) -> str:
    return layout.page(
        session,
        "staff/views_terms.html",
        here="views_terms",
        sheet=sheet,
        raw=sheet.raw,
        problems=sheet.problems,
        desk=decision_pages.desk(session, clinic, SATISFACTION),
        places=[(place, words.say("views_places", place)) for place in satisfaction.PLACES],
        longest=satisfaction.LONGEST,
        forms=_forms(sheet),
        phone=phone.display(clinic.phone),
        registry=care_model.of_clinic(clinic).registry,
        edits=layout.may("clinic.settings"),
    )


def _forms(sheet: decision_form.Sheet) -> list[Form]:
    """The form in each language, by what stands on the page; none while something in it is wrong."""
    if sheet.listed:
        return []
    terms = satisfaction.Terms.model_validate(sheet.raw)
    return [_form(terms, language) for language in satisfaction.LANGUAGES]


def _form(terms: satisfaction.Terms, language: str) -> Form:
    said = satisfaction.form_words(language)
    return Form(
        language,
        terms.named,
        dict(said),
        [question.said(language) for question in terms.questions],
        terms.question("free").said(language),
        [said[str(mark)] for mark in reversed(satisfaction.VALUES)],
    )
