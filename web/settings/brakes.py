"""The brakes of a clinic: which kinds of texts are held back, since when and by whom; pulled and released here."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from flask import abort, flash, redirect, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from config import audit, clock, db
from messaging.delivery.brakes import braking
from messaging.delivery.brakes.models import Brake
from messaging.models import Staff
from web import layout, permissions, sessions, team, times, words

brake_pages = layout.room("brake_pages", __name__)


@dataclass(frozen=True)
class Row:
    """A kind of texts as the page lists it: what it is, whether it is held back, why, and how many wait."""

    kind: str
    name: str
    about: str
    pulled: str
    held: str


@dataclass(frozen=True)
class Past:
    """A brake that was released: which kind, from when until when, and by whom."""

    name: str
    pulled: str
    released: str


@brake_pages.get("/settings/brakes")
@permissions.signed_in("clinic.look")
def show() -> str:
    """Show what is held back, and what was."""
    clinic = sessions.clinic()
    with db.unit_of_work(clinic.id, read_only=True) as session:
        everyone, lines = team.everyone(session, clinic.id), braking.history(session, clinic.id)
        released = [line for line in lines if line.released_at is not None]
        return layout.page(
            session,
            "staff/brakes.html",
            here="brakes",
            rows=_rows(session, clinic.id, everyone),
            past=[_past(line, everyone) for line in released],
            acts=layout.may("clinic.settings"),
        )


@brake_pages.post("/settings/brakes/<kind>/<act>")
@permissions.signed_in("clinic.settings")
def turn(kind: str, act: str) -> Response:
    """Pull or release the brake of a kind."""
    if kind not in braking.KINDS or act not in ("pull", "release"):
        abort(404)
    with db.unit_of_work(sessions.clinic().id) as session:
        turned = braking.pull if act == "pull" else braking.release
        fresh = turned(session, sessions.clinic().id, kind, layout.the_actor())
    flash(words.say("brakes", act if fresh else f"{act}_before", kind=words.say("brake_kinds", kind)))
    return redirect(url_for("brake_pages.show"), 303)


def _rows(session: Session, clinic_id: UUID, everyone: Mapping[UUID | None, Staff]) -> list[Row]:
    pulled, held = braking.pulled(session, clinic_id), braking.held(session, clinic_id)
    return [
        Row(
            kind,
            words.say("brake_kinds", kind),
            words.say("brake_abouts", kind),
            _since(pulled[kind], everyone) if kind in pulled else "",
            words.say("brakes", "held", count=held.get(kind, 0)),
        )
        for kind in braking.KINDS
    ]


def _since(brake: Brake, everyone: Mapping[UUID | None, Staff]) -> str:
    at = times.moment(brake.pulled_at, clock.now(), sessions.clinic().zone)
    if brake.failed is not None:
        return words.say("brakes", "by_itself", at=at, failed=brake.failed, out_of=brake.out_of)
    return words.say("brakes", "by", at=at, who=_who(brake.pulled_by, everyone))


def _past(brake: Brake, everyone: Mapping[UUID | None, Staff]) -> Past:
    until = times.moment(brake.released_at or clock.now(), clock.now(), sessions.clinic().zone)
    return Past(
        words.say("brake_kinds", brake.kind),
        _since(brake, everyone),
        words.say("brakes", "by", at=until, who=_who(brake.released_by or "", everyone)),
    )


def _who(actor: str, everyone: Mapping[UUID | None, Staff]) -> str:
    staff = everyone.get(audit.Actor(actor).staff_id)
    return staff.name if staff else words.say("brakes", "operator")
