"""The page on which a clinic says which identity provider its people sign in with, and which group has which role."""

from uuid import UUID

from flask import abort, flash, redirect, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from config import audit, clock, db, runtime
from messaging.models import Clinic, Staff
from messaging.versions import publishing
from reminders import single_sign_on as terms
from reminders.single_sign_on import SINGLE_SIGN_ON
from web import layout, permissions, sessions, times, words
from web.account import sso_client, sso_door, sso_people
from web.models import ProviderSecret
from web.settings import decision_form, decision_pages

single_sign_on = layout.room("single_sign_on", __name__)
decision_pages.EDITORS[terms.NAME] = "single_sign_on.show"
LONGEST_SECRET = 500
LINES = ("issuer", "client_id", "groups_claim")
LISTS = ("domains", *terms.ROLES, "second_step")
CHOICES = ("on", "joiners", "only")


@single_sign_on.get("/settings/sign-on")
@permissions.signed_in("clinic.look")
def show() -> str:
    """Show the provider and the draft of a change."""
    return decision_form.show(SINGLE_SIGN_ON, _page)


@single_sign_on.post("/settings/sign-on")
@permissions.signed_in("clinic.settings", fresh=True)
def save() -> Response | tuple[str, int]:
    """Keep what was typed as a draft; nobody comes in by that."""
    raw: publishing.Definition = {name: request.form.get(name, "").strip() for name in LINES}
    raw |= {
        name: [part for line in request.form.get(name, "").splitlines() if (part := line.strip())] for name in LISTS
    }
    raw |= {name: name in request.form for name in CHOICES}
    return decision_form.save(SINGLE_SIGN_ON, _page, raw)


@single_sign_on.post("/settings/sign-on/secret")
@permissions.signed_in("clinic.settings", fresh=True)
def keep_secret() -> Response:
    """Keep another secret, sealed; it holds from now on."""
    typed = request.form.get("secret", "").strip()
    if not typed or len(typed) > LONGEST_SECRET or not typed.isprintable():
        return _back("secret_missing", "refused")
    with db.unit_of_work(sessions.clinic().id) as session:
        clinic = session.get_one(Clinic, sessions.clinic().id, with_for_update=True)
        kept = sso_door.secret(session, clinic.id)
        if kept is None:
            kept = ProviderSecret(id=db.new_id(), clinic_id=clinic.id, key_id=clinic.key_id)
            session.add(kept)
        kept.secret, kept.changed_by, kept.changed_at = typed, layout.the_actor(), clock.now()
        audit.record(session, clinic.id, layout.the_actor(), "single_sign_on.secret", f"clinic:{clinic.id}")
    return _back("secret_kept")


@single_sign_on.post("/settings/sign-on/try")
@permissions.signed_in("clinic.settings")
def reach() -> Response:
    """Ask the provider of the draft, or of what holds, who it is; nobody signs in by that."""
    with db.unit_of_work(sessions.clinic().id, read_only=True) as session:
        clinic = session.get_one(Clinic, sessions.clinic().id)
        issuer = decision_form.standing(session, clinic, SINGLE_SIGN_ON)[0]["issuer"]
    if not issuer:
        return _back("not_yet", "refused")
    sso_client.forget(issuer)
    try:
        sso_client.provider(issuer)
    except sso_client.Silent:
        return _back("unreached", "refused")
    return _back("reached")


@single_sign_on.post("/settings/people/<uuid:staff_id>/unlink")
@permissions.signed_in("clinic.settings", fresh=True)
def unlink(staff_id: UUID) -> Response:
    """Let the provider's account of a colleague mean nobody here, until they come in by it anew."""
    with db.unit_of_work(sessions.clinic().id) as session:
        staff = session.get(Staff, staff_id, with_for_update=True)
        if staff is None or staff.clinic_id != sessions.clinic().id or staff.sso_subject is None:
            abort(404)
        sso_people.unlink(session, staff, layout.the_actor())
        sessions.revoke(session, staff.id)
        name = staff.name
    flash(words.say("sso", "unlinked", name=name))
    return redirect(url_for("colleagues.show") + f"#person-{staff_id}", 303)


def _back(said: str, kind: str = "message") -> Response:
    flash(words.say("sso", said), kind)
    return redirect(url_for("single_sign_on.show"), 303)


def _page(session: Session, clinic: Clinic, sheet: decision_form.Sheet) -> str:
    public = runtime.settings().staff_address
    return layout.page(
        session,
        "staff/single_sign_on.html",
        here="single_sign_on",
        sheet=sheet,
        raw=sheet.raw,
        problems=sheet.problems,
        desk=decision_pages.desk(session, clinic, SINGLE_SIGN_ON),
        roles=[(role, words.say("roles", role), words.say("role_means", role)) for role in terms.ROLES],
        back_to=public + url_for("sso.back", clinic_id=clinic.id),
        signed_out_to=public + url_for("signin.form"),
        told_to=public + url_for("sso_logout.told", clinic_id=clinic.id),
        door=public + url_for("signin.form", at=clinic.id),
        secret=_secret(session, clinic),
        edits=layout.may("clinic.settings"),
    )


def _secret(session: Session, clinic: Clinic) -> str:
    kept = sso_door.secret(session, clinic.id)
    if kept is None:
        return words.say("sso", "secret_none")
    when = times.moment(kept.changed_at, clock.now(), clinic.zone, running=True)
    return words.say("sso", "secret_set", when=when, who=decision_pages.name_of(session, kept.changed_by))
