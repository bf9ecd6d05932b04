"""What all patient pages share: their headers, the link behind a cookie, and a page that keeps what was typed."""

import functools
from collections.abc import Callable
from typing import Any

from flask import Blueprint, current_app, g, redirect, request, url_for
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from config import clock, db, logging, runtime
from intake_links import arriving, binding, links, progress, rendering
from intake_links.models import IntakeLink
from messaging.models import REAL, Clinic

pages = Blueprint("pages", __name__, url_prefix="/i", template_folder="templates", static_folder="static")
View = Callable[..., Response]
Late = Callable[[Session, Clinic, IntakeLink], None]
OWN_PAGE, VIEWS_PAGE = "own.me", "own.views"


def only_from_here() -> Response | None:
    """Refuse a form that another site posts: beside the form token and the cookie that never leaves this site."""
    if request.method == "POST" and request.headers.get("Sec-Fetch-Site") == "cross-site":
        return _refused(403)
    return None


def seal_the_page(response: Response) -> Response:
    """Put the headers of a patient page on whatever is answered."""
    response.headers.update(rendering.HEADERS)
    if request.endpoint == "pages.static":
        response.headers["Cache-Control"] = "public, max-age=3600"
    onto = _next_by_itself(response)
    if onto is not None:
        response.headers["Refresh"] = f"{onto[0]}; url={url_for(onto[1])}"
    return response


def _next_by_itself(response: Response) -> tuple[int, str] | None:
    """Return after how many seconds a page on the tablet gives way to which other, by itself and without script.

    Nobody is thrown out unasked: two minutes lead to a page that asks,
    and one press there goes on (WCAG 2.2.1, extend).
    """
    if request.endpoint == "kiosk.still":
        return 60, "kiosk.ended"
    if request.endpoint == "kiosk.ended" or (g.get("tablet") and "Clear-Site-Data" in response.headers):
        return 30, "kiosk.code"
    return (120, "kiosk.still") if g.get("tablet") and response.status_code not in (302, 303) else None


def inside(*, acting: bool, late: Late | None = None) -> Callable[[View], View]:
    """Give a view its transaction and its link; who was away too long is asked for the birth date again.

    `late` keeps for a person what was posted to a form that no birth date opens any more.
    """

    def wrap(view: View) -> View:
        @functools.wraps(view)
        def door(**named: int) -> Response:
            with db.unit_of_work(db.EVERY, read_only=not acting) as session:
                link, opened = arriving.whose(session, acting=acting)
                if link is None:
                    return not_opened(session)
                g.tablet = links.on_tablet(link)
                if opened is None:
                    return _to_be_opened(session, session.get_one(Clinic, link.clinic_id), link, late)
                if acting:
                    arriving.put_first(session, opened)
                return view(session, opened.clinic, opened, **named)

        return door

    return wrap


def _to_be_opened(session: Session, clinic: Clinic, link: IntakeLink, late: Late | None) -> Response:
    """Ask for the birth date, with what was posted; where it opens nothing any more, keep that for a person."""
    language, carried = rendering.language_for(link.language), rendering.carried()
    returns = arriving.may_return(link, clock.now())
    answering = carried and binding.read(request.form.get(binding.FIELD, "")) is not None
    if late is not None and answering and not returns:
        late(session, clinic, link)
    if g.tablet:
        # Another patient may hold the tablet by now: no question, no answer, no way on.
        ended = rendering.page("ended", language, clinic)
        return ended if arriving.holds_another(session, link) else leave(ended)
    if link.state == "answered" and not carried:
        return thanks(language, clinic, own_page(), views=link.for_views)
    if not returns:
        return rendering.page("closed", language, clinic, status=404)
    return rendering.page("again", language, clinic, action=url_for("pages.verify_again"), carried=carried)


def not_opened(session: Session) -> Response:
    """Say to open the link again where none is known."""
    return dead_end(session, rendering.language_for(None), None, 403, no_session=True)


def dead_end(session: Session, language: str, clinic: Clinic | None, status: int, **facts: Any) -> Response:
    """Say that nothing opens here, and whom to call."""
    return rendering.page("closed", language, to_call(session, clinic), status, **facts)


