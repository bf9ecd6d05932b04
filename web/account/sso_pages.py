"""Signing in with the clinic's identity provider: there, and back with a code, once, within ten minutes.

Whatever is wrong with what comes back is told in one sentence to whoever sits there, and in one word to the audit log.
"""

import hmac
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from flask import make_response, redirect, render_template, request, url_for
from flask import session as cookie
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from config import audit, clock, db, runtime
from messaging.models import Clinic, Staff
from reminders import single_sign_on
from web import layout, permissions, sessions, words
from web.account import account_news, entering, sign_in_limits, signin, sso_claims, sso_client, sso_door, sso_people

sso = layout.room("sso", __name__)
VALID = timedelta(minutes=10)
LONGEST_CODE = 4096


@dataclass(frozen=True)
class _Begun:
    """A sign-in that this browser has begun: with whom, by which question, when, and where it leads.

    `proof` is the id of the session whose owner only proves once more who they are, "" where somebody comes in.
    """

    clinic_id: str
    question: sso_client.Question
    at: float
    onward: str
    proof: str

    @property
    def asked_at(self) -> datetime:
        """When it began."""
        return datetime.fromtimestamp(self.at, UTC)


@sso.get("/signin/organization/<uuid:clinic_id>")
@permissions.public
def begin(clinic_id: UUID) -> Response:
    """Lead to the provider of a clinic."""
    pause = sign_in_limits.of_provider().take()
    if pause:
        return signin.refused("wait", 429, pause)
    return _lead(clinic_id, entering.safe_next(request.args.get("next")), "")


@sso.get("/account/proof/organization")
@permissions.signed_in("self")
def prove() -> Response:
    """Lead to the provider once more, which asks anew who it is; the page with the form stays open beside this one."""
    return _lead(sessions.clinic().id, "/", str(sessions.current().id), prompt="login", max_age="0")


@sso.get("/signin/organization/<uuid:clinic_id>/back")
@permissions.public
def back(clinic_id: UUID) -> Response:
    """Take what the provider sends somebody back with: a code that is worth a token, for a question of this browser."""
    counted = sign_in_limits.of_provider()
    pause = counted.take()
    if pause:
        return signin.refused("wait", 429, pause)
    begun = _begun()
    if begun is None or begun.clinic_id != str(clinic_id) or not _answers(begun.question):
        return _refused()
    terms = _terms(clinic_id)
    try:
        there = sso_client.provider(terms.issuer)
        _from_there(there)
        claims = sso_client.claims_for(there, _us(clinic_id, terms), begun.question, _code(), int(begun.at))
        answer = _prove(clinic_id, claims, begun) if begun.proof else _come_in(clinic_id, claims, terms, begun)
    except sso_claims.Refused as refused:
        return _refused(clinic_id, refused.why)
    except sso_client.Silent:
        return _silent()
    counted.right()
    return answer


def _lead(clinic_id: UUID, onward: str, proof: str, **more: str) -> Response:
    terms = _terms(clinic_id)
    if not terms.on:
        return _refused()
    question = sso_client.question()
    try:
        way = sso_client.way_in(sso_client.provider(terms.issuer), _us(clinic_id, terms), question, **more)
    except sso_client.Silent:
        return _silent()
    began = clock.now().timestamp()
    cookie["sso"] = [str(clinic_id), question.state, question.nonce, question.verifier, began, onward, proof]
    return redirect(way, 303)


def _begun() -> _Begun | None:
    """Return what this browser has begun, which is forgotten by that: an answer is looked at once."""
    try:
        clinic_id, state, nonce, verifier, at, onward, proof = cookie.pop("sso", ())
    except ValueError:
        return None
    begun = _Begun(clinic_id, sso_client.Question(state, nonce, verifier), at, onward, proof)
    return begun if clock.now() - begun.asked_at <= VALID else None


def _answers(question: sso_client.Question) -> bool:
    states = request.args.getlist("state")
    return len(states) == 1 and hmac.compare_digest(states[0].encode(), question.state.encode())


