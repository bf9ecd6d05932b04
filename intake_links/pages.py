"""The pages patients answer on: one question each, saved at once, without any script."""

import functools
from collections.abc import Callable
from typing import Any

from flask import Blueprint, redirect, request, url_for
from sqlalchemy.orm import Session
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from config import clock, db, logging, runtime
from intake_links import links, progress, scoring, sheets, submissions
from intake_links.models import IntakeLink
from messaging.models import Clinic

pages = Blueprint("pages", __name__, url_prefix="/i", template_folder="templates", static_folder="static")
View = Callable[..., Response]


@pages.after_request
def _seal_the_page(response: Response) -> Response:
    response.headers.update(sheets.HEADERS)
    if request.endpoint == "pages.static":
        response.headers["Cache-Control"] = "public, max-age=3600"
    return response


@pages.get("/<token>")
def start(token: str) -> Response:
    """Show who asks, and ask for the birth date. Previews fetch links, so looking changes nothing."""
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        link = links.by_token(session, token)
        clinic = session.get(Clinic, link.clinic_id) if link else None
        language = sheets.language_for(link.language if link else None)
        if link is not None and link.state == "answered":
            return sheets.page("thanks", language, clinic)
        if link is None or not links.is_open(link, clock.now()):
            return sheets.page("closed", language, clinic, status=404)
        return sheets.page("start", language, clinic, action=request.path)


@pages.post("/<token>")
def verify(token: str) -> Response:
    """Let in who knows the birth date, by a cookie and an address without the token."""
    with db.unit_of_work(db.EVERY) as session:
        link = links.by_token(session, token)
        if link is None:
            return sheets.page("closed", sheets.language_for(None), None, status=404)
        clinic, language = session.get_one(Clinic, link.clinic_id), sheets.language_for(link.language)
        if link.state == "answered":
            return sheets.page("thanks", language, clinic)
        let_in = _try_birth_date(session, clinic, link, "start", action=f"{request.path}?lang={language}")
        if isinstance(let_in, Response):
            return let_in
        link.language = language
        return _with_cookie(_to("pages.resume"), let_in)


@pages.post("/again")
def verify_again() -> Response:
    """Let in again who was away too long, and save the answer that came too late."""
    with db.unit_of_work(db.EVERY) as session:
        visit = links.visit(session, request.cookies.get(_cookie()), acting=True)
        if visit is None:
            return sheets.page("closed", sheets.language_for(None), None, status=403, no_session=True)
        clinic, link = session.get_one(Clinic, visit.link.clinic_id), visit.link
        if visit.fresh or link.state == "answered":
            return _to("pages.resume")
        let_in = _try_birth_date(session, clinic, link, "again", action=url_for("pages.verify_again"))
        if isinstance(let_in, Response):
            return let_in
        now_in = links.visit(session, let_in, acting=True)
        response = _to("pages.resume")
        if now_in is not None and request.form.get("part"):
            part, number = request.form.get("part", type=int), request.form.get("number", type=int)
            response = _save(session, clinic, now_in, part or 0, number or 0)
        return _with_cookie(response, let_in)


def _try_birth_date(
    session: Session, clinic: Clinic, link: IntakeLink, page: str, action: str
) -> Response | str:
    """Return the token of a session, or the page that says in words what to look at and keeps what was typed."""
    language = sheets.language_for(link.language)
    born, problem = links.read_birth_date(request.form)
    if born is not None:
        token = links.verify(session, clinic, link, born)
        if token is not None:
            return token
        problem = "birth_wrong"
    if not links.is_open(link, clock.now()):
        return sheets.page("closed", language, clinic, status=404)
    typed = {name: request.form.get(name, "")[:20] for name in links.BIRTH}
    carried = sheets.carried()
    return sheets.page(
        page, language, clinic, 422, action=action, problem=problem, typed=typed, carried=carried
    )


def _inside(*, acting: bool) -> Callable[[View], View]:
    """Give a view its transaction and its visit; who was away too long is asked for the birth date again."""

    def wrap(view: View) -> View:
        @functools.wraps(view)
        def door(**named: int) -> Response:
            with db.unit_of_work(db.EVERY, read_only=not acting) as session:
                visit = links.visit(session, request.cookies.get(_cookie()), acting=acting)
                if visit is None:
                    return sheets.page("closed", sheets.language_for(None), None, status=403, no_session=True)
                clinic = session.get_one(Clinic, visit.link.clinic_id)
                if visit.fresh:
                    return view(session, clinic, visit, **named)
                language = sheets.language_for(visit.link.language)
                if visit.link.state == "answered":
                    return sheets.page("thanks", language, clinic)
                asked: dict[str, Any] = {"action": url_for("pages.verify_again"), "carried": sheets.carried()}
                return sheets.page("again", language, clinic, **asked)

        return door

    return wrap


@pages.get("/q")
@_inside(acting=False)
def resume(session: Session, _clinic: Clinic, visit: links.Visit) -> Response:
    """Go to the first open question, the check page, or the thanks."""
    return _onward(session, visit.link)


@pages.get("/q/<int:part>/<int:number>")
@_inside(acting=False)
def question(session: Session, clinic: Clinic, visit: links.Visit, part: int, number: int) -> Response:
    """Show one question, with the answer this very session has given to it, if any."""
    here = progress.place(session, visit.link)
    index = number - 1
    if here is None or here.part != part - 1 or not here.reachable(index):
        return _onward(session, visit.link)
    return sheets.question(clinic, visit, here, index)


