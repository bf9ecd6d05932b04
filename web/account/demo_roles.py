"""Who to be in the demonstration: a page that signs in without a password. It is not there in any other service."""

import ipaddress
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from flask import Flask, abort, render_template, request
from sqlalchemy import select
from werkzeug.wrappers import Response

from config import addresses, db, runtime
from messaging.models import Clinic, Staff
from web import layout, permissions, words
from web.account import entering

demo_roles = layout.room("demo_roles", __name__)
# Whatever a proxy writes: whoever asks through one may sit anywhere.
PROXIED = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-Ip", "Via")


def register(app: Flask) -> None:
    """Put the page into the application of a demonstration; elsewhere its address does not exist."""
    if runtime.settings().demo:
        layout.register_room(app, demo_roles)


@demo_roles.before_request
def _only_from_this_machine() -> None:
    """Refuse everybody but a browser on this machine that asked for this machine."""
    here = _is_loopback(request.remote_addr) and (urlsplit(f"//{request.host}").hostname or "") in addresses.HERE
    if not (runtime.settings().demo and here) or any(name in request.headers for name in PROXIED):
        abort(404)


def _is_loopback(address: str | None) -> bool:
    try:
        return ipaddress.ip_address(address or "").is_loopback
    except ValueError:
        return False


@demo_roles.get("/demo")
@permissions.public
def choose() -> str:
    """Show everybody who works at the demonstration's clinic, by role."""
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        clinic = session.scalars(select(Clinic).order_by(Clinic.created_at).limit(1)).first()
        colleagues = session.scalars(select(Staff).where(Staff.active).order_by(Staff.created_at, Staff.id)).all()
    return render_template(
        "staff/demo_roles.html",
        clinic=clinic.name if clinic else "",
        colleagues=sorted(map(_row, colleagues), key=lambda row: row["place"]),
        phones=runtime.settings().twilio_api_url,
    )


@demo_roles.post("/demo")
@permissions.public
def become() -> Response:
    """Sign in as the colleague who was chosen."""
    staff_id = _id(request.form.get("staff", ""))
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        staff = session.get(Staff, staff_id) if staff_id else None
    if staff is None or not staff.active:
        abort(404)
    with db.unit_of_work(staff.clinic_id) as session:
        return entering.let_in(session, staff, "demo", entering.safe_next(request.form.get("next")))


def _row(colleague: Staff) -> dict[str, Any]:
    roles = list(permissions.MAY)
    return {
        "id": colleague.id,
        "name": colleague.name,
        "role": words.say("roles", colleague.role),
        "means": words.say("role_means", colleague.role),
        "place": roles.index(colleague.role) if colleague.role in roles else len(roles),
    }


def _id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
