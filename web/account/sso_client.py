"""Talks with a clinic's identity provider: what it says of itself, where people are sent, what a code is worth.

Every request goes by the guard of webhooks (messaging.event_webhooks.guard): to the public internet over https, to the
very address that was judged, no redirect followed, within a time and a size.
"""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from authlib.oauth2.client import OAuth2Client
from authlib.oidc.discovery import get_well_known_url
from joserfc.jwk import KeySet

from config import clock, public_internet, runtime
from messaging.event_webhooks import guard, posting
from web.account import sso_claims
from web.account.sso_claims import Refused

SCOPE = "openid email profile"
SECONDS, MOST_BYTES = 8.0, 256 * 1024
# For so long what a provider says of itself is believed; and no oftener are its keys asked for out of turn.
BELIEVED_SECONDS, KEYS_SECONDS = 3600.0, 30.0
ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")


class Silent(Exception):
    """The provider does not answer, or not as one."""


@dataclass
class Provider:
    """A provider as it described itself at `read_at` (monotonic seconds), with the keys it signs by."""

    facts: Mapping[str, Any]
    keys: KeySet
    read_at: float
    keys_at: float

    @property
    def issuer(self) -> str:
        """What it calls itself."""
        return str(self.facts["issuer"])

    @property
    def names_itself(self) -> bool:
        """Whether each of its answers says from whom it is (RFC 9207)."""
        return self.facts.get("authorization_response_iss_parameter_supported") is True

    @property
    def way_out(self) -> str:
        """Where somebody is signed out of it too; "" where it has no such place."""
        return str(self.facts.get("end_session_endpoint") or "")


@dataclass(frozen=True)
class Client:
    """Us, as a clinic's provider knows us."""

    client_id: str
    secret: str = field(repr=False)
    redirect_uri: str


@dataclass(frozen=True)
class Question:
    """What one sign-in is bound to: it is kept in the browser's sealed cookie, and asked back of the answer."""

    state: str
    nonce: str
    verifier: str


@dataclass(frozen=True)
class _Answer:
    """As much of an HTTP answer as Authlib asks for."""

    status_code: int
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    def raise_for_status(self) -> None:
        if self.status_code >= 400:
            raise Silent(f"status {self.status_code}")


class _Guarded:
    """The session that Authlib's client posts by: each request passes the guard."""

    def post(self, url: str, *, data: Mapping[str, str], headers: Mapping[str, str], auth: Any) -> _Answer:
        _, sent, body = auth.prepare("POST", url, dict(headers), urlencode(data))
        status, answered = _ask("POST", url, sent, body.encode())
        return _Answer(status, answered)


def question() -> Question:
    """Return new random values for one sign-in."""
    return Question(*(secrets.token_urlsafe(32) for _ in range(3)))


def provider(issuer: str) -> Provider:
    """Return what the provider at `issuer` says of itself, an hour old at most. Raises Silent."""
    cached: dict[str, Provider] = runtime.once("sso.providers", dict)
    kept = cached.get(issuer)
    if kept is not None and clock.monotonic() - kept.read_at < BELIEVED_SECONDS:
        return kept
    facts = _document(get_well_known_url(issuer, external=True))
    # An exact comparison: who answers for another name may not speak for this one (Discovery, 4.3).
    if facts.get("issuer") != issuer:
        raise Silent("issuer")
    for name in (*ENDPOINTS, *(("end_session_endpoint",) if facts.get("end_session_endpoint") else ())):
        _judge(facts.get(name))
    now = clock.monotonic()
    cached[issuer] = Provider(facts, _keys(facts), now, now)
    return cached[issuer]


def forget(issuer: str) -> None:
    """Ask the provider anew when it is next needed."""
    cached: dict[str, Provider] = runtime.once("sso.providers", dict)
    cached.pop(issuer, None)


def way_in(there: Provider, us: Client, asked: Question, **more: str) -> str:
    """Return where a browser is sent to sign in; `more` as prompt and max_age."""
    client = _client(there, us)
    url, _ = client.create_authorization_url(
        there.facts["authorization_endpoint"],
        state=asked.state,
        code_verifier=asked.verifier,
        nonce=asked.nonce,
        **more,
    )
    return str(url)


def claims_for(there: Provider, us: Client, asked: Question, code: str, asked_at: int) -> dict[str, Any]:
    """Return what the provider says for a code, verified. Raises Refused, and Silent where it does not answer."""
    try:
        token = _client(there, us).fetch_token(
            there.facts["token_endpoint"], grant_type="authorization_code", code=code, code_verifier=asked.verifier
        )
    except Silent:
        raise
    except Exception as wrong:  # Authlib's own kinds have no common parent with those of what it reads
        raise Refused("code") from wrong
    signed = token.get("id_token")
    if not isinstance(signed, str):
        raise Refused("no_token")
    _with_new_keys(there, signed)
    access = token.get("access_token")
    expected = sso_claims.Expected(
        there.issuer, us.client_id, asked.nonce, asked_at, access if isinstance(access, str) else None
    )
    return sso_claims.verified(signed, there.keys, expected, int(clock.now().timestamp()))


def signed_out(there: Provider, client_id: str, token: str) -> sso_claims.SignedOut:
    """Return whom a logout token of the provider means, verified. Raises Refused, and Silent as `provider` does."""
    _with_new_keys(there, token)
    return sso_claims.signed_out(token, there.keys, there.issuer, client_id, int(clock.now().timestamp()))


def _with_new_keys(there: Provider, token: str) -> None:
    if sso_claims.names_unknown_key(token, there.keys) and clock.monotonic() - there.keys_at > KEYS_SECONDS:
        there.keys, there.keys_at = _keys(there.facts), clock.monotonic()


def way_out(there: Provider, client_id: str, back: str) -> str:
    """Return where a browser is sent to sign out there too (RP-Initiated Logout); "" where there is no such place."""
    if not there.way_out:
        return ""
    mark = "&" if "?" in there.way_out else "?"
    return there.way_out + mark + urlencode({"client_id": client_id, "post_logout_redirect_uri": back})


def _client(there: Provider, us: Client) -> OAuth2Client:
    offered = there.facts.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
    how = "client_secret_basic" if "client_secret_basic" in offered else "client_secret_post"
    return OAuth2Client(
        _Guarded(),
        client_id=us.client_id,
        client_secret=us.secret,
        token_endpoint_auth_method=how,
        scope=SCOPE,
        redirect_uri=us.redirect_uri,
        code_challenge_method="S256",
    )


def _keys(facts: Mapping[str, Any]) -> KeySet:
    try:
        return sso_claims.key_set(_document(facts["jwks_uri"]))
    except Refused as refused:
        raise Silent(refused.why) from None


def _judge(url: object) -> None:
    try:
        guard.read(str(url or ""), loopback=runtime.settings().webhooks_to_loopback)
    except public_internet.Refused as refused:
        raise Silent(refused.why) from None


def _document(url: str) -> Mapping[str, Any]:
    status, body = _ask("GET", url, {"Accept": "application/json"}, None)
    try:
        document = json.loads(body) if status == 200 else None
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise Silent(f"status {status}")
    return document


def _ask(method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> tuple[int, bytes]:
    way = posting.Way(loopback=runtime.settings().webhooks_to_loopback, seconds=SECONDS)
    answer = posting.ask(method, url, headers, body, way, MOST_BYTES)
    if answer.status is None:
        raise Silent(answer.error or "no answer")
    return answer.status, answer.body
