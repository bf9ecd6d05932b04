"""The clinic's own words on their page: every text by its situation, both languages, and how a phone shows it."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby

from flask import abort, flash, jsonify, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from config import db
from messaging.models import Clinic
from messaging.versions import publishing
from messaging.versions.publishing import Definition
from messaging.wording import clinic_words, proofreading, situations, text_templates
from messaging.wording.clinic_words import WORDS
from messaging.wording.situations import Situation
from web import layout, permissions, sessions, words
from web.settings import decision_pages, phone_preview

wordings = layout.room("wordings", __name__)
decision_pages.EDITORS[WORDS.name] = "wordings.show"


@dataclass(frozen=True)
class Line:
    """One text in the list: its words as they would stand, whether drafted or the clinic's own."""

    situation: Situation
    texts: list[tuple[str, str]]
    drafted: bool
    own: bool
    wrong: bool

    @property
    def hay(self) -> str:
        """What a search looks through."""
        spoken = (text for _language, text in self.texts)
        return " ".join([self.situation.name, self.situation.group, self.situation.when, *spoken]).casefold()


@dataclass(frozen=True)
class Clash:
    """What somebody else has written meanwhile, by language: theirs, and what was typed here."""

    texts: list[tuple[str, str, str, str]]
    same: bool


@wordings.get("/settings/words")
@permissions.signed_in("clinic.look")
def show() -> str:
    """List every text by its situation beside the first of them; `q` leaves those in which it is found."""
    with db.unit_of_work(sessions.clinic().id, read_only=True) as session:
        clinic = session.get_one(Clinic, sessions.clinic().id)
        lines = _found(_lines(session, clinic), request.args.get("q", ""))
        first = lines[0].situation if lines else next(iter(situations.every().values()))
        definition, number = _standing(session, clinic)
        return _page(session, clinic, first, _texts(definition, first.key), definition, number, chosen=False)


@wordings.get("/settings/words/<key>")
@permissions.signed_in("clinic.look")
def edit(key: str) -> str:
    """Show one text in both languages, to read or to change, beside the list."""
    with db.unit_of_work(sessions.clinic().id, read_only=True) as session:
        clinic = session.get_one(Clinic, sessions.clinic().id)
        definition, number = _standing(session, clinic)
        return _page(session, clinic, _situation(key), _texts(definition, key), definition, number)


@wordings.post("/settings/words/<key>")
@permissions.signed_in("clinic.settings")
def save(key: str) -> Response | tuple[str, int]:
    """Keep a text in the draft, or show how it reads: `show`, `plain` (a language, in cheaper letters), `shipped`."""
    situation, typed = _situation(key), _typed()
    with db.unit_of_work(sessions.clinic().id) as session:
        clinic = session.get_one(Clinic, sessions.clinic().id)
        definition, _ = _standing(session, clinic)
        edit = decision_pages.edit_of_form()
        if "show" in request.form or "plain" in request.form:
            return _page(session, clinic, situation, typed, definition, edit), 200
        if "shipped" in request.form:
            typed = {language: text_templates.texts(language)[key] for language in text_templates.LANGUAGES}
        wanted = {
            language: definition.get(language, {}) | {key: typed[language]} for language in text_templates.LANGUAGES
        }
        try:
            publishing.save(session, clinic, WORDS, wanted, edit=edit, actor=layout.the_actor())
        except publishing.Overtaken:
            return _overtaken(session, clinic, situation, typed), 409
    flash(words.say("wordings", "went_back" if "shipped" in request.form else "kept", name=situation.name))
    return redirect(url_for("wordings.edit", key=key), 303)


@wordings.post("/settings/words/<key>/look")
@permissions.signed_in("clinic.settings")
def look(key: str) -> Response:
    """Return how what is being typed reads, for a script: the phones of each language, and one line to be read out."""
    situation, typed = _situation(key), _typed()
    with db.unit_of_work(sessions.clinic().id, read_only=True) as session:
        clinic = session.get_one(Clinic, sessions.clinic().id)
        definition, _ = _standing(session, clinic)
        sides = phone_preview.sides(clinic, situation, typed, definition)
        shown = {side.language: render_template("staff/_wording.html", side=side, edits=True) for side in sides}
    return jsonify({"shown": shown, "said": {side.language: _said(side) for side in sides}})


