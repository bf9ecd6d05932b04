"""The Flask app of the simulator, put together from its parts."""

from datetime import timedelta
from urllib.parse import urlsplit

from flask import Flask, Response, abort, jsonify, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from simulator import account, clock, controls, letters, mail, phones, receivers, rest, settings
from simulator.ehrs import athena, charts, engine, epic, events
from simulator.ehrs import controls as ehr_controls
from simulator.ehrs import pages as ehr_pages
from simulator.errors import ApiError
from simulator.network import Network
from simulator.settings import Settings

BODY_LIMIT = 12 * 1024 * 1024
POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'"
)


def create_app(settings: Settings) -> Flask:
    """Return a simulator with an empty network; it starts the network's threads."""
    app = Flask("simulator")
    app.config["MAX_CONTENT_LENGTH"] = BODY_LIMIT
    clock.shift(timedelta(seconds=settings.clock_ahead_s))
    app.extensions["network"] = Network(settings)
    app.extensions["mailbox"] = mailbox = mail.Mailbox(settings.keep)
    app.extensions["receivers"] = receivers.Receivers()
    app.extensions["ehrs"] = charts.Charts()
    app.extensions["ehr_engines"] = engine.Engines(app.extensions["ehrs"])
    app.extensions["ehr_events"] = {name: events.Events() for name in charts.Charts.NAMES}
    if settings.smtp_port:
        mail.serve(settings.host, settings.smtp_port, mailbox)
    app.before_request(only_from_this_machine)
    app.after_request(harden)
    app.register_error_handler(HTTPException, in_twilios_words)
    app.add_url_rule("/healthz", view_func=healthz)
    doors = (rest.pages, account.services, controls.pages, phones.pages, letters.pages, receivers.pages)
    for blueprint in (*doors, epic.pages, athena.pages, ehr_controls.pages, ehr_pages.pages):
        app.register_blueprint(blueprint)
    return app


def healthz() -> ResponseReturnValue:
    """Ready as soon as it answers."""
    return jsonify(status="ok", simulated=True)


def only_from_this_machine() -> None:
    """Refuse a foreign Host (DNS rebinding) and writes that another site's page sends through a browser."""
    if not settings.is_loopback(urlsplit(f"//{request.host}").hostname):
        abort(403, "the simulator answers on this machine only")
    origin = request.headers.get("Origin")
    if request.method != "GET" and origin and urlsplit(origin).netloc != request.host:
        abort(403, "another site's page may not use the simulator")


def harden(answer: Response) -> Response:
    """The usual headers; a page loads nothing from anywhere else."""
    answer.headers.setdefault("Content-Security-Policy", POLICY)
    answer.headers.setdefault("X-Content-Type-Options", "nosniff")
    # Not "no-referrer": a browser would then send `Origin: null` with the phone's own form.
    answer.headers.setdefault("Referrer-Policy", "same-origin")
    return answer


def in_twilios_words(error: HTTPException) -> ResponseReturnValue:
    """Answer an unknown address of the API as Twilio does, and every other one plainly."""
    codes = {404: 20404, 405: 20004, 400: 20001}
    if request.path.startswith("/2010-04-01/") and error.code in codes:
        refusal = ApiError(codes[error.code])
        return jsonify(refusal.payload()), refusal.status
    return error
