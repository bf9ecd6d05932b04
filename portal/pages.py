"""The patient's own page, behind the link and birth date of the forms: visits, texts, and what they want changed."""

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import Blueprint, make_response, request, url_for
from markupsafe import Markup
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from config import clock, db
from intake_links import arriving, birth_date_check, frame, links, progress, rendering, submissions
from intake_links.models import IntakeLink
from messaging import phone
from messaging.models import PROGRAMMES, Clinic, Patient
from portal import preferences, to_read, visits, words

own = Blueprint("own", __name__, url_prefix="/i/me", template_folder="templates", static_folder="static")
frame.behind(own)


@dataclass(frozen=True)
class Here:
    """A patient who has shown who they are, in the transaction of one request."""

    session: Session
    clinic: Clinic
    patient: Patient
    opened: links.OpenedLink

    @property
    def language(self) -> str:
        """The language this page speaks."""
        return rendering.language_for(self.opened.link.language)

    def page(self, name: str, status: int = 200, **facts: Any) -> Response:
        """Return the sheet `name` of this room."""
        own_words = words.texts(self.language)

        def tell(key: str, **values: Any) -> Markup:
            return Markup(own_words[key]).format(**values)  # noqa: S704 - our own words; values are escaped

        shown: dict[str, Any] = {"own": True, "o": own_words, "tell": tell}
        shown |= {"at": "own"} if name != "left" else {}
        return rendering.page(f"own/{name}", self.language, self.clinic, status, **(shown | facts))


View = Callable[..., Response]
# So much of a field is carried past the birth date; of some, more.
SHORT, LONGEST = 60, {"words": 4000}


def inside(*, acting: bool) -> Callable[[View], View]:
    """Give a view its transaction and its patient; who was away too long is asked for the birth date again."""

    def wrap(view: View) -> View:
        @functools.wraps(view)
        def door(**named: Any) -> Response:
            with db.unit_of_work(db.EVERY, read_only=not acting) as session:
                link, opened = arriving.whose(session, acting=acting)
                if link is None:
                    return frame.not_opened(session)
                clinic = session.get_one(Clinic, link.clinic_id)
                if links.on_tablet(link):  # the tablet is handed on, and this page is one person's
                    return frame.leave(rendering.page("ended", rendering.language_for(link.language), clinic))
                if opened is None:
                    return again_or_closed(clinic, link)
                if acting:
                    arriving.put_first(session, opened)
                return _here(session, opened, view, **named)

        return door

    return wrap


def _here(session: Session, opened: links.OpenedLink, view: View, **named: Any) -> Response:
    """Return the view of a patient who has shown who they are, or the page that says to call."""
    here = Here(session, opened.clinic, session.get_one(Patient, opened.link.patient_id), opened)
    return view(here, **named) if preferences.reachable(session, here.patient) else here.page("call")


def again_or_closed(clinic: Clinic, link: IntakeLink) -> Response:
    """Ask for the birth date once more, with the choice that was made, while the link opens this page at all."""
    language = rendering.language_for(link.language)
    if not links.opens_own_page(link, clock.now()):
        return rendering.page("closed", language, clinic, status=404)
    return rendering.page("again", language, clinic, action=url_for("own.again"), own=True, carried=_carried())


def _carried() -> list[tuple[str, str]]:
    """Return the choice that was posted and at which page of this room, to be made once the birth date was right."""
    page = request.form.get("at_page") or (request.endpoint or "").rpartition(".")[2]
    if request.method != "POST" or page not in CHOICES:
        return []
    fields = [
        (name, request.form[name][: LONGEST.get(name, SHORT)]) for name in CHOICES[page][1] if name in request.form
    ]
    return [("at_page", page), *fields]


@own.get("/again")
@own.get("/visit")
@own.get("/leave")
def nothing_here() -> Response:
    """Lead to the page itself from an address that only takes what is posted, as a reload asks for it."""
    return frame.to("own.me")


@own.post("/again")
def again() -> Response:
    """Let in again who was away too long, and make the choice for the patient on whose page it was made."""
    birth_date_check.slow_down()
    with db.unit_of_work(db.EVERY) as session:
        link, opened = arriving.whose(session, acting=True)
        if link is None or links.on_tablet(link):
            return frame.not_opened(session)
        clinic, opens = session.get_one(Clinic, link.clinic_id), links.opens_own_page
        action, carried = url_for("own.again"), _carried()
        opened_or_page = birth_date_check.go_on(session, clinic, link, opened, action, opens, carried)
        if isinstance(opened_or_page, Response):
            return opened_or_page
        if opened_or_page is None or not carried:
            return frame.to(frame.VIEWS_PAGE if link.for_views else "own.me")
        return _here(session, opened_or_page, CHOICES[request.form["at_page"]][0])


@own.get("")
@inside(acting=False)
def me(here: Here) -> Response:
    """Show the visits and what was chosen, and lead to what they may read; never an answer, a score or a specialty."""
    return _me(here)


def _me(here: Here, status: int = 200, problem: str | None = None) -> Response:
    agreed = preferences.programmes(here.session, here.clinic, here.patient)
    texted = any(programme.name == "reminders" and programme.state == "granted" for programme in agreed)
    opens, closes = preferences.hours_of(here.session, here.clinic, here.patient)
    return here.page(
        "me",
        status,
        visits=visits.shown(here.session, here.clinic, here.patient, here.language, texted=texted),
        agreed=agreed,
        opens=words.hour(opens, here.language),
        closes=words.hour(closes, here.language),
        spoken=rendering.words(rendering.language_for(here.patient.language))["name"],
        level=here.patient.privacy,
        asks=progress.place(here.session, here.opened.link) is not None,
        reads=to_read.of(here.session, here.clinic, here.patient.id),
        saved="saved" in request.args,
        problem=problem,
    )