def _from_there(there: sso_client.Provider) -> None:
    """Refuse an answer that says it comes from another provider ("mix-up", RFC 9207), or none where it always does."""
    issuers = request.args.getlist("iss")
    if issuers != [there.issuer] and (issuers or there.names_itself):
        raise sso_claims.Refused("mix_up")


def _code() -> str:
    codes = request.args.getlist("code")
    if "error" in request.args or len(codes) != 1 or not 0 < len(codes[0]) <= LONGEST_CODE:
        raise sso_claims.Refused("no_code")
    return codes[0]


def _come_in(clinic_id: UUID, claims: dict[str, object], terms: single_sign_on.Terms, begun: _Begun) -> Response:
    with db.unit_of_work(clinic_id) as session:
        entered = sso_people.come_in(session, clinic_id, claims, terms, begun.asked_at)
        if entered is None:
            _write_down(session, clinic_id, "no_role")
            return _page("organization", 401)
        staff, factor = entered
        theirs = sso_people.session_of(session, session.get_one(Clinic, clinic_id), terms.issuer, claims.get("sid"))
        cookie[entering.PROVIDER_SESSION] = theirs.hex() if theirs else ""
        if factor is not None:
            answer = entering.welcome(session, staff, "sso", factor, begun.onward)
        else:
            answer = entering.let_in(session, staff, "sso", begun.onward)
    sso_door.remember(answer, clinic_id)
    return answer


def _prove(clinic_id: UUID, claims: dict[str, object], begun: _Begun) -> Response:
    """Take it as proved that whoever is signed in sits there: the provider has asked them since we sent them."""
    me, terms = sessions.current_staff(), _terms(clinic_id)
    if me is None or me.clinic_id != clinic_id or str(sessions.current().id) != begun.proof:
        raise sso_claims.Refused("proof")
    person = sso_claims.person(claims, terms.groups_claim)
    with db.unit_of_work(clinic_id) as session:
        clinic, staff = session.get_one(Clinic, clinic_id), session.get_one(Staff, me.id)
        same = staff.sso_subject == sso_people.subject_of(session, clinic, terms.issuer, person.subject)
        late = person.proved_at is None or person.proved_at < begun.at - sso_claims.LEEWAY_SECONDS
        role = terms.role_of(person.groups)
        if same and role is None:
            sso_people.end(session, staff)
            _write_down(session, clinic_id, "no_role")
            return _page("organization", 401)
        if not same or late or role != staff.role:
            raise sso_claims.Refused("proof")
        sessions.prove(session)
        audit.record(session, clinic_id, audit.Actor.staff(me.id), "staff.proved", f"staff:{me.id}", how="sso")
    return make_response(render_template("staff/step_up_told.html", said=words.say("sso", "proved")))


def _terms(clinic_id: UUID) -> single_sign_on.Terms:
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        clinic = session.get(Clinic, clinic_id)
        return single_sign_on.of_clinic(clinic) if clinic is not None else single_sign_on.Terms()


def _us(clinic_id: UUID, terms: single_sign_on.Terms) -> sso_client.Client:
    back_to = runtime.settings().staff_address + url_for("sso.back", clinic_id=clinic_id)
    with db.unit_of_work(clinic_id, read_only=True) as session:
        kept = sso_door.secret(session, clinic_id)
        return sso_client.Client(terms.client_id, (kept.secret if kept else None) or "", back_to)


def _refused(clinic_id: UUID | None = None, why: str = "") -> Response:
    """Answer as to every refusal. It is written down where the answer was to a question of ours: nobody fills a log."""
    if clinic_id is not None:
        with db.unit_of_work(clinic_id) as session:
            _write_down(session, clinic_id, why)
    return _page("organization", 401)


def _write_down(session: Session, clinic_id: UUID, why: str) -> None:
    audit.record(session, clinic_id, account_news.PROVIDER, "staff.sso_refused", f"clinic:{clinic_id}", why=why)


def _silent() -> Response:
    return _page("organization_silent", 503)


def _page(problem: str, status: int) -> Response:
    return make_response(signin.page(problem=problem, next="/"), status)
