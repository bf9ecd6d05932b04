"""The keys that sign for us: served at an address, rolled over with two, or brought in a file."""

from datetime import timedelta
from typing import Any

import jwt
import pytest
import time_machine
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from config import clock, db
from interchange.models import Feed
from interchange.polling import asking, keys
from interchange.polling.asking import Access
from messaging.models import Clinic
from tests.interchange.polling.asked_ehrs import ACTOR, Asked, door, visits


def served() -> list[dict[str, Any]]:
    answer = door().get("/webhooks/ehr/epic/jwks.json")
    assert answer.status_code == 200
    return list(answer.get_json()["keys"])


def of_epic(epic: Asked, act: Any) -> Any:
    with db.unit_of_work(epic.clinic.id) as session:
        return act(session, session.get_one(Feed, epic.feed_id))


def pem(key: Any) -> bytes:
    return bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )


def test_our_keys_are_served_to_anybody_and_hold_no_private_part(epic: Asked) -> None:
    (key,) = served()
    assert (key["alg"], key["kty"], key["crv"], key["use"]) == ("ES384", "EC", "P-384", "sig")
    assert "d" not in key
    nobodys = door().get("/webhooks/ehr/nobody/jwks.json")  # as of a feed that signs nothing: names are not told
    assert (nobodys.status_code, nobodys.json) == (200, {"keys": []})


def test_a_new_key_is_published_a_day_before_it_signs_and_the_old_one_an_hour_longer(epic: Asked) -> None:
    (old,) = served()
    new = of_epic(epic, lambda session, feed: keys.make(session, feed, "RS384", ACTOR).kid)
    begun = clock.now()
    assert [key["kid"] for key in served()] == [new, old["kid"]]
    for hours, kid, count in ((0, old["kid"], 2), (23.9, old["kid"], 2), (24.1, new, 2), (25.1, new, 1)):
        with time_machine.travel(begun + timedelta(hours=hours)):
            assert of_epic(epic, lambda session, feed: keys.signing(session, feed).kid) == kid
            assert len(served()) == count


def test_whoever_has_read_only_the_new_keys_still_knows_us_by_the_old(epic: Asked) -> None:
    of_epic(epic, lambda session, feed: keys.make(session, feed, "RS384", ACTOR))
    epic.publish()
    epic.book()
    epic.now()
    assert len(visits()) == 1


@pytest.mark.parametrize("made", [rsa.generate_private_key(65537, 2048), ec.generate_private_key(ec.SECP384R1())])
def test_a_key_of_a_file_signs_at_once(epic: Asked, made: Any) -> None:
    of_epic(epic, lambda session, feed: keys.bring(session, feed, pem(made), ACTOR))
    of_epic(epic, lambda session, feed: keys.bring(session, feed, pem(made), ACTOR))
    assert len(served()) == 2
    epic.publish()
    epic.book()
    epic.now()
    assert len(visits()) == 1


def test_a_file_that_is_no_key_to_sign_with_is_refused(epic: Asked) -> None:
    short, other = rsa.generate_private_key(65537, 1024), ec.generate_private_key(ec.SECP256R1())
    for content, why in ((b"no key", "form"), (pem(short), "short"), (pem(other), "kind")):
        with pytest.raises(keys.BadKey, match=why):
            of_epic(epic, lambda session, feed, content=content: keys.bring(session, feed, content, ACTOR))


@pytest.mark.parametrize("algorithm", keys.ALGORITHMS)
def test_an_assertion_is_what_smart_backend_services_demands(epic: Asked, algorithm: str, clinic: Clinic) -> None:
    def made(session: Any, feed: Feed) -> Access:
        key = keys.make(session, feed, algorithm, ACTOR)
        return Access("https://e.example", "", "us", key.kid, key.algorithm, key.private or "")

    access, now = of_epic(epic, made), clock.now()
    first, second = (asking.assertion(access, "https://e.example/token", now) for _ in range(2))
    header = jwt.get_unverified_header(first)
    assert header == {"alg": algorithm, "kid": access.kid, "typ": "JWT"}
    public = jwt.PyJWKSet.from_dict({"keys": served()})[access.kid].key
    claims = jwt.decode(first, public, [algorithm], audience="https://e.example/token")
    assert (claims["iss"], claims["sub"]) == ("us", "us")
    assert 0 < claims["exp"] - now.timestamp() <= 300
    assert claims["jti"] != jwt.decode(second, public, [algorithm], audience="https://e.example/token")["jti"]