def _said(side: phone_preview.Side) -> str:
    stops = len(side.proof.flags)
    wrong = words.say("wordings", "stops_one" if stops == 1 else "stops", count=stops) if stops else ""
    return f"{side.language_words}: {side.screens[0].cost}. {wrong}".strip()


def _page(
    session: Session,
    clinic: Clinic,
    situation: Situation,
    typed: Mapping[str, str],
    definition: Definition,
    edit: int,
    clash: Clash | None = None,
    *,
    chosen: bool = True,
) -> str:
    order = list(situations.every())
    here = order.index(situation.key)
    wanted = request.args.get("q", "")
    lines = _found(_lines(session, clinic), wanted)
    return layout.page(
        session,
        "staff/words.html",
        here="words",
        desk=decision_pages.desk(session, clinic, WORDS),
        groups=[(name, list(some)) for name, some in groupby(lines, lambda line: line.situation.group)],
        wanted=wanted,
        chosen=chosen,
        situation=situation,
        sides=phone_preview.sides(clinic, situation, typed, definition),
        places=[(name, words.say("places", name)) for name in situation.places],
        must=[*(f"{{{name}}}" for name in situation.needs), *(phrase.split("|")[0] for phrase in situation.says)],
        clash=clash,
        edit=edit,
        edits=layout.may("clinic.settings"),
        onward=situations.every()[order[(here + 1) % len(order)]],
    )


def _overtaken(session: Session, clinic: Clinic, situation: Situation, typed: Mapping[str, str]) -> str:
    """Both versions; what was typed stays in the form, and saving again puts it over theirs knowingly."""
    definition, edit = _standing(session, clinic)
    theirs = _texts(definition, situation.key)
    both = [
        (language, words.say("languages", language), theirs[language], typed[language])
        for language in text_templates.LANGUAGES
    ]
    clash = Clash([row for row in both if row[2] != row[3]], theirs == typed)
    return _page(session, clinic, situation, typed, definition, edit, clash)


def _standing(session: Session, clinic: Clinic) -> tuple[Definition, int]:
    """The words as they would stand: the draft's, else those in force; with the draft's edit."""
    draft = publishing.draft(session, clinic.id, WORDS.name)
    if draft is None:
        return WORDS.present(session, clinic), 0
    return draft.definition, draft.edit


def _texts(definition: Definition, key: str) -> dict[str, str]:
    return {
        language: definition.get(language, {}).get(key, text_templates.texts(language)[key])
        for language in text_templates.LANGUAGES
    }


def _typed() -> dict[str, str]:
    typed = {
        language: proofreading.tidy(request.form.get(language, "")[: situations.LONGEST * 2])
        for language in text_templates.LANGUAGES
    }
    plain = request.form.get("plain", "")
    return typed | ({plain: proofreading.plainer(typed[plain])} if plain in typed else {})


def _situation(key: str) -> Situation:
    return situations.every().get(key) or abort(404)


def _found(lines: list[Line], wanted: str) -> list[Line]:
    """The lines in whose name, situation or words every word of `wanted` stands; all of them without one."""
    asked = wanted.casefold().split()
    return [line for line in lines if all(word in line.hay for word in asked)]


def _lines(session: Session, clinic: Clinic) -> list[Line]:
    definition, _ = _standing(session, clinic)
    in_force = WORDS.present(session, clinic)
    wrong = {problem.field.partition(".")[2] for problem in clinic_words.problems(clinic, definition)}
    return [
        Line(
            situation,
            list(texts.items()),
            drafted=texts != _texts(in_force, key),
            own=any(key in in_force.get(language, {}) for language in text_templates.LANGUAGES),
            wrong=key in wrong,
        )
        for key, situation in situations.every().items()
        for texts in [_texts(definition, key)]
    ]
