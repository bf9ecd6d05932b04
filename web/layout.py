"""The frame of every staff page: who is here, what waits where, who may see it, and pages for what went wrong."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, NoReturn
from uuid import UUID

from flask import Blueprint, Flask, Response, abort, current_app, g, redirect, render_template, request, url_for
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from config import audit, clock, devices, logging
from messaging.inbox import undoing, views
from messaging.models import Staff
from reminders import care_model, unreached
from web import assets, patient_access, permissions, sessions, settings_menu, this_page, times, typed_before, words
from web.presenters import alarms, board_view, filters, frame_counts, timer_view

POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
# Doors of others: machines and patients get their own answers, not pages for staff.
FOREIGN = ("/webhooks/", "/i/", "/k/", "/api/")

frame = Blueprint("web", __name__, template_folder="templates", static_folder="static", static_url_path="/assets")
_OURS = {"web"}


@dataclass(frozen=True)
class Shell:
    """What the frame shows: the views with their counts, the clinic, who is signed in and until when on duty.

    `unowned` is how many items nobody owns, `at_the_end` how many have come to the end of their escalation, `safety`
    how many safety items nobody has acknowledged, `alarms` those over every page of theirs, `came`
    how many items have come to the reader by escalation; `saved` the ways of looking that the reader has named;
    `places` the clinic's settings that the reader may open; `phone_fault` why no alert reaches the reader's phone, or
    None; `reading_off` that the second reading is off, `held_back` which texts a brake holds back; `team` what
    colleagues ask of the reader; `timer` what times the reader's work.
    """

    clinic: str
    staff: str
    staff_id: UUID
    duty: str | None
    views: list[tuple[str, str, int]]
    handoffs: int
    here: str | None
    unowned: int
    at_the_end: int
    safety: int
    alarms: alarms.Bar
    came: int
    saved: list[filters.Saved]
    reads_inbox: bool
    reads_desk: bool
    desk_waits: int
    finds_patients: bool
    sees_handoffs: bool
    saves_replies: bool
    not_reached: int
    has_registry: bool
    places: list[settings_menu.Group]
    phone_fault: str | None
    reading_off: str
    held_back: str
    team: board_view.Waiting
    timer: timer_view.Running | None

    @property
    def mine(self) -> int | None:
        """How many items are the reader's own, None for a role to whom none is."""
        return next((count for view, _, count in self.views if view == "mine"), None)

    @property
    def in_settings(self) -> bool:
        """Whether the page is one of the clinic's settings, which show their own list."""
        return any(name == self.here for _, pages in self.places for name, *_ in pages)


def room(name: str, module: str) -> Blueprint:
    """Return the blueprint of one room of this door, whose failures are explained to staff in words."""
    blueprint = Blueprint(name, module)
    blueprint.register_error_handler(Exception, _failed)
    return blueprint


def register(app: Flask, *rooms: Blueprint) -> None:
    """Put the frame and the staff's pages into `app`, each of them closed unless it says to whom it is open."""
    for blueprint in (frame, *rooms):
        register_room(app, blueprint)
    app.before_request(_guard)
    app.after_request(_headers)
    app.context_processor(_facts)
    for kind in (HTTPException, CSRFError):
        app.register_error_handler(kind, _went_wrong)
    app.jinja_env.globals.update(say=words.say, this_page=this_page.address)
    app.jinja_env.filters["clock"] = times.typed_clock
    app.jinja_env.filters["capped"] = filters.capped


def page(
    session: Session, template: str, *, here: str | None, present: Mapping[str, str] | None = None, **facts: Any
) -> str:
    """Render a page in its frame; `here` is the view or page to mark as the present one.

    `present` says by thread which colleagues are there; templates know it as `here`.
    """
    return render_template(template, shell=_shell(session, here), here=present or {}, **facts)


def register_room(app: Flask, blueprint: Blueprint) -> None:
    """Put one room's pages into `app`, closed unless they say to whom they are open."""
    _OURS.add(blueprint.name)
    app.register_blueprint(blueprint)


def _shell(session: Session, here: str | None) -> Shell:
    staff, clinic = the_staff(), sessions.clinic()
    may = partial(permissions.may, staff.role)  # by the role alone: the frame is about no patient
    reads, sees = may("inbox.read"), may("handoffs.read")
    theirs = views.for_whom(owns=permissions.has_own_items(staff.role)) if reads else ()
    counts = frame_counts.read(session, clinic, staff, inbox=reads, desk=may("desk.read"), handoffs=sees)
    return Shell(
        clinic=clinic.name,
        staff=staff.name,
        staff_id=staff.id,
        duty=times.on_duty(staff.hours, clock.now(), clinic.zone),
        views=[(view, words.say("views", view), counts.get(view, 0)) for view in theirs],
        handoffs=counts.get("handoffs", 0),
        here=here,
        unowned=counts.get("unowned", 0),
        at_the_end=counts.get("at_the_end", 0),
        safety=counts.get("safety", 0),
        alarms=alarms.bar(session, clinic, staff, names_shown() if reads else alarms.HIDDEN),
        came=counts.get("came", 0),
        saved=filters.saved(session, clinic, staff, readable=may("inbox.words")) if reads else [],
        reads_inbox=reads,
        reads_desk=may("desk.read"),
        desk_waits=counts.get("desk", 0),
        finds_patients=may("patients.read"),
        sees_handoffs=sees,
        saves_replies=may("replies.save"),
        not_reached=unreached.count(session, clinic, clock.now()) if may("patients.read") else 0,
        has_registry=care_model.of_clinic(clinic).registry and (may("caseload.read") or may("caseload.bill")),
        places=settings_menu.open_to(staff.role),
        phone_fault=words.say("phone_faults", staff.phone_fault) if staff.phone_fault else None,
        reading_off=alarms.reading_off(session, clinic) if reads else "",
        held_back=alarms.held_back(session, clinic),
        team=board_view.waiting(session, clinic, staff, counts["ended"] + counts.get("asked", 0)),
        timer=timer_view.running(session, clinic, staff, works=may("caseload.work")),
    )


