"""Who works at the clinic: inviting, changing, letting go and taking back, with what each would leave unseen.

What gives somebody patients' words, or a say, waits for a second person (web.settings.access_requests).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import abort, flash, redirect, request, url_for
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from caseload import episodes, leaving
from config import audit, clock, db
from messaging import phone
from messaging.inbox.staff import coverage_guard, staffing
from messaging.models import Clinic, Staff
from web import guarded_access, layout, permissions, sessions, times, words
from web.account import lock_out, signin
from web.ids import uuid_of
from web.models import SignInLink, StaffSession
from web.settings import (
    access_request_view,
    granting,
    handing_links,
    handing_on,
    recovery_pages,
    sign_in_links,
)

colleagues = layout.room("colleagues", __name__)
ROLES = tuple(permissions.MAY)


@dataclass(frozen=True)
class Card:
    """A colleague as the page shows them: how they stand, what they hold, and what the form holds."""

    id: UUID
    name: str
    credential: str
    email: str
    role: str
    active: bool
    me: bool
    standing: str
    linked: bool
    languages: str
    panels: str
    phone: str
    duty: str
    seen: str
    fault: str
    raw: Mapping[str, Any]
    held: int = 0
    cared: int = 0


@dataclass(frozen=True)
class Shown:
    """What an act adds to the page: whose form is open with what is wrong, and the link that was made. `leaving` asks
    before `who` is deactivated."""

    who: UUID | None = None
    leaving: bool = False
    raw: Mapping[str, Any] = field(default_factory=dict)
    problems: Mapping[str, str] = field(default_factory=dict)
    made: granting.Link | None = None


@colleagues.get("/settings/people")
@permissions.signed_in("clinic.look")
def show() -> str:
    """Show who works here; `edit` opens a colleague's form, `leave` asks before they are deactivated."""
    with db.unit_of_work(sessions.clinic().id, read_only=True) as session:
        leaving = uuid_of(request.args.get("leave"))
        return _page(session, Shown(who=leaving or uuid_of(request.args.get("edit")), leaving=leaving is not None))


@colleagues.post("/settings/people")
@permissions.signed_in("clinic.settings", fresh=True)
def invite() -> str | Response | tuple[str, int]:
    """Add a colleague and send them a link; where no way leads to them alone, show it, this once."""
    raw = given(request.form)
    try:
        with db.unit_of_work(sessions.clinic().id) as session:
            facts, clinic = staffing.read(raw, ROLES), _clinic(session)
            if guarded_access.guards(facts.role):
                return access_request_view.asked(session, clinic, "invite", facts)
            staff = staffing.invite(session, clinic, facts, layout.the_actor())
            made = granting.link(session, clinic, staff, layout.the_actor())
    except staffing.MayNot as refused:
        return _refused(None, raw, refused)
    return _shown(Shown(made=made))


@colleagues.post("/settings/people/<uuid:staff_id>")
@permissions.signed_in("clinic.settings", fresh=True)
def change(staff_id: UUID) -> Response | tuple[str, int]:
    """Change a colleague's name, credential, role, languages, panels or phone."""
    raw, field = given(request.form), ""
    try:
        with db.unit_of_work(sessions.clinic().id) as session:
            staff, clinic = _one(session, staff_id), _clinic(session)
            facts = staffing.read({**raw, "email": staff.email}, ROLES)
            field = "number" if staff.number and facts.number is None else "role"
            at_once = _at_once(staff, facts)
            granting.change(session, clinic, staff, at_once, layout.the_actor())
            if at_once != facts:
                granting.could_change(session, clinic, staff, facts)
                return access_request_view.asked(session, clinic, "change", facts, staff)
    except staffing.MayNot as refused:
        return _refused(staff_id, raw, refused)
    except coverage_guard.MakesGap as gap:
        return _with_gaps(staff_id, raw, field, gap)
    flash(words.say("colleagues", "changed", name=facts.name))
    return redirect(url_for("colleagues.show") + f"#person-{staff_id}", 303)