def _saved() -> Response:
    return frame.to("own.me", saved=1)


@own.post("/visit")
@inside(acting=True)
def say(here: Here) -> Response:
    """Confirm a visit, ask for another time, arrive or be late; a visit that has changed meanwhile is shown anew."""
    what, revision = request.form.get("act", ""), request.form.get("revision", 0, type=int)
    visit_id = request.form.get("visit", type=UUID)
    try:
        if visit_id is None or what not in visits.ACTS:
            raise visits.Changed
        visits.act(here.session, here.clinic, here.patient, visit_id, revision, what)
    except (visits.Changed, LookupError):
        return _me(here, 409, problem="changed")
    return _saved()


@own.get("/visit/<uuid:visit_id>.ics")
@inside(acting=False)
def calendar(here: Here, visit_id: UUID) -> Response:
    """Give the visit as a file for the phone's calendar."""
    try:
        visit = visits.of_patient(here.session, here.patient, visit_id)
    except LookupError:
        return _me(here, 404, problem="changed")
    response = make_response(visits.calendar_file(here.clinic, here.patient, visit, here.language))
    method = "CANCEL" if visit.state == "cancelled" else "PUBLISH"
    response.headers["Content-Type"] = f"text/calendar; charset=utf-8; method={method}"
    response.headers["Content-Disposition"] = 'attachment; filename="appointment.ics"'
    return response


@own.get("/language")
@inside(acting=False)
def language(here: Here) -> Response:
    """Ask in which language the texts are to come."""
    return here.page("language", chosen=rendering.language_for(here.patient.language))


@own.post("/language")
@inside(acting=True)
def speak(here: Here) -> Response:
    """Write to the patient, and show this page, in another language."""
    wanted = request.form.get("language")
    if wanted in rendering.LANGUAGES:
        preferences.speak(here.session, here.patient, wanted)
        submissions.speak(here.session, here.opened.link, wanted)
    return _saved()


@own.get("/hours")
@inside(acting=False)
def hours(here: Here) -> Response:
    """Ask from when until when texts may come."""
    chosen = preferences.hours_of(here.session, here.clinic, here.patient)
    return _hours(here, [f"{edge:%H:%M}" for edge in chosen])


def _hours(here: Here, chosen: list[str], status: int = 200, problem: str | None = None) -> Response:
    edges = preferences.edges(here.session, here.clinic, here.patient)
    choices = [(f"{edge:%H:%M}", words.hour(edge, here.language)) for edge in edges]
    ends = [words.hour(edge, here.language) for edge in preferences.clinics_hours(here.session, here.clinic)]
    facts: dict[str, Any] = {"edges": choices, "ends": ends, "shortest": preferences.SHORTEST}
    return here.page("hours", status, chosen=chosen, problem=problem, **facts)


@own.post("/hours")
@inside(acting=True)
def choose_hours(here: Here) -> Response:
    """Text only between these hours."""
    typed = [request.form.get(name, "")[:5] for name in ("from", "until")]
    try:
        preferences.choose_hours(here.session, here.clinic, here.patient, typed)
    except preferences.TooNarrow:
        return _hours(here, typed, 422, problem="too_narrow")
    return _saved()


@own.get("/privacy")
@inside(acting=False)
def privacy(here: Here) -> Response:
    """Ask how much a text may say, with an example of each, and say plainly who may read a text."""
    levels = preferences.levels(here.session, here.clinic, here.patient, here.language)
    return here.page("privacy", levels=levels)


@own.post("/privacy")
@inside(acting=True)
def choose_privacy(here: Here) -> Response:
    """Let texts say this much."""
    preferences.choose_level(here.session, here.clinic, here.patient, request.form.get("level", ""))
    return _saved()


@own.get("/texts")
@inside(acting=False)
def texts(here: Here) -> Response:
    """Show which texts come, each with a way to stop it or have it back."""
    return here.page(
        "texts",
        agreed=preferences.programmes(here.session, here.clinic, here.patient),
        number=preferences.number_of(here.session, here.patient),
        line=phone.display(here.clinic.number),
        saved="saved" in request.args,
    )


@own.post("/texts")
@inside(acting=True)
def agree(here: Here) -> Response:
    """Stop one kind of text or all, or have one back; the button says which, so that pressing twice changes nothing."""
    event, _, wanted = request.form.get("say", "").partition(":")
    meant = PROGRAMMES if (event, wanted) == ("revoked", "all") else (wanted,)
    if set(meant) <= set(PROGRAMMES) and event == "revoked":
        preferences.agree(here.session, here.clinic, here.patient, meant, "revoked")
    elif set(meant) <= set(PROGRAMMES) and event == "granted":
        preferences.agree(here.session, here.clinic, here.patient, meant, "granted")
    return frame.to("own.texts", saved=1)


@own.post("/leave")
@inside(acting=True)
def leave(here: Here) -> Response:
    """Close the page, for a phone that is not one's own: whoever comes next is asked for the birth date."""
    links.leave(here.session, here.opened)
    return frame.leave(here.page("left"))


# What may be chosen here, and its fields: a choice that came too late is made once it is known who made it.
CHOICES: dict[str, tuple[View, tuple[str, ...]]] = {
    view.__name__: (inspect.unwrap(view), fields)
    for view, fields in (
        (say, ("visit", "revision", "act")),
        (speak, ("language",)),
        (choose_hours, ("from", "until")),
        (choose_privacy, ("level",)),
        (agree, ("say",)),
    )
}
