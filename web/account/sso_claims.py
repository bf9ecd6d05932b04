"""What an identity provider says of somebody: its signed token verified, and read as who they are (pure)."""

import hmac
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, KeySet
from joserfc.jws import extract_compact

# Signatures by a private key alone: "none" and those that whoever knows a shared secret can make (HS256) are no proof.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
KEY_TYPES = ("RSA", "EC")
LEEWAY_SECONDS = 60
# Who has been signed out at the provider says so now: what is older was kept by somebody.
LOGOUT_SECONDS = 300
LOGOUT_TYPES = ("logout+jwt", "application/logout+jwt")
LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"
LONGEST_SUBJECT, LONGEST_NAME, LONGEST_EMAIL, MOST_GROUPS = 255, 80, 200, 1000


class Refused(ValueError):
    """A token that proves nothing to us. `why` is one word, for the audit log."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True)
class Expected:
    """What a token must say: from whom, for whom, answering which question of ours, asked when (seconds)."""

    issuer: str
    client_id: str
    nonce: str
    asked_at: int
    access_token: str | None = None


@dataclass(frozen=True)
class Person:
    """Somebody as the provider knows them. `email` is "" where it is not verified; `methods` are amr and acr."""

    subject: str
    email: str
    name: str
    groups: frozenset[str]
    methods: frozenset[str]
    proved_at: int | None


@dataclass(frozen=True)
class SignedOut:
    """Who has been signed out at the provider: a person, one session of theirs ("" where it is not said), or both.

    `token_id` is the token's own, good once.
    """

    subject: str
    session: str
    token_id: str


def key_set(document: Mapping[str, Any]) -> KeySet:
    """Return the provider's public keys for signatures. Raises Refused where there is none."""
    listed = document.get("keys")
    keys = []
    for entry in listed if isinstance(listed, list) else ():
        usable = isinstance(entry, dict) and entry.get("kty") in KEY_TYPES and entry.get("use", "sig") == "sig"
        try:
            keys += [JWKRegistry.import_key(entry)] if usable else []
        except (JoseError, ValueError, TypeError):
            continue  # one key that we cannot read does not shut out the others
    if not keys:
        raise Refused("no_keys")
    return KeySet(keys)


def names_unknown_key(token: str, keys: KeySet) -> bool:
    """Whether a token says that it is signed by a key that is not among these: the provider may have a new one."""
    try:
        kid = jwt_header(token).get("kid")
    except Refused:
        return False
    return kid is not None and all(key.kid != kid for key in keys)


def jwt_header(token: str) -> Mapping[str, Any]:
    """Return what a token says of itself, which nothing has proved. Raises Refused."""
    try:
        return extract_compact(token.encode("ascii")).headers()
    except (JoseError, ValueError, TypeError):
        raise Refused("unreadable") from None


def verified(token: str, keys: KeySet, expected: Expected, now: int) -> dict[str, Any]:
    """Return the claims of an ID token whose signature and every term hold (OpenID Connect Core, 3.1.3.7).

    `now` in seconds. Raises Refused.
    """
    try:
        opened = jwt.decode(token, keys, algorithms=list(ALGORITHMS))
    except (JoseError, ValueError, TypeError, KeyError):
        raise Refused("signature") from None
    claims = CodeIDToken(
        opened.claims,
        opened.header,
        {
            "iss": {"essential": True, "value": expected.issuer},
            "aud": {"essential": True, "value": expected.client_id},
            "sub": {"essential": True},
        },
        {"client_id": expected.client_id, "nonce": expected.nonce, "access_token": expected.access_token},
    )
    try:
        claims.validate(now, LEEWAY_SECONDS)
    except JoseError as wrong:
        raise Refused(str(getattr(wrong, "claim", None) or "claims")[:20]) from None
    except (ValueError, TypeError):
        raise Refused("claims") from None
    if not hmac.compare_digest(str(claims["nonce"]).encode(), expected.nonce.encode()):
        raise Refused("nonce")
    if claims["iat"] < expected.asked_at - LEEWAY_SECONDS:
        raise Refused("iat")  # made before we asked: it answers somebody else's question
    if _several(claims["aud"]) and claims.get("azp") != expected.client_id:
        raise Refused("azp")
    return dict(claims)


