"""What the clinic asks of how it did, on a page of its own behind the link and the birth date, on one sheet.

Words are read before anything else is decided: whoever writes of a crisis is heard, also where the page had been left
too long to be sure who they are, and sees where help is.
"""

import re
from collections.abc import Mapping
from typing import Any

from flask import request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from caseload.satisfaction import answering
from config import db
from intake_links import arriving, binding, frame, links, rendering
from intake_links.models import IntakeLink
from messaging import phone
from messaging.models import PROGRAMMES, Clinic, Patient
from messaging.wording import clinic_names, clinic_words
from portal import preferences
from portal.pages import CHOICES, Here, again_or_closed, inside, own
from reminders import satisfaction

__all__ = ["own", "say_views", "views"]

# One field for each question: "<its id>:<1 to 5>".
MARKS = ("mark1", "mark2", "mark3")
FIELDS = (*MARKS, "words", "named")
# As the field takes; what comes longer is read and kept whole too.
LONGEST = 1500


@own.get("/views")
@inside(acting=False)
def views(here: Here) -> Response:
    """Show the clinic's questions, and say in plain words who reads the answers."""
    asked = answering.asked_by(here.session, here.opened.link)
    if asked is None:
        return frame.to("own.me")
    if asked.answered_at is not None:
        return _thanks(here)
    return _form(here)


def _form(here: Here, problem: str | None = None) -> Response:
    terms = satisfaction.of_clinic(here.clinic)
    return here.page(
        "views",
        422 if problem else 200,
        v=satisfaction.form_words(here.language),
        questions=[(question.id, question.said(here.language)) for question in terms.questions],
        free=terms.question("free").said(here.language),
        named=terms.named,
        values=satisfaction.VALUES,
        chosen=_marks(request.form),
        words=request.form.get("words", ""),
        longest=LONGEST,
        problem=problem,
        at="views",
    )


@own.post("/views")
def say_views() -> Response:
    """Take the answers; who was away too long says the birth date again, and loses nothing of what was written."""
    answering.be_ready()
    with db.unit_of_work(db.EVERY) as session:
        link, opened = arriving.whose(session, acting=True)
        if link is None or links.on_tablet(link):
            return frame.not_opened(session)
        clinic = session.get_one(Clinic, link.clinic_id)
        if opened is None:
            return _late(session, clinic, link)
        arriving.put_first(session, opened)
        # Whoever must call is heard all the same.
        return _take(Here(session, clinic, session.get_one(Patient, link.patient_id), opened))


def _late(session: Session, clinic: Clinic, link: IntakeLink) -> Response:
    """Ask for the birth date once more. Words that speak of a crisis do not wait for it."""
    language = rendering.language_for(link.language)
    if binding.read(request.form.get(binding.FIELD, "")) is not None:
        heard = answering.hear_late(session, clinic, link, request.form.get("words", "").strip(), language)
        if heard.tier == "crisis":
            return _help(session, clinic, language)
    return again_or_closed(clinic, link)


def _take(here: Here) -> Response:
    """Keep what was handed in, at the patient's whose page it is."""
    given = answering.Given(
        _marks(request.form),
        request.form.get("words", "").strip(),
        here.language,
        request.form.get("named") == "yes",
    )
    if not given.said and not given.words:
        return _form(here, problem="nothing")
    try:
        heard = answering.take(here.session, here.clinic, here.opened.link, given)
    except LookupError:
        return frame.to("own.me")
    if heard.ends is not None:
        ended = (heard.ends,) if heard.ends in PROGRAMMES else PROGRAMMES
        preferences.agree(here.session, here.clinic, here.patient, ended, "revoked")
    if heard.tier == "crisis":
        return _help(here.session, here.clinic, here.language)
    # Whoever has ended texts sees that they are ended.
    return _thanks(here) if heard.ends is None else frame.to("own.texts", saved=1)


def _marks(form: Mapping[str, Any]) -> dict[str, int]:
    """The marks that were given, by the id of the question."""
    found = (re.fullmatch("([0-9a-f]{8}):([1-5])", form.get(name, "")) for name in MARKS)
    return {mark[1]: int(mark[2]) for mark in found if mark is not None}


def _thanks(here: Here) -> Response:
    return frame.thanks(here.language, here.clinic, frame.own_page(), views=True)


def _help(session: Session, clinic: Clinic, language: str) -> Response:
    """Show whom to call; the item of the team is stored with this answer."""
    about = {"clinic": clinic_names.in_texts(clinic, language), "clinic_phone": phone.display(clinic.phone)}
    line = clinic_words.of(session, clinic.id).say("crisis_line", language, about)
    return rendering.page("help", language, clinic, told=True, own=line, views=True)


CHOICES[say_views.__name__] = (_take, FIELDS)
