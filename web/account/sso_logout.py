"""What a clinic's identity provider tells us by itself: that somebody has been signed out there, and so is here.

OpenID Connect Back-Channel Logout 1.0: a signed token, posted by the provider from machine to machine, with no cookie
and no form of ours; the signature is what it proves itself by.
"""

from uuid import UUID

from flask import Response, jsonify, request

from config import audit, client_address, db, security_events
from messaging.models import Clinic
from reminders import single_sign_on
from web import layout, permissions
from web.account import account_news, sign_in_limits, sso_claims, sso_client, sso_people

sso_logout = layout.room("sso_logout", __name__)
# Why a token was refused before its signature held.
UNSIGNED = ("typ", "unreadable", "signature")
LARGEST_BODY, LONGEST_TOKEN = 32 * 1024, 16 * 1024


@sso_logout.post("/signin/organization/<uuid:clinic_id>/signed-out")
@permissions.public
def told(clinic_id: UUID) -> Response:
    """End the sessions that a logout token means; what it says wrong is in the audit log, in a word."""
    request.max_content_length = LARGEST_BODY
    counted = sign_in_limits.of_provider()
    pause = counted.take()
    if pause:
        return _answer(429, pause)
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        clinic = session.get(Clinic, clinic_id)
        terms = single_sign_on.of_clinic(clinic) if clinic is not None else single_sign_on.Terms()
    tokens = request.form.getlist("logout_token")
    if not terms.on or len(tokens) != 1 or len(tokens[0]) > LONGEST_TOKEN:
        return _answer(400)
    try:
        there = sso_client.provider(terms.issuer)
        said = sso_client.signed_out(there, terms.client_id, tokens[0])
        with db.unit_of_work(clinic_id) as session:
            sso_people.sign_out(session, clinic_id, terms.issuer, said)
    except sso_claims.Refused as refused:
        _write_down(clinic_id, refused.why)
        return _answer(400)
    except sso_client.Silent:
        return _answer(503)
    counted.right()
    return _answer(200)


def _write_down(clinic_id: UUID, why: str) -> None:
    """Audit what the provider has signed; of what anybody may send there is a count and no line in a clinic's log."""
    if why in UNSIGNED:
        source = client_address.source(request.environ)
        security_events.note("forged_webhook", source, route=request.endpoint or "none", status=400)
        return
    with db.unit_of_work(clinic_id) as session:
        facts = {"why": f"signed_out_{why}"}
        audit.record(session, clinic_id, account_news.PROVIDER, "staff.sso_refused", f"clinic:{clinic_id}", **facts)


def _answer(status: int, pause: int = 0) -> Response:
    answer = jsonify({} if status == 200 else {"error": "invalid_request"})
    answer.status_code = status
    answer.headers["Cache-Control"] = "no-store"
    if pause:
        answer.headers["Retry-After"] = str(pause)
    return answer
