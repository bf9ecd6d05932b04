"""The way in: the page a link opens, the birth date, and what to do when a link opens nothing any more."""

import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from flask import request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from config import client_address, clock, db, throttle
from intake_links import addresses, arriving, frame, links, rendering
from intake_links.models import IntakeLink
from messaging.models import Clinic

pages = frame.pages
# Wrong birth dates from one source after which its next ones are slowed (ASVS 6.3.1), by so little that nobody who
# shares the source is kept out: what stops guessing is the five tries of a link.
WRONG_DATES = throttle.Limit("birth_date.source", free=20)
SLOWED_SECONDS = 0.2


@pages.get("/<token>")
def start(token: str) -> Response:
    """Show who asks, and ask for the birth date. Previews fetch links, so looking changes nothing."""
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        link = links.by_token(session, token)
        clinic, language = _whose(session, link), _language(link)
        if link is not None and link.state == "answered":
            return _thanks(language, clinic, link, token)
        if link is None or not _opens(link):
            return _closed(session, language, clinic, token)
        action = url_for("pages.verify", token=token)
        return rendering.page("start", language, clinic, action=action, **_about(link))


@pages.get("/", defaults={"token": "", "rest": ""})
@pages.get("/<token>/", defaults={"rest": ""})
@pages.get("/<token>/<path:rest>")
def nowhere(token: str, rest: str) -> Response:
    """Say at an address that is none whom to call; lead to the page that was meant where a phone took more along."""
    meant = addresses.page_in(rest)
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        link = links.by_token(session, token) if meant is not None else None
        if link is None:
            return _closed(session, rendering.language_for(None), None, token)
    return frame.to("pages.before_own_page" if meant else "pages.start", token=token)


@pages.post("/<token>/")
@pages.post("/<token>/<path:rest>")
def posted_nowhere(token: str, rest: str = "") -> Response:
    """Take a birth date at such an address as at the one that was meant."""
    meant = addresses.page_in(rest)
    if meant is None:
        with db.unit_of_work(db.EVERY, read_only=True) as session:
            return _closed(session, rendering.language_for(None), None, token)
    return verify_for_own_page(token) if meant else verify(token)


@pages.post("/<token>")
def verify(token: str) -> Response:
    """Let in who knows the birth date, by a cookie and an address without the token."""
    slow_down()
    with db.unit_of_work(db.EVERY) as session:
        link = links.by_token(session, token)
        clinic, language = _whose(session, link), _language(link)
        if link is not None and link.state == "answered":
            return _thanks(language, clinic, link, token)
        if link is None or clinic is None or links.on_tablet(link):
            return _closed(session, language, clinic, token)
        action = url_for("pages.verify", token=token, lang=language)
        let_in = try_birth_date(session, clinic, link, "start", action)
        if isinstance(let_in, Response):
            return let_in
        link.language = language
        arriving.begin(session, link, let_in)
        return frame.to("pages.resume")


@pages.get("/<token>/me")
def before_own_page(token: str) -> Response:
    """Ask for the birth date before the patient's own page, also where the questions of the link are answered."""
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        link = links.by_token(session, token)
        clinic, language = _whose(session, link), _language(link)
        if link is None or frame.own_page() is None or not links.opens_own_page(link, clock.now()):
            return _closed(session, language, clinic, token)
        action = url_for("pages.verify_for_own_page", token=token)
        return rendering.page("start", language, clinic, action=action, own=True)


@pages.post("/<token>/me")
def verify_for_own_page(token: str) -> Response:
    """Let in to the patient's own page who knows the birth date."""
    slow_down()
    with db.unit_of_work(db.EVERY) as session:
        link = links.by_token(session, token)
        clinic, language, own = _whose(session, link), _language(link), frame.own_page()
        if link is None or clinic is None or links.on_tablet(link) or own is None:
            return _closed(session, language, clinic, token)
        action = url_for("pages.verify_for_own_page", token=token, lang=language)
        let_in = try_birth_date(session, clinic, link, "start", action, links.opens_own_page)
        if isinstance(let_in, Response):
            return let_in
        link.language = language
        arriving.begin(session, link, let_in)
        return frame.to(frame.OWN_PAGE)


