"""SMART Backend Services: a token for whoever signs its assertion with a key that its JWKS holds (RS384, ES384)."""

import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import jwt
from flask import Response, jsonify

from simulator import clock, settings
from simulator.ehrs.charts import Chart

ALGORITHMS = ["RS384", "ES384"]
KIND = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
LONGEST = timedelta(minutes=5)
SKEW = timedelta(seconds=60)


class Denied(Exception):
    """No token: an error of OAuth 2."""


def give(chart: Chart, form: Mapping[str, str], token_url: str) -> Response:
    """Answer a request for a token as RFC 6749 and SMART App Launch 2.2 have it."""
    try:
        if form.get("grant_type") != "client_credentials":
            raise Denied("unsupported_grant_type")
        if form.get("client_assertion_type") != KIND:
            raise Denied("invalid_request")
        _judge(chart, form.get("client_assertion", ""), token_url)
        wanted = form.get("scope", "").split()
        granted = [scope for scope in wanted if scope in chart.client.scopes.split()]
        if not granted or (chart.client.whole_scopes and granted != wanted):
            raise Denied("invalid_scope")
    except Denied as denied:
        made = jsonify(error=str(denied))
        made.status_code = 401 if str(denied) == "invalid_client" else 400
        return made
    token, seconds = secrets.token_urlsafe(24), chart.client.token_seconds
    with chart.lock:
        chart.tokens[token] = (clock.now() + timedelta(seconds=seconds), " ".join(granted))
    return jsonify(access_token=token, token_type="bearer", expires_in=seconds, scope=" ".join(granted))  # noqa: S106


def _judge(chart: Chart, assertion: str, token_url: str) -> None:
    """Raise Denied unless the client has signed this for us, now, and for the first time."""
    try:
        header = jwt.get_unverified_header(assertion)
        if header.get("alg") not in ALGORITHMS or not header.get("kid"):
            raise Denied("invalid_client")
        key = _key(chart, str(header["kid"]))
        claims = jwt.decode(
            assertion, key, algorithms=ALGORITHMS, audience=token_url, leeway=SKEW.total_seconds(),
            options={"require": ["exp", "iss", "sub", "aud", "jti"], "verify_exp": False, "verify_iat": False,
                     "verify_nbf": False},
        )  # fmt: skip
    except (jwt.PyJWTError, ValueError):
        raise Denied("invalid_client") from None
    who, now = chart.client.client_id, clock.now().timestamp()
    in_time = now - SKEW.total_seconds() < claims["exp"] <= now + (LONGEST + SKEW).total_seconds()
    with chart.lock:
        if not in_time or (claims["iss"], claims["sub"]) != (who, who) or claims["jti"] in chart.used_ids:
            raise Denied("invalid_client")
        chart.used_ids.add(claims["jti"])


def _key(chart: Chart, kid: str) -> Any:
    if chart.client.jwks is not None:
        return jwt.PyJWKSet.from_dict(chart.client.jwks)[kid].key if _has(chart.client.jwks, kid) else _unknown()
    if not settings.points_here(chart.client.jwks_url):
        return _unknown()
    return jwt.PyJWKClient(chart.client.jwks_url, cache_keys=False, timeout=5).get_signing_key(kid).key


def _has(jwks: dict[str, object], kid: str) -> bool:
    known = jwks.get("keys")
    return isinstance(known, list) and any(key.get("kid") == kid for key in known)


def _unknown() -> Any:
    raise Denied("invalid_client")


def scopes(chart: Chart, authorization: str) -> str | None:
    """Return what the bearer of a token may, None where it is none, or none any more."""
    kind, _, token = authorization.partition(" ")
    with chart.lock:
        until, granted = chart.tokens.get(token.strip(), (None, ""))
    return granted if kind.lower() == "bearer" and until is not None and clock.now() < until else None
