"""Which clinic's identity provider a browser is offered at the door, so that nothing tells clinics or accounts apart.

Where the service is one clinic's, everybody's; else the one of the address that a clinic gives its people, kept in the
browser. An address of no clinic, and one of a clinic without a provider, is the page as everybody has it.
"""

from uuid import UUID

from flask import request
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from config import db, devices, runtime
from messaging.models import REAL, Clinic
from reminders import single_sign_on
from web.ids import uuid_of
from web.models import ProviderSecret

A_YEAR = 365 * 86_400


def cookie_name() -> str:
    """Return the name of the cookie that says by which clinic's provider somebody has come in here."""
    return devices.of_this_host("wt_organization")


def offered() -> UUID | None:
    """Return the clinic whose provider the page at the door offers, None for none."""
    asked = request.args.get("at") or request.cookies.get(cookie_name())
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        if asked:
            clinic = session.get(Clinic, uuid_of(asked) or UUID(int=0))
        else:
            clinics = session.scalars(select(Clinic).where(REAL).limit(2)).all()
            clinic = clinics[0] if len(clinics) == 1 else None
        return clinic.id if clinic is not None and single_sign_on.of_clinic(clinic).on else None


def remember(response: Response, clinic_id: UUID) -> None:
    """Let this browser offer the same provider for a year."""
    response.set_cookie(
        cookie_name(), str(clinic_id), max_age=A_YEAR, httponly=True, secure=runtime.settings().secure, samesite="Lax"
    )


def secret(session: Session, clinic_id: UUID) -> ProviderSecret | None:
    """Return what a clinic proves itself by to its provider."""
    return session.scalar(select(ProviderSecret).where(ProviderSecret.clinic_id == clinic_id))