def signed_out(token: str, keys: KeySet, issuer: str, client_id: str, now: int) -> SignedOut:
    """Return whom a logout token means whose signature and every term hold (OpenID Connect Back-Channel Logout, 2.6).

    `now` in seconds. No token of another kind is taken for one: it says of itself what it is, names the event, and has
    no nonce. Raises Refused.
    """
    if str(jwt_header(token).get("typ")).lower() not in LOGOUT_TYPES:
        raise Refused("typ")
    try:
        claims = jwt.decode(token, keys, algorithms=list(ALGORITHMS)).claims
    except (JoseError, ValueError, TypeError, KeyError):
        raise Refused("signature") from None
    terms = jwt.JWTClaimsRegistry(
        now=now,
        leeway=LEEWAY_SECONDS,
        iss={"essential": True, "value": issuer},
        aud={"essential": True, "value": client_id},
        iat={"essential": True},
    )
    try:
        terms.validate(claims)
    except JoseError as wrong:
        raise Refused(str(getattr(wrong, "claim", None) or "claims")[:20]) from None
    except (ValueError, TypeError):
        raise Refused("claims") from None
    if claims["iat"] < now - LOGOUT_SECONDS - LEEWAY_SECONDS:
        raise Refused("iat")
    events = claims.get("events")
    if not isinstance(events, dict) or not isinstance(events.get(LOGOUT_EVENT), dict):
        raise Refused("events")
    if "nonce" in claims:
        raise Refused("nonce")
    told = SignedOut(*(_short(claims, name) for name in ("sub", "sid", "jti")))
    if not told.token_id or not (told.subject or told.session):
        raise Refused("sub" if told.token_id else "jti")
    return told


def _short(claims: Mapping[str, Any], name: str) -> str:
    value = claims.get(name, "")
    if not isinstance(value, str) or len(value) > LONGEST_SUBJECT:
        raise Refused(name)
    return value


def person(claims: Mapping[str, Any], groups_claim: str) -> Person:
    """Read verified claims. Raises Refused where nobody is named."""
    subject = claims["sub"]
    if not isinstance(subject, str) or not 0 < len(subject) <= LONGEST_SUBJECT:
        raise Refused("sub")
    email = claims.get("email")
    # Only what the provider has verified is believed, and only where it says so as true: "false" is a text too.
    proven = claims.get("email_verified") is True and isinstance(email, str) and len(email) <= LONGEST_EMAIL
    return Person(
        subject=subject,
        email=email.strip().lower() if proven and isinstance(email, str) else "",
        name=_name(claims),
        groups=frozenset(_texts(claims.get(groups_claim))[:MOST_GROUPS]),
        methods=frozenset(_texts(claims.get("amr")) + _texts(claims.get("acr"))),
        proved_at=claims["auth_time"] if isinstance(claims.get("auth_time"), int) else None,
    )


def of_domain(email: str, domains: Collection[str]) -> bool:
    """Whether an address is one of the clinic's own, down to the last letter: no part of a longer name."""
    local, at, domain = email.rpartition("@")
    return bool(local and at) and "@" not in local and domain in domains


def _name(claims: Mapping[str, Any]) -> str:
    name = claims.get("name")
    plain = " ".join(name.split()) if isinstance(name, str) else ""
    return plain if plain.isprintable() and len(plain) <= LONGEST_NAME else ""


def _texts(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    return [entry for entry in value if isinstance(entry, str)] if isinstance(value, list) else []


def _several(audience: object) -> bool:
    return isinstance(audience, Sequence) and not isinstance(audience, str) and len(audience) > 1
