"""Passkeys (WebAuthn): made, and looked at when somebody comes in by one; the device always asks who holds it.

A question of ours (the challenge) stands in the browser's sealed cookie for five minutes. It is good once: whatever was
asked before a passkey was last used is not taken of it any more.
"""

import ipaddress
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import webauthn
from sqlalchemy import select
from sqlalchemy.orm import Session
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url, structs
from webauthn.helpers.exceptions import WebAuthnException

from config import clock, runtime
from messaging.models import Staff
from web.models import Passkey

VALID = timedelta(minutes=5)
MOST = 10
NAME = "Warmthread"
Question = list[Any]


class Refused(ValueError):
    """What a browser sent is no passkey of ours, or answers no question of ours."""


def possible() -> bool:
    """Whether browsers make passkeys for this service: they want a name of it, not a number."""
    try:
        ipaddress.ip_address(_host())
    except ValueError:
        return True
    return False


def of(session: Session, staff_id: UUID) -> list[Passkey]:
    """Return somebody's passkeys, the oldest first."""
    return list(session.scalars(select(Passkey).where(Passkey.staff_id == staff_id).order_by(Passkey.made_at)))


def ask_to_make(session: Session, staff: Staff) -> tuple[str, Question]:
    """Return the options for navigator.credentials.create as JSON, and the question to be kept in the cookie."""
    verified = structs.UserVerificationRequirement.REQUIRED
    options = webauthn.generate_registration_options(
        rp_id=_host(),
        rp_name=NAME,
        user_id=staff.id.bytes,
        user_name=staff.email,
        user_display_name=staff.name,
        authenticator_selection=structs.AuthenticatorSelectionCriteria(
            resident_key=structs.ResidentKeyRequirement.REQUIRED, user_verification=verified
        ),
        exclude_credentials=[
            structs.PublicKeyCredentialDescriptor(id=passkey.credential_id) for passkey in of(session, staff.id)
        ],
    )
    return webauthn.options_to_json(options), _question("make", options.challenge)


def make(session: Session, staff: Staff, sent: str, question: Question | None, name: str) -> Passkey:
    """Keep a new passkey as the browser sent it. Raises Refused."""
    challenge, _ = _read(question, "make")
    if len(of(session, staff.id)) >= MOST:
        raise Refused("too many")
    try:
        verified = webauthn.verify_registration_response(
            credential=sent,
            expected_challenge=challenge,
            expected_rp_id=_host(),
            expected_origin=_origin(),
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError) as wrong:
        raise Refused("not verified") from wrong
    if session.scalar(select(Passkey.id).where(Passkey.credential_id == verified.credential_id)):
        raise Refused("known")
    passkey = Passkey(
        clinic_id=staff.clinic_id,
        staff_id=staff.id,
        credential_id=verified.credential_id,
        public_key=verified.credential_public_key,
        sign_count=verified.sign_count,
        name=name,
        made_at=clock.now(),
    )
    session.add(passkey)
    session.flush()
    return passkey


def ask_who() -> tuple[str, Question]:
    """Return the options for navigator.credentials.get as JSON, and the question; they name no account."""
    options = webauthn.generate_authentication_options(
        rp_id=_host(), user_verification=structs.UserVerificationRequirement.REQUIRED
    )
    return webauthn.options_to_json(options), _question("who", options.challenge)


def who(session: Session, sent: str, question: Question | None) -> Staff:
    """Return who answered a question of ours with a passkey of theirs. Raises Refused."""
    challenge, asked_at = _read(question, "who")
    passkey = _named(session, sent)
    if passkey.used_at is not None and asked_at <= passkey.used_at:
        raise Refused("answered before")
    try:
        verified = webauthn.verify_authentication_response(
            credential=sent,
            expected_challenge=challenge,
            expected_rp_id=_host(),
            expected_origin=_origin(),
            credential_public_key=passkey.public_key,
            credential_current_sign_count=passkey.sign_count,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError) as wrong:
        raise Refused("not verified") from wrong
    passkey.sign_count, passkey.used_at = verified.new_sign_count, clock.now()
    staff = session.get_one(Staff, passkey.staff_id)
    if not staff.active:
        raise Refused("inactive")
    return staff


def _named(session: Session, sent: str) -> Passkey:
    try:
        named = base64url_to_bytes(json.loads(sent)["rawId"])
    except (ValueError, KeyError, TypeError) as wrong:
        raise Refused("unreadable") from wrong
    passkey = session.scalar(select(Passkey).where(Passkey.credential_id == named).with_for_update())
    if passkey is None:
        raise Refused("unknown")
    return passkey


def _question(kind: str, challenge: bytes) -> Question:
    return [kind, bytes_to_base64url(challenge), clock.now().timestamp()]


def _read(question: Question | None, kind: str) -> tuple[bytes, datetime]:
    if not question or question[0] != kind:
        raise Refused("not asked")
    asked_at = datetime.fromtimestamp(question[2], UTC)
    if clock.now() - asked_at > VALID:
        raise Refused("too late")
    return base64url_to_bytes(question[1]), asked_at


def _origin() -> str:
    return runtime.settings().staff_address


def _host() -> str:
    return urlsplit(_origin()).hostname or ""
