"""The keys that sign for us at an EHR: made here and published, or brought in a file; rolled over with two published.

A new key is published a day before it signs, as EHRs keep what they have read; the old one stays an hour longer than
it signs, so that no assertion is under way that nobody can check.
"""

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from config import audit, clock, db
from interchange.models import Feed, FeedKey

ALGORITHMS = ("ES384", "RS384")
PUBLISHED_BEFORE, PUBLISHED_AFTER = timedelta(hours=24), timedelta(hours=1)
RSA_BITS, LEAST_RSA_BITS = 3072, 2048
LONGEST_FILE = 20_000
Private = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


class BadKey(ValueError):
    """Why a file is no key that can sign: form | kind | short."""


def make(session: Session, feed: Feed, algorithm: str, actor: str) -> FeedKey:
    """Make a feed's next key: its first signs at once, a later one in a day, and the one before it ends then."""
    key = ec.generate_private_key(ec.SECP384R1()) if algorithm == "ES384" else rsa.generate_private_key(65537, RSA_BITS)
    signs_from = clock.now() + (PUBLISHED_BEFORE if published(session, feed) else timedelta(0))
    return _add(session, feed, key, "made", signs_from, actor)


def bring(session: Session, feed: Feed, pem: bytes, actor: str) -> FeedKey:
    """Let a key of a file (PEM, without a passphrase) sign from now on: an RSA or P-384 one. Raises BadKey."""
    try:
        key = serialization.load_pem_private_key(pem[:LONGEST_FILE], None)
    except (ValueError, TypeError):
        raise BadKey("form") from None
    if isinstance(key, rsa.RSAPrivateKey):
        if key.key_size < LEAST_RSA_BITS:
            raise BadKey("short")
    elif not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP384R1):
        raise BadKey("kind")
    return _add(session, feed, key, "file", clock.now(), actor)


def _add(session: Session, feed: Feed, key: Private, origin: str, signs_from: datetime, actor: str) -> FeedKey:
    db.load_keys(session, [feed.key_id])
    algorithm, public = public_half(key)
    same = select(FeedKey).where(FeedKey.feed_id == feed.id, FeedKey.kid == public["kid"])
    known = session.scalar(same)
    if known is not None:  # the same file again
        known.signs_from, known.published_until = signs_from, None
        return known
    for older in published(session, feed):
        older.published_until = min(older.published_until or datetime.max.replace(tzinfo=signs_from.tzinfo),
                                    signs_from + PUBLISHED_AFTER)  # fmt: skip
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    made = FeedKey(
        clinic_id=feed.clinic_id, key_id=feed.key_id, feed_id=feed.id, kid=public["kid"], algorithm=algorithm,
        origin=origin, public=public, private=pem.decode(), created_at=clock.now(), signs_from=signs_from,
    )  # fmt: skip
    session.add(made)
    session.flush()
    audit.record(session, feed.clinic_id, actor, "feeds.key", f"feed:{feed.name}", kid=made.kid, origin=origin)
    return made


def public_half(key: Private) -> tuple[str, dict[str, Any]]:
    """Return the algorithm that a key signs by, and its public half as a JWK whose kid is its thumbprint (RFC 7638)."""
    if isinstance(key, rsa.RSAPrivateKey):
        algorithm, known = "RS384", RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
    else:
        algorithm, known = "ES384", ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
    parts = {name: known[name] for name in sorted(known) if name in ("crv", "e", "kty", "n", "x", "y")}
    kid = hashlib.sha256(json.dumps(parts, separators=(",", ":")).encode()).hexdigest()[:32]
    return algorithm, {**parts, "kid": kid, "alg": algorithm, "use": "sig", "key_ops": ["verify"]}


def published(session: Session, feed: Feed) -> Sequence[FeedKey]:
    """Return the keys whose public halves are served, the newest first."""
    now = clock.now()
    served = or_(FeedKey.published_until.is_(None), FeedKey.published_until > now)
    own = select(FeedKey).where(FeedKey.feed_id == feed.id, served)
    return session.scalars(own.order_by(FeedKey.signs_from.desc(), FeedKey.id.desc())).all()


def signing(session: Session, feed: Feed) -> FeedKey | None:
    """Return the key that signs now: the newest whose time has come, None where there is none."""
    now = clock.now()
    return next((key for key in published(session, feed) if key.signs_from <= now), None)


def jwks(session: Session, feed: Feed) -> dict[str, Any]:
    """Return what an EHR checks our signatures with (RFC 7517)."""
    return {"keys": [key.public for key in published(session, feed)]}