@pages.post("/q/<int:part>/<int:number>")
@_inside(acting=True)
def answer(session: Session, clinic: Clinic, visit: links.Visit, part: int, number: int) -> Response:
    """Save one answer and go on."""
    return _save(session, clinic, visit, part, number)


def _save(session: Session, clinic: Clinic, visit: links.Visit, part: int, number: int) -> Response:
    link, index = visit.link, number - 1
    if not 1 <= part <= len(link.instruments):
        return _onward(session, link)
    here = progress.place_in(session, link, part - 1)
    if not 0 <= index < len(here.definition.items):
        return _onward(session, link)
    given, value = _given(here.definition.items[index].values)
    if not given and not here.asked(index):
        return sheets.question(clinic, visit, here, index, problem="choose")
    if given:
        screen = submissions.begin(session, clinic, link, part - 1)
        submissions.accept_answer(session, clinic, screen, index, value, given_in=visit.session.id)
        if here.alerts(index, value):
            return _to("pages.help_now")
    return _after(session, link, part - 1, index)


def _given(values: tuple[int, ...]) -> tuple[bool, int | None]:
    """Whether the form holds an answer, and which; declining is one, and only the instrument's own values are."""
    if "skip" in request.form:
        return True, None
    chosen = request.form.get("answer", "")
    return next(((True, value) for value in values if str(value) == chosen), (False, None))


def _after(session: Session, link: IntakeLink, part: int, index: int) -> Response:
    """Go to the question that follows, or to where a change was asked for."""
    here = progress.place_in(session, link, part)
    later = [i for i in scoring.applicable(here.definition, here.answers) if i > index]
    if here.screen is None or here.screen.state != "started" or not later or request.form.get("change"):
        return _onward(session, link)
    return _to("pages.question", part=part + 1, number=later[0] + 1)


@pages.get("/q/<int:part>/check")
@_inside(acting=False)
def check(session: Session, clinic: Clinic, visit: links.Visit, part: int) -> Response:
    """Show the answers of this session before they are handed in; those of an earlier one only as "answered"."""
    here = progress.place(session, visit.link)
    if here is None or here.part != part - 1 or here.question is not None:
        return _onward(session, visit.link)
    return sheets.check(clinic, visit, here)


@pages.post("/q/<int:part>/check")
@_inside(acting=True)
def send(session: Session, clinic: Clinic, visit: links.Visit, part: int) -> Response:
    """Hand in one instrument; pressed twice, or in two tabs, it is handed in once."""
    link = visit.link
    if 1 <= part <= len(link.instruments):
        here = progress.place_in(session, link, part - 1)
        if here.screen is not None and here.question is None:
            submissions.submit(session, clinic, here.screen)
            if progress.told(session, link) is not None:
                return _to("pages.help_now")
    return _onward(session, link)


@pages.get("/help")
@_inside(acting=False)
def help_now(session: Session, clinic: Clinic, visit: links.Visit) -> Response:
    """Show whom to call; that our team was told is said only if the item is stored."""
    told = progress.told(session, visit.link)
    return sheets.page(
        "help", sheets.language_for(visit.link.language), clinic, told=bool(told), at="help_now"
    )


@pages.get("/done")
@_inside(acting=False)
def done(session: Session, clinic: Clinic, visit: links.Visit) -> Response:
    """Say thank you, and show nothing of what was answered."""
    if progress.place(session, visit.link) is not None:
        return _onward(session, visit.link)
    return sheets.page("thanks", sheets.language_for(visit.link.language), clinic)


@pages.post("/language")
@_inside(acting=True)
def language(session: Session, _clinic: Clinic, visit: links.Visit) -> Response:
    """Go on in another language where the patient was."""
    if request.form.get("to") in sheets.LANGUAGES:
        submissions.speak(session, visit.link, request.form["to"])
    part, number = request.form.get("part", type=int), request.form.get("number", type=int)
    if request.form.get("at") == "question" and part and number:
        return _to("pages.question", part=part, number=number)
    return _to("pages.help_now") if request.form.get("at") == "help_now" else _onward(session, visit.link)


@pages.errorhandler(Exception)
def _keep_what_was_typed(error: Exception) -> Response | HTTPException:
    """Give back what was posted with a button to try again: an answer is not lost because a database is away."""
    stale = getattr(error, "code", 503) == 400
    if isinstance(error, HTTPException) and not stale:
        return error
    if not stale:
        logging.logger().error("patient page failed", route=request.endpoint, exc_info=error)
    if request.headers.get("Sec-Fetch-Site") == "cross-site":
        return sheets.page("closed", sheets.language_for(None), None, status=403)
    kept = [(name, value) for name, value in request.form.items(multi=True) if name != "csrf_token"]
    action = request.script_root + request.full_path.rstrip("?")
    return sheets.page(
        "kept", sheets.language_for(None), None, 400 if stale else 503, action=action, kept=kept
    )


def _onward(session: Session, link: IntakeLink) -> Response:
    here = progress.place(session, link)
    if here is None:
        return _to("pages.done")
    if here.question is None:
        return _to("pages.check", part=here.part + 1)
    return _to("pages.question", part=here.part + 1, number=here.question + 1)


def _to(endpoint: str, **values: Any) -> Response:
    return redirect(url_for(endpoint, **values), code=303)


def _cookie() -> str:
    # A name of its own beside the application's session; __Host- would need the path "/", and this one only /i.
    return "__Secure-wt_visit" if runtime.settings().secure else "wt_visit"


def _with_cookie(response: Response, token: str) -> Response:
    response.set_cookie(
        _cookie(),
        token,
        httponly=True,
        samesite="Strict",
        secure=runtime.settings().secure,
        path=f"{request.script_root}/i",
    )
    return response
