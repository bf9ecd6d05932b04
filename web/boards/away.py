"""Who is away, who covers for them, and until when."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from flask import abort, flash, redirect, request, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from config import clock, db
from messaging.inbox.models import Absence
from messaging.inbox.routing import assign
from messaging.inbox.staff import absences, coverage_guard
from messaging.models import Staff
from web import layout, permissions, sessions, team, times, words
from web.account import account_news

cover = layout.room("cover", __name__)


@dataclass(frozen=True)
class Entry:
    """An absence in words: who, who covers, since or from when, until when; `mine` if it may be ended here."""

    id: UUID
    name: str
    covered_by: str
    starts: str
    ends: str
    begun: bool
    mine: bool


@cover.get("/away")
@permissions.signed_in("self")
def show() -> str:
    """Show who is away and who will be, and the form."""
    with db.unit_of_work(sessions.clinic().id, read_only=True) as session:
        return _page(session, {}, {})


@cover.post("/away")
@permissions.signed_in("self")
def plan() -> Response | tuple[str, int]:
    """Write down an absence: one's own, or anybody's for who decides for the clinic."""
    fields = {name: request.form.get(name, "").strip() for name in ("who", "starts", "ends", "cover")}
    fields["cover"] = request.form.get("closes", "").strip() or fields["cover"]
    with db.unit_of_work(sessions.clinic().id) as session:
        staff = _staff(session, fields["who"]) or layout.the_staff()
        if staff.id != layout.the_staff().id and not layout.may("clinic.settings"):
            abort(403)
        problems, closers = _plan(session, staff, fields)
        if problems:
            return _page(session, fields, problems, closers), 422
    flash(words.say("away", "planned"))
    return redirect(url_for("cover.show"), 303)


def _plan(
    session: Session, staff: Staff, fields: dict[str, str]
) -> tuple[dict[str, str], list[tuple[str, str]] | None]:
    """Plan the absence, or return what is wrong with each field, and whose cover would close the gap it would make."""
    starts, ends = _moment(fields["starts"]), _moment(fields["ends"])
    if starts is None or ends is None:
        unread = {"starts": starts, "ends": ends}
        return {name: words.say("away_refusals", "unread") for name, moment in unread.items() if moment is None}, None
    try:
        absences.plan(session, staff, _staff(session, fields["cover"]), starts, ends, by=layout.the_staff())
    except absences.MayNot as refused:
        return {refused.field: words.say("away_refusals", refused.why)}, None
    except coverage_guard.MakesGap as gap:
        closers = [
            (str(colleague.id), colleague.name) for colleague in absences.who_could(session, staff, starts, ends)
        ]
        return {"cover": words.say("away_refusals", "hole", when=gap.when)}, closers
    account_news.tell_of_another(session, staff, "away", layout.the_actor())
    return {}, None


@cover.post("/away/<uuid:absence_id>/end")
@permissions.signed_in("self")
def end(absence_id: UUID) -> Response | tuple[str, int]:
    """Come back, or take an absence back that has not begun."""
    with db.unit_of_work(sessions.clinic().id) as session:
        absence = session.get(Absence, absence_id, with_for_update=True)
        if absence is None or absence.clinic_id != sessions.clinic().id:
            abort(404)
        if absence.staff_id != layout.the_staff().id and not layout.may("clinic.settings"):
            abort(403)
        begun = absence.begun_at is not None
        try:
            absences.come_back(session, absence, layout.the_actor())
        except coverage_guard.MakesGap as gap:
            return _page(session, {}, {"end": words.say("away_refusals", "ending", when=gap.when)}), 422
        account_news.tell_of_another(session, session.get_one(Staff, absence.staff_id), "away", layout.the_actor())
    flash(words.say("away", "back" if begun else "taken_back"))
    return redirect(url_for("cover.show"), 303)


def _page(
    session: Session,
    fields: dict[str, str],
    problems: dict[str, str],
    closers: list[tuple[str, str]] | None = None,
) -> str:
    clinic, me, decides = sessions.clinic(), layout.the_staff(), layout.may("clinic.settings")
    now = clock.now()
    colleagues = team.everyone(session, clinic.id)
    planned = select(Absence).where(Absence.clinic_id == clinic.id, Absence.ended_at.is_(None), Absence.ends_at > now)
    entries = [
        _entry(absence, colleagues, now) for absence in session.scalars(planned.order_by(Absence.starts_at).limit(100))
    ]
    active = [colleague for colleague in colleagues.values() if colleague.active]
    rules = assign.Rules.of(clinic.rules)
    usual = next((colleague for colleague in active if colleague.email == rules.backups.get(me.email)), None)
    return layout.page(
        session,
        "staff/away.html",
        here="away",
        now_away=[entry for entry in entries if entry.begun],
        later=[entry for entry in entries if not entry.begun],
        people=[(str(colleague.id), colleague.name) for colleague in active] if decides else [],
        covers=[
            (str(colleague.id), colleague.name)
            for colleague in active
            if permissions.may(colleague.role, "inbox.assign")
        ],
        me=str(me.id),
        given=fields
        or {
            "who": str(me.id),
            "starts": times.typed_moment(now, clinic.zone),
            "cover": str(usual.id) if usual else "",
        },
        problems=problems,
        closers=closers,
        closing=_closing(closers, fields.get("who", "") in ("", str(me.id))),
        zone=clinic.zone.replace("_", " "),
    )


def _closing(closers: list[tuple[str, str]] | None, mine: bool) -> str:
    if closers is None:
        return ""
    key = ("closes" if mine else "closes_theirs") if closers else "nobody_closes"
    return words.say("away", key)


def _entry(absence: Absence, colleagues: dict[UUID | None, Staff], now: datetime) -> Entry:
    zone = sessions.clinic().zone
    covering = colleagues.get(absence.cover_id) if absence.cover_id else None
    return Entry(
        id=absence.id,
        name=colleagues[absence.staff_id].name,
        covered_by=covering.name if covering else "",
        starts=times.moment(absence.starts_at, now, zone, running=True),
        ends=times.moment(absence.ends_at, now, zone, running=True),
        begun=absence.starts_at <= now,
        mine=absence.staff_id == layout.the_staff().id or layout.may("clinic.settings"),
    )


def _staff(session: Session, wanted: str) -> Staff | None:
    try:
        colleague = session.get(Staff, UUID(wanted))
    except ValueError:
        return None
    return (
        colleague
        if colleague is not None and colleague.clinic_id == sessions.clinic().id and colleague.active
        else None
    )


def _moment(text: str) -> datetime | None:
    return times.moment_of(text, sessions.clinic().zone)
