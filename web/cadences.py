"""The clinic's reminders as a page: steps as cards to change, a draft to save, and what it would do to a made-up visit."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from flask import flash, redirect, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from config import db
from intake_links import scoring
from messaging import wording
from messaging import words as clinic_words
from messaging.editions import differences, publishing
from messaging.editions.models import Edition
from messaging.models import Clinic
from reminders.publishing import CADENCE
from web import cadenceforms, editions, layout, permissions, rehearsals, sessions, trials, words

cadences = layout.room("cadences", __name__)
editions.EDITORS[CADENCE.name] = "cadences.show"
# Texts that may belong to a step; the others are answers to what a patient does.
STEP_TEXTS = ("reminder", "form_link", "missed", "after")
NEVER_A_STEP = ("reminder_codes",)
_NAMED = re.compile(r"(?P<group>steps|kinds\.[^\[]+)\[(?P<name>[^\]]+)\](?:\.(?P<field>.+))?")
_PLACE = re.compile(r"(?P<group>.+)\[(?P<place>\d+)\]")


@cadences.get("/settings/cadence")
@permissions.signed_in("clinic.look")
def show() -> str:
    """Show the reminders in force and the draft, what they do to a made-up visit, and the form to change them."""
    with db.unit_of_work(sessions.clinic().id, read_only=True) as session:
        clinic = session.get_one(Clinic, sessions.clinic().id)
        draft = publishing.draft(session, clinic.id, CADENCE.name)
        raw = draft.definition if draft else CADENCE.present(session, clinic)
        problems = CADENCE.check(session, clinic, raw)
        return _page(session, clinic, raw, problems, edit=draft.edit if draft else 0)


@cadences.post("/settings/cadence")
@permissions.signed_in("clinic.settings")
def save() -> Response | tuple[str, int]:
    """Save the draft; or add, remove or move a card, which keeps all that was typed and saves nothing."""
    act, edit = request.form.get("act", "save"), editions.edit_of_form()
    with db.unit_of_work(sessions.clinic().id) as session:
        clinic = session.get_one(Clinic, sessions.clinic().id)
        there = publishing.draft(session, clinic.id, CADENCE.name)
        base = there.definition if there else CADENCE.present(session, clinic)
        raw = cadenceforms.typed(request.form.to_dict(flat=False), base)
        if act != "save":
            look_at = cadenceforms.change(raw, act, request.form.get("new_kind", ""))
            return _page(session, clinic, raw, (), edit=edit, look_at=look_at), 200
        try:
            publishing.save(session, clinic, CADENCE, raw, edit=edit, actor=editions.actor())
        except publishing.Refused as wrong:
            return _page(session, clinic, raw, wrong.problems, edit=edit, refused=True), 422
        except publishing.Overtaken as overtaken:
            return _overtaken(session, clinic, raw, overtaken.theirs), 409
    flash(words.say("cadence", "saved"), "done")
    return redirect(url_for("cadences.show"), 303)


def _overtaken(session: Session, clinic: Clinic, raw: dict[str, Any], theirs: Edition | None) -> str:
    """Both versions and what differs: what was typed stays in the form, and saving again puts it over theirs."""
    stands = theirs.definition if theirs else CADENCE.present(session, clinic)
    try:
        differs = differences.between(stands, CADENCE.read(raw))
    except publishing.Refused as wrong:
        return _page(session, clinic, raw, wrong.problems, edit=theirs.edit if theirs else 0, refused=True)
    who = editions.told(session, clinic, theirs) if theirs else None
    edit = theirs.edit if theirs else 0
    return _page(session, clinic, raw, (), edit=edit, overtaken={"who": who, "differs": differs})


def _page(
    session: Session,
    clinic: Clinic,
    raw: Mapping[str, Any],
    problems: Sequence[publishing.Problem],
    *,
    edit: int,
    refused: bool = False,
    look_at: str | None = None,
    overtaken: Mapping[str, Any] | None = None,
) -> str:
    return layout.page(
        session,
        "staff/cadence.html",
        here="cadence",
        desk=_desk(session, clinic),
        spoken=editions.spoken,
        standing=rehearsals.how_far(session, clinic),
        raw=raw,
        groups=cadenceforms.groups(raw),
        form=cadenceforms,
        offered=_offered(raw),
        said=_said(session, clinic),
        instruments=[(key, one.title) for key, one in sorted(scoring.instruments().items())],
        conditions=words.table_of("cadence_conditions"),
        problems=_by_field(problems),
        listed=[(one, _called(one.field, raw)) for one in problems],
        refused=refused,
        look_at=look_at,
        overtaken=overtaken,
        edit=edit,
        edits=layout.may("clinic.settings"),
        tests=layout.may("clinic.agree"),
        **trials.preview(session, clinic, request.args),
    )


def _said(session: Session, clinic: Clinic) -> dict[str, dict[str, str]]:
    """Every text by language and key, as the clinic words it."""
    own = clinic_words.of(session, clinic.id)
    return {
        language: {key: own.text(key, language) for key in wording.texts(language)}
        for language in wording.LANGUAGES
    }


def _desk(session: Session, clinic: Clinic) -> editions.Desk:
    """How the decision stands; a step that is new or gone is one line, and not one for each of its fields."""
    found = editions.desk(session, clinic, CADENCE)
    draft = found.draft.definition if found.draft else {}
    now = _steps_by_field(CADENCE.present(session, clinic)) if found.draft else {}
    then = _steps_by_field(draft)
    told: dict[str, differences.Difference] = {}
    for one in found.changes:
        field = one.field.rpartition(".")[0]
        if field in now and field in then:
            told[one.field] = differences.Difference(_spoken_field(one.field), one.was, one.becomes)
        elif field in now or field in then:
            gone, new = now.get(field), then.get(field)
            told[field] = differences.Difference(_spoken_field(field), _briefly(gone), _briefly(new))
        else:
            told[one.field] = differences.Difference(_spoken_field(one.field), one.was, one.becomes)
    return replace(found, changes=list(told.values()))


def _steps_by_field(definition: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    every = cadenceforms.groups(definition)
    return {f"{group.prefix}[{step['name']}]": step for group in every for step in group.steps}


def _spoken_field(field: str) -> str:
    """How a reader would name what differs: "24h: text", "quiet hours: start"."""
    match = _NAMED.fullmatch(field)
    if match is None:
        return field.replace(".", ": ").replace("_", " ").capitalize()
    kind = match["group"].partition(".")[2]
    step = f"{match['name']}, {kind}" if kind else match["name"]
    return f"{step}: {match['field'].replace('_', ' ')}" if match["field"] else step


def _briefly(step: Mapping[str, Any] | None) -> str | None:
    if step is None:
        return None
    side = "after" if step.get("after") else "before"
    when = f"{step.get(side)} {side} the visit" if step.get(side) else f"on the {step.get('weekday')} before"
    at = f" at {step['at']}" if step.get("at") else ""
    return f"{when}{at}: {words.say('cadence_texts', step['text'])}"


def _offered(raw: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The texts a step may have, each with what it is for; one that is already chosen stays, whatever it is."""
    known = [key for key in wording.texts("en") if key.startswith(STEP_TEXTS) and key not in NEVER_A_STEP]
    chosen = [
        step.get(name)
        for group in cadenceforms.groups(raw)
        for step in group.steps
        for name in ("text", "text_without_intake")
    ]
    every = dict.fromkeys([*known, *(str(key) for key in chosen if key)])
    return [(key, words.say("cadence_texts", key)) for key in every]


def _by_field(problems: Sequence[publishing.Problem]) -> dict[str, str]:
    """What is wrong, by the field of the form where it is said."""
    found: dict[str, str] = {}
    for one in problems:
        field = one.field.replace(".after", ".before").replace(".weekday", ".before")
        found[field] = f"{found[field]}; {one.message}" if field in found else one.message
    return found


def _called(field: str, raw: Mapping[str, Any]) -> str:
    """How a reader would name a field: the step by its name."""
    place, _, rest = field.partition("].")
    match = _PLACE.match(field)
    if match is None:
        return field.replace("_", " ")
    group = next((one for one in cadenceforms.groups(raw) if one.prefix == match["group"]), None)
    number = int(match["place"])
    known = group is not None and number < len(group.steps)
    name = group.steps[number].get("name") if group is not None and known else place
    spoken = rest.replace("_", " ")
    return f"{name or number + 1}: {spoken}" if spoken else str(name or number + 1)