def _thanks(language: str, clinic: Clinic | None, link: IntakeLink, token: str) -> Response:
    """Say thank you; the patient's own page lies behind the birth date here, as nobody has been let in."""
    opens = frame.own_page() is not None and links.opens_own_page(link, clock.now())
    own = url_for("pages.before_own_page", token=token) if opens else None
    return frame.thanks(language, clinic, own, views=link.for_views)


@pages.post("/<token>/new")
def ask_for_another(token: str) -> Response:
    """Have the care team told that a new link is wished for; what is said does not depend on whether there was one."""
    with db.unit_of_work(db.EVERY) as session:
        link = links.by_token(session, token)
        clinic, language = _whose(session, link), _language(link)
        if link is not None and clinic is not None:
            links.ask_for_another(session, clinic, link)
        return rendering.page("asked", language, frame.to_call(session, clinic))


def _whose(session: Session, link: IntakeLink | None) -> Clinic | None:
    """Return the clinic to call: the link's own."""
    return session.get(Clinic, link.clinic_id) if link is not None else None


def _language(link: IntakeLink | None) -> str:
    return rendering.language_for(link.language if link else None)


def _opens(link: IntakeLink | None) -> bool:
    return link is not None and links.is_open(link, clock.now()) and not links.on_tablet(link)


def _closed(session: Session, language: str, clinic: Clinic | None, token: str) -> Response:
    """Say the same of a link that is unknown, over, locked or replaced, and offer the same way on; but nobody sends
    anew what the clinic asks of how it did."""
    link = links.by_token(session, token) if token else None
    offers = token and not (link is not None and link.for_views)
    wish = url_for("pages.ask_for_another", token=token[:60]) if offers else None
    return frame.dead_end(session, language, clinic, 404, wish=wish)


def try_birth_date(
    session: Session,
    clinic: Clinic,
    link: IntakeLink,
    page: str,
    action: str,
    opens: Callable[[IntakeLink, datetime], bool] = links.is_open,
    carried: Sequence[tuple[str, str]] | None = None,
) -> Response | str:
    """Return the token of a session, or the page that says in words what to look at and keeps what was typed."""
    language = _language(link)
    born, problem = links.read_birth_date(request.form)
    if born is not None and opens(link, clock.now()):
        token = links.verify(session, clinic, link, born, opens)
        if token is not None:
            return token
        throttle.take(_wrong_dates())
        problem = "birth_wrong"
    if not opens(link, clock.now()):
        return _closed(session, language, clinic, (request.view_args or {}).get("token", ""))
    typed = {name: request.form.get(name, "")[:20] for name in links.BIRTH}
    facts: dict[str, Any] = {
        "action": action,
        "problem": problem,
        "typed": typed,
        "carried": rendering.carried() if carried is None else carried,
        **_about(link, opens),
    }
    return rendering.page(page, language, clinic, 422, **facts)


def _about(link: IntakeLink, opens: Callable[[IntakeLink, datetime], bool] = links.is_open) -> dict[str, bool]:
    """What the sheet says that the birth date opens: questions, the patient's own page, or what the clinic asks."""
    own_page = opens is links.opens_own_page
    return {"own": own_page or not link.instruments, "views": link.for_views and not own_page}


def go_on(
    session: Session,
    clinic: Clinic,
    link: IntakeLink,
    opened: links.OpenedLink | None,
    action: str,
    opens: Callable[[IntakeLink, datetime], bool],
    carried: Sequence[tuple[str, str]],
) -> links.OpenedLink | Response | None:
    """Return the opened link to go on with: as it is while fresh, or anew for who was away too long and knows the date.

    Else the page that asks for the birth date, as `try_birth_date` gives it.
    """
    if opened is not None:
        arriving.put_first(session, opened)
        return opened
    let_in = try_birth_date(session, clinic, link, "again", action, opens, carried)
    if isinstance(let_in, Response):
        return let_in
    arriving.begin(session, link, let_in)
    return links.opened(session, let_in, acting=True)


def slow_down() -> None:
    """Hold a source up that tried many wrong dates; asked before the transaction, which nobody is to wait for."""
    if throttle.wait(_wrong_dates()):
        time.sleep(SLOWED_SECONDS)


def _wrong_dates() -> throttle.Bucket:
    return WRONG_DATES.of(client_address.source(request.environ))