@colleagues.post("/settings/people/<uuid:staff_id>/leave")
@permissions.signed_in("clinic.settings", fresh=True)
def leave(staff_id: UUID) -> Response | tuple[str, int]:
    """Let a colleague in no more; what they had not finished moves on."""
    try:
        with db.unit_of_work(sessions.clinic().id) as session:
            staff = _one(session, staff_id)
            to = handing_on.successor(session, staff, request.form.get("to", ""))
            left = leaving.leave(session, _clinic(session), staff, layout.the_actor(), to)
            lock_out.end_access(session, staff, layout.the_actor())
            name = staff.name
    except staffing.MayNot as refused:
        return _refused(staff_id, {}, refused, leaving="to" in refused.problems)
    except coverage_guard.MakesGap as gap:
        return _with_gaps(staff_id, {}, "", gap)
    flash(handing_on.in_words(name, left))
    return redirect(url_for("colleagues.show"), 303)


@colleagues.post("/settings/people/<uuid:staff_id>/link")
@permissions.signed_in("clinic.settings", fresh=True)
def link(staff_id: UUID) -> str | Response:
    """Make a new link for a colleague, also for one who comes back; links that were not used end."""
    with db.unit_of_work(sessions.clinic().id) as session:
        staff, clinic = _one(session, staff_id, also_gone=True), _clinic(session)
        back, own = not staff.active or staff.sso_state == "locked", staff.id == layout.the_staff().id
        shown = handing_links.way(session, staff) is None
        if guarded_access.link_waits(staff.role, comes_back=back, shown=shown, own=own):
            facts = staffing.facts(staff)
            return access_request_view.asked(session, clinic, "return" if back else "link", facts, staff)
        staffing.come_back(session, clinic, staff, layout.the_actor())
        made = granting.link(session, clinic, staff, layout.the_actor())
    return _shown(Shown(made=made))


@colleagues.post("/settings/people/links/<uuid:link_id>/revoke")
@permissions.signed_in("clinic.settings", fresh=True)
def revoke_link(link_id: UUID) -> Response:
    """Let nobody in by a link that was not used."""
    with db.unit_of_work(sessions.clinic().id) as session:
        made = session.get(SignInLink, link_id)
        if made is None or made.clinic_id != sessions.clinic().id:
            abort(404)
        staff = _one(session, made.staff_id, also_gone=True)
        signin.spend_links(session, staff.id)
        audit.record(session, staff.clinic_id, layout.the_actor(), "staff.link_revoked", f"staff:{staff.id}")
        name = staff.name
    flash(words.say("colleagues", "revoked", name=name))
    return redirect(url_for("colleagues.show"), 303)


def given(form: MultiDict[str, str]) -> dict[str, Any]:
    """Return what was typed about a colleague."""
    typed = {key: form.get(key, "") for key in ("name", "credential", "email", "role", "panels", "number")}
    return typed | {"languages": form.getlist("languages")}


def _clinic(session: Session) -> Clinic:
    clinic = session.get_one(Clinic, sessions.clinic().id)
    db.load_keys(session, {clinic.key_id})
    return clinic


def _one(session: Session, staff_id: UUID, *, also_gone: bool = False) -> Staff:
    colleague = session.get(Staff, staff_id, with_for_update=True)
    if colleague is None or colleague.clinic_id != sessions.clinic().id or not (colleague.active or also_gone):
        abort(404)
    return colleague


def _at_once(staff: Staff, facts: staffing.Facts) -> staffing.Facts:
    """What of a change needs nobody else: all of it, or all but role and number."""
    other, own = facts.number not in (None, staff.number), staff.id == layout.the_staff().id
    if not guarded_access.change_waits(staff.role, facts.role, other_number=other, own=own):
        return facts
    return replace(facts, role=staff.role, number=staff.number)


def _shown(shown: Shown) -> str:
    with db.unit_of_work(sessions.clinic().id, read_only=True) as session:
        return _page(session, shown)