def names_shown() -> str:
    """Return how openly patients' names stand in this browser: full | initials | hidden (web.account.preferences)."""
    return request.cookies.get(devices.of_this_host("wt_names"), "full")


def the_staff() -> Staff:
    """Return who is signed in; only behind the guard, which has let nobody else through."""
    staff = sessions.current_staff()
    if staff is None:
        abort(403)
    return staff


def the_actor() -> audit.Actor:
    """Return who is signed in, as audit lines and versions name them."""
    return audit.Actor.staff(the_staff().id)


def may(act: str, patient_id: UUID | None = None) -> bool:
    """Whether who is signed in may do `act`, about `patient_id` or else the patient of this address."""
    return patient_access.allows(the_staff(), act, patient_id or (request.view_args or {}).get("patient_id"))


def reads(patient_id: UUID | None) -> bool:
    """Whether who is signed in may read what this patient said; None: a number that is nobody's."""
    return may("inbox.words", patient_id) if patient_id else patient_access.reads_nobodys(the_staff())


def sight(session: Session) -> patient_access.Sight:
    """Return what who is signed in may see of patients in a list."""
    return patient_access.sight(session, the_staff())


def lock(patient_id: UUID) -> NoReturn:
    """Refuse a page about a patient whom the reader does not reach, and say how to ask for emergency access."""
    g.locked = patient_id
    abort(403)


def _guard() -> AnyResponse | None:
    if request.blueprint not in _OURS or request.endpoint == "web.static":
        return None
    view = request_view()
    demanded = getattr(view, "demands", "nothing says who may")
    if demanded is None:
        return None
    staff = sessions.current_staff(seen="unattended" not in request.args)
    if staff is None:
        return _to_the_door()
    times.follow(times.Style.of(sessions.clinic().rules))
    if not may(demanded):
        abort(403)
    if not view.owing and sessions.owes_factor():
        return redirect(url_for("factorpages.show"), 303)
    patient_access.mark_emergency(staff, (request.view_args or {}).get("patient_id"))  # before a page writes its line
    return None


def request_view() -> Any:
    """Return the function that will answer this request."""
    return current_app.view_functions.get(request.endpoint or "")


def _to_the_door() -> AnyResponse:
    if "unattended" in request.args:
        abort(401)
    if request.method == "POST" and (kept := typed_before.page()):
        return Response(kept, 401)
    onward = request.full_path.rstrip("?") if request.method == "GET" else "/"
    return redirect(url_for("signin.form", next=onward), 303)


def _headers(response: Response) -> Response:
    ours = request.blueprint in _OURS
    if not ours and not (response.status_code >= 400 and _is_ours_to_explain()):
        return response
    response.headers["Content-Security-Policy"] = getattr(request_view(), "policy", POLICY)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    response.headers["Cache-Control"] = "no-store"
    if request.endpoint == "web.static":
        assets.headers(response)
    opened = patient_access.emergency()
    if opened is not None and request.method == "GET":
        response.headers["Refresh"] = str(opened.left + 1)  # a page left open shows nothing once it has ended
    return response


def _is_ours_to_explain() -> bool:
    return not f"{request.path}/".startswith(FOREIGN)


def _facts() -> dict[str, Any]:
    return {
        "asset": assets.address,
        "compact": request.cookies.get(devices.of_this_host("wt_density")) == "compact",
        "key_words": words.table_of("keys"),
        "emergency": patient_access.emergency(),
        "keys_on": request.cookies.get(devices.of_this_host("wt_keys")) != "off",
        "layout_may": may,
        "shell": None,
        "undo_seconds": int(undoing.WITHIN.total_seconds()),
    }


def _failed(error: Exception) -> tuple[str, int] | HTTPException:
    if isinstance(error, HTTPException):
        return _went_wrong(error)
    logging.logger().error("unexpected", route=str(request.url_rule), exc_info=error)
    # A database that is away or has no room is a matter of minutes.
    return _wrong_page(503 if isinstance(error, OperationalError) else 500)


def _went_wrong(error: HTTPException) -> tuple[str, int] | HTTPException:
    code = error.code or 500
    g.bad_form_token = isinstance(error, CSRFError)
    return _wrong_page(code) if code >= 400 and _is_ours_to_explain() else error


def _wrong_page(code: int) -> tuple[str, int]:
    key = str(code) if str(code) in words.table_of("wrong_titles") else "other"
    staff = sessions.current_staff(seen=False) if code < 500 else None
    signed = staff is not None
    outside = not signed and key in words.table_of("wrong_outside")
    page = render_template(
        "staff/wrong.html",
        code=code,
        heading=words.say("wrong_titles", key),
        advice=words.say("wrong_outside" if outside else "wrong_advice", key),
        signed=signed,
        locked=_locked(staff) if code == 403 else None,
    )
    return page, code


def _locked(staff: Staff | None) -> UUID | None:
    """The patient whose page was refused, if the reader could ask for emergency access to them."""
    if staff is None or request.method != "GET" or not permissions.may(staff.role, "emergency.open"):
        return None
    patient_id: UUID | None = g.get("locked") or (request.view_args or {}).get("patient_id")
    return patient_id