def to_call(session: Session, clinic: Clinic | None) -> Clinic | None:
    """Return the clinic to call: the link's, else that of the form used last here, else the only one there is."""
    if clinic is None:
        held = binding.held(session, arriving.tokens())[:1]
        mine = select(Clinic).join(IntakeLink, IntakeLink.clinic_id == Clinic.id)
        statement = mine.where(IntakeLink.id == held[0].link_id) if held else select(Clinic).where(REAL).limit(2)
        clinics = session.scalars(statement).all()
        clinic = clinics[0] if len(clinics) == 1 else None
    return clinic


def _refused(status: int) -> Response:
    """Say whom to call outside a transaction, as well as that can be said while the database is away."""
    language = rendering.language_for(None)
    try:
        with db.unit_of_work(db.EVERY, read_only=True) as session:
            return dead_end(session, language, None, status)
    except SQLAlchemyError as error:
        logging.logger().error("patient page failed", route=request.endpoint, exc_info=error)
        return rendering.page("closed", language, None, status=status)


def keep_what_was_typed(error: Exception) -> Response | HTTPException:
    """Give back what was posted with a button to try again: an answer is not lost because a database is away."""
    stale = getattr(error, "code", 503) == 400
    if isinstance(error, HTTPException) and not stale:
        is_over = (error.code or 500) >= 400
        return _refused(error.code or 500) if is_over else error
    g.pop("tokens", None)  # what was begun was not kept
    if not stale:
        logging.logger().error("patient page failed", route=request.endpoint, exc_info=error)
    if request.headers.get("Sec-Fetch-Site") == "cross-site":
        return _refused(403)
    kept = [(name, value) for name, value in request.form.items(multi=True) if name != "csrf_token"]
    action = request.script_root + request.full_path.rstrip("?")
    return rendering.page("kept", rendering.language_for(None), None, 400 if stale else 503, action=action, kept=kept)


def own_page() -> str | None:
    """Return where the patient's own page is: a door above this room, where it is built in."""
    return url_for(OWN_PAGE) if OWN_PAGE in current_app.view_functions else None


def behind(blueprint: Blueprint) -> Blueprint:
    """Give a blueprint of patient pages what all of them share: headers, the refusal of other sites, kept input."""
    blueprint.before_request(only_from_here)
    blueprint.after_request(seal_the_page)
    blueprint.after_request(arriving.remember)
    arriving.name_the_link(blueprint)
    blueprint.register_error_handler(Exception, keep_what_was_typed)
    # By its number too: the whole application has a page of its own for a stale form token, made for staff.
    blueprint.register_error_handler(400, keep_what_was_typed)
    return blueprint


behind(pages)


def thanks(language: str, clinic: Clinic | None, own: str | None = None, *, views: bool = False) -> Response:
    """Say thank you and have the browser forget the pages before it: "back" on a borrowed phone shows no answer.

    The cookie stays, so that a second tab and a second press arrive at this same page; beside it, it opens only the
    patient's own page at `own`, which shows no answer either. `views` were no answers for the care team.
    """
    response = rendering.page("thanks", language, clinic, own_page=own, views=views, own=views)
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
    return leave(response) if g.get("tablet") else response


def leave(response: Response) -> Response:
    """Have a shared tablet forget everything, the opened link first of all."""
    response.headers["Clear-Site-Data"] = '"cache", "cookies", "storage"'
    response.delete_cookie(
        arriving.cookie(), path="/", secure=runtime.settings().secure, httponly=True, samesite="Strict"
    )
    return response


def onward(session: Session, link: IntakeLink) -> Response:
    """Go to the first open question, the check page, or the thanks; without questions, to where the link leads."""
    own = own_page()
    if own is not None and link.for_views:
        return to(VIEWS_PAGE)
    if own is not None and not link.instruments:
        return redirect(own, 303)
    here = progress.place(session, link)
    if here is None:
        return to("pages.done")
    if here.question is None:
        return to("pages.check", part=here.part + 1)
    return to("pages.question", part=here.part + 1, number=here.question + 1)


def to(endpoint: str, **values: Any) -> Response:
    """Send the browser to a page of ours, as a GET."""
    return redirect(url_for(endpoint, **values), code=303)
