"""Renders what a patient sees, in the patient's language, with the clinic's name and phone and 988 on every sheet."""

import functools
import tomllib
from collections.abc import Mapping
from importlib import resources
from typing import Any

from flask import g, make_response, render_template, request
from markupsafe import Markup
from werkzeug.wrappers import Response

from intake_links import binding, links, progress, scoring
from messaging import phone
from messaging.models import Clinic

LANGUAGES = ("en", "es")
HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; form-action 'self'; img-src 'none'; "
    "frame-ancestors 'none'; base-uri 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}


@functools.cache
def words(language: str) -> Mapping[str, Any]:
    """Return everything a patient reads here, by key."""
    return tomllib.loads((resources.files("intake_links") / "texts" / f"{language}.toml").read_text("utf-8"))


def language_for(preferred: str | None) -> str:
    """Return the language to speak: asked for in the address, else known of the patient, else the phone's own."""
    base = (preferred or "").replace("_", "-").lower().split("-")[0]
    for wanted in (request.args.get("lang"), base, request.form.get("shown")):
        if wanted in LANGUAGES:
            return wanted
    return request.accept_languages.best_match(LANGUAGES) or "en"


def page(name: str, language: str, clinic: Clinic | None, status: int = 200, **facts: Any) -> Response:
    """Return the sheet `name` ("own/me": of another room).
    Without a clinic (an unknown link, no database) it still says 988 and 911."""

    def say(key: str, **values: Any) -> Markup:
        return Markup(words(language)[key]).format(**values)  # noqa: S704 - our own words; values are escaped

    shown = {
        "mark": binding.mark(g.bound, facts.get("part", 0)) if g.get("bound") else None,
        "language": language,
        "languages": [(code, words(code)["name"]) for code in LANGUAGES],
        "say": say,
        "w": words(language),
        "clinic": clinic,
        "clinic_phone": phone.display(clinic.phone) if clinic else None,
    }
    return make_response(
        render_template(f"{name if '/' in name else f'intake/{name}'}.html", **(shown | facts)), status
    )


def question(
    clinic: Clinic, opened: links.OpenedLink, here: progress.Place, index: int, problem: str | None = None
) -> Response:
    """Return the sheet of one question; an answer is marked only if this very session gave it."""
    language = language_for(opened.link.language)
    mine = here.given_in(index, opened.session.id)
    before = [i for i in scoring.applicable(here.definition, here.answers) if i < index]
    return page(
        "question",
        language,
        clinic,
        422 if problem else 200,
        definition=here.definition,
        item=here.definition.items[index],
        shown=scoring.language_of(here.definition, language),
        chosen=here.answers[index] if mine else None,
        answered_before=here.asked(index) and not mine,
        number=index + 1,
        count=scoring.length(here.definition, here.answers),
        part=here.part + 1,
        parts_count=len(opened.link.instruments),
        previous=before[-1] + 1 if before else None,
        change=request.values.get("change"),
        problem=problem,
        at="question",
    )


def check(clinic: Clinic, opened: links.OpenedLink, here: progress.Place) -> Response:
    """Return the sheet on which a patient looks over the answers of this session before they are handed in."""
    language = language_for(opened.link.language)
    shown = scoring.language_of(here.definition, language)
    rows = []
    for index in scoring.applicable(here.definition, here.answers):
        item, mine = here.definition.items[index], here.given_in(index, opened.session.id)
        wordings = (answer.text[shown] for answer in item.answers if mine and answer.value == here.answers[index])
        row = {"number": index + 1, "asked": item.text[shown], "said": next(wordings, None), "earlier": not mine}
        rows.append(row)
    another_part = here.part + 1 < len(opened.link.instruments)
    return page("check", language, clinic, rows=rows, part=here.part + 1, shown=shown, more=another_part, at="check")


def carried() -> list[tuple[str, str]]:
    """Return the answer that came after the session had ended, to be saved once the birth date was right."""
    path = request.view_args or {}
    if path.get("number"):
        place = [("part", str(path["part"])), ("number", str(path["number"]))]
    else:
        place = [(name, request.form[name]) for name in ("part", "number") if request.form.get(name)]
    if request.method != "POST" or not place:
        return []
    return place + [(name, request.form[name][:10]) for name in ("answer", "skip") if name in request.form]
