"""The web application: the two doors, the patients' pages and the operators' addresses in one Flask app."""

import json
import uuid
from http import HTTPStatus
from typing import Any

from flask import Flask, Response, g, request
from flask_wtf.csrf import CSRFProtect
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import HTTPException, InternalServerError

from api import door as programs
from api.fhir import door as fhir
from config import client_address, keys, logging, runtime, security_events
from intake_links import pages, tablet_pages
from portal import line, plan, video, views
from service import doors_by_host, health, inside, metrics, page_reports, sealed_cookies
from web import register as staff
from webhooks import ehr, forms, twilio

MACHINES = ("/webhooks/", "/api/")
LARGEST_BODY = 256 * 1024
# Browsers of people post to these and need a CSRF token; machines sign what they send.
# The patient's own page is one, whichever file a part of it stands in.
PEOPLE = (pages.pages, tablet_pages.kiosk, *{line.own, plan.own, views.own}, video.video)
MACHINES_DOORS = (twilio.door, forms.door, ehr.door, programs.door, fhir.door)
PROGRAMS = "/api/"


def create_app() -> Flask:
    """Return the application for the settings of this process."""
    app = Flask("warmthread", static_folder=None, template_folder=None)
    settings = runtime.settings()
    app.config.update(
        SECRET_KEY=keys.ring().secret("cookies"),
        MAX_CONTENT_LENGTH=LARGEST_BODY,
        MAX_FORM_PARTS=200,
        SESSION_COOKIE_NAME="__Host-wt_form" if settings.secure else "wt_form",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.secure,
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_SSL_STRICT=False,
        PROPAGATE_EXCEPTIONS=False,
        DEBUG=False,  # whatever FLASK_DEBUG says: nobody is shown insides
    )
    app.session_interface = sealed_cookies.SealedCookies(MACHINES)
    doors_by_host.register(app, *(door.name for door in (*PEOPLE, *MACHINES_DOORS)))
    csrf = CSRFProtect(app)
    app.after_request(page_reports.ask_for_them)  # the first to be named is the last to be asked
    for door in MACHINES_DOORS:
        app.register_blueprint(door)
        csrf.exempt(door)
    for door in PEOPLE:
        app.register_blueprint(door)
    staff.register(app)
    csrf.exempt(staff.OF_MACHINES)
    app.before_request(inside.only)
    app.register_blueprint(health.door)
    app.register_blueprint(page_reports.door)
    csrf.exempt(page_reports.door)
    metrics.register(app)
    app.register_error_handler(Exception, _unexpected)
    app.after_request(_headers)
    app.after_request(_problems_to_machines)
    app.after_request(_security_events)
    return app


def _unexpected(error: Exception) -> Any:
    if request.path.startswith(PROGRAMS):
        return programs.refused(error)
    if isinstance(error, HTTPException) and not isinstance(error, InternalServerError):
        return problem(error.code or 500, error.name) if request.path.startswith(MACHINES) else error
    reference = uuid.uuid4().hex[:12]
    logging.logger().error("unexpected", problem=reference, route=str(request.url_rule), exc_info=error)
    # A database that is away or has no room is a matter of minutes, and whoever asks again then is served.
    for_now = isinstance(error, OperationalError)
    answer = _for_machines(for_now, reference) if request.path.startswith(MACHINES) else _for_people(for_now, reference)
    if for_now:
        answer.headers["Retry-After"] = "30"
    return answer


def _for_machines(for_now: bool, reference: str) -> Response:
    title = "Not kept: ask again later" if for_now else "Something went wrong on our side"
    return problem(503 if for_now else 500, title, reference)


def _for_people(for_now: bool, reference: str) -> Response:
    words = f"Something went wrong on our side. Please try again, or call the clinic. ({reference})"
    return Response(words, 503 if for_now else 500, mimetype="text/plain")


def problem(status: int, title: str, reference: str | None = None) -> Response:
    """Return problem details (RFC 9457) without internals."""
    body = {"type": "about:blank", "title": title, "status": status} | ({"reference": reference} if reference else {})
    answer = Response(status=status, mimetype="application/problem+json")
    answer.set_data(json.dumps(body))
    return answer


def _security_events(response: Response) -> Response:
    """Count and log what an attack would leave: refusals of every door."""
    kind = "form_token" if g.get("bad_form_token") else None
    kind = kind or security_events.kind_of(request.path, request.method, response.status_code)
    if kind is not None:
        source = client_address.source(request.environ)
        security_events.note(kind, source, route=request.endpoint or "none", status=response.status_code)
    return response


def _problems_to_machines(response: Response) -> Response:
    """Say in problem details what Flask says to machines as a page: an unknown address, a method, a body too large."""
    theirs = request.path.startswith(MACHINES) and not request.path.startswith(PROGRAMS)
    if response.status_code >= 400 and response.mimetype == "text/html" and theirs:
        details = problem(response.status_code, HTTPStatus(response.status_code).phrase)
        response.set_data(details.get_data())
        response.content_type = details.content_type
    return response


def _headers(response: Response) -> Response:
    for name, value in (
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "no-referrer"),
        ("X-Frame-Options", "DENY"),
        ("Cross-Origin-Opener-Policy", "same-origin"),
        ("Cross-Origin-Resource-Policy", "same-origin"),
        ("Cache-Control", "no-store"),
        ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; base-uri 'none'"),
    ):
        response.headers.setdefault(name, value)
    if runtime.settings().secure:
        response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    return response