def _refused(
    who: UUID | None, raw: Mapping[str, Any], refused: staffing.MayNot, *, leaving: bool = False
) -> tuple[str, int]:
    problems = {place: words.say("colleague_refusals", why) for place, why in refused.problems.items()}
    return _shown(Shown(who=who, leaving=leaving, raw=raw, problems=problems)), 422


def _with_gaps(who: UUID, raw: Mapping[str, Any], field: str, gap: coverage_guard.MakesGap) -> tuple[str, int]:
    sentence = words.say("colleagues", "hole", when=gap.when)
    return _shown(Shown(who=who, raw=raw, problems={field: sentence})), 422


def _page(session: Session, shown: Shown) -> str:
    clinic = _clinic(session)
    everyone = session.scalars(
        select(Staff).where(Staff.clinic_id == clinic.id).order_by(Staff.active.desc(), Staff.name)
    ).all()
    standings = sign_in_links.standings(session, clinic, everyone, clock.now())
    held, cared = handing_on.held(session, clinic.id), episodes.managed(session, clinic.id)
    entered = select(StaffSession.staff_id, func.max(StaffSession.created_at)).where(
        StaffSession.clinic_id == clinic.id
    )
    last = dict(session.execute(entered.group_by(StaffSession.staff_id)).all())
    cards = [
        replace(
            _card(colleague, clinic, standings[colleague.id], last.get(colleague.id), shown),
            held=held.get(colleague.id, 0),
            cared=cared.get(colleague.id, 0),
        )
        for colleague in everyone
    ]
    names = {colleague.id: colleague.name for colleague in everyone}
    return layout.page(
        session,
        "staff/colleagues.html",
        here="people",
        cards=cards,
        opened=next((card for card in cards if card.id == shown.who), None),
        successors=handing_on.offered(session, shown.who if shown.leaving else None),
        requests=access_request_view.cards(session, clinic),
        links=sign_in_links.lines(session, clinic, names, clock.now()) if layout.may("clinic.settings") else [],
        shown=shown,
        recoveries=recovery_pages.standing(session, clinic.id) if layout.may("clinic.settings") else {},
        fresh=shown.raw if shown.who is None and shown.problems else {"languages": ["en"], "role": "care_manager"},
        problems=shown.problems,
        roles=[(role, words.say("roles", role), words.say("role_means", role)) for role in ROLES],
        languages=[(language, words.say("languages", language)) for language in staffing.LANGUAGES],
        days=granting.VALID.days,
        edits=layout.may("clinic.settings"),
    )


def _card(colleague: Staff, clinic: Clinic, standing: str, last: datetime | None, shown: Shown) -> Card:
    number = colleague.number or ""
    seen = phone.display(number) if layout.may("clinic.settings") else phone.mask(number)
    own = {
        "name": colleague.name,
        "credential": colleague.credential,
        "role": colleague.role,
        "languages": colleague.languages,
        "panels": ", ".join(colleague.panels),
        "number": seen if number else "",
    }
    return Card(
        id=colleague.id,
        name=colleague.name,
        credential=colleague.credential,
        email=colleague.email,
        role=words.say("roles", colleague.role),
        active=colleague.active,
        me=colleague.id == layout.the_staff().id,
        standing=standing,
        linked=colleague.sso_subject is not None,
        languages=", ".join(words.say("languages", language) for language in colleague.languages),
        panels=words.say("colleagues", "panels", names=", ".join(colleague.panels)) if colleague.panels else "",
        phone=seen if number else words.say("colleagues", "no_number"),
        duty=_duty(colleague, clinic),
        seen=times.moment(last, clock.now(), clinic.zone) if last else words.say("colleagues", "never"),
        fault=words.say("phone_faults", colleague.phone_fault) if colleague.active and colleague.phone_fault else "",
        raw=shown.raw if shown.who == colleague.id and shown.raw else own,
    )


def _duty(colleague: Staff, clinic: Clinic) -> str:
    """Until when they are on duty now."""
    if not colleague.active:
        return ""
    until = times.on_duty(colleague.hours, clock.now(), clinic.zone)
    if until is None:
        return words.say("colleagues", "off")
    return words.say("colleagues", "until", when=until) if until else words.say("colleagues", "always")
