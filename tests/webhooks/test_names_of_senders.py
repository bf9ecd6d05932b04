"""A forged webhook costs the same work whether the name in its address is anybody's, so that names are not told."""

from collections.abc import Callable
from typing import Any

import pytest

from config import db
from intake_links.models import FormSource
from interchange.models import Feed
from tests import queries
from tests.webhooks.test_forms import PHQ9
from webhooks import ehr, senders, signatures

ANOTHER = "whsec_YW5vdGhlciBzZWNyZXQgb2YgdGhlIHNhbWU="


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Each check of a signature that is made, by its body's length: the real one, counted."""
    made: list[str] = []
    real = signatures.by_standard

    def counted(secret: str, message_id: str, timestamp: str, body: bytes, *rest: Any) -> bool:
        made.append(f"{len(body)} bytes")
        return real(secret, message_id, timestamp, body, *rest)

    monkeypatch.setattr(signatures, "by_standard", counted)
    return made


def work(post: Callable[[], Any], checks: list[str]) -> tuple[int, list[str], list[str]]:
    """The answer's status, the checks of signatures, and what the database was asked."""
    checks.clear()
    with queries.statements() as said:
        status = post().status_code
    return status, list(checks), [statement for statement in said if statement.startswith("SELECT")]


def a_feed(world: Any, name: str) -> None:
    with db.unit_of_work(db.EVERY) as session:
        facts = {"name": name, "secret": world.secret, "profile": {}, "created_at": world.clinic.created_at}
        session.add(Feed(clinic_id=world.clinic.id, key_id=world.clinic.key_id, **facts))


def forged(world: Any, path: str, **more: str) -> Callable[[], Any]:
    headers = {"webhook-id": "m1", "webhook-timestamp": "1772550000", "webhook-signature": "v1,AAAA"} | more
    return lambda: world.client.post(path, data=b"MSH|^~\\&|", headers=headers)


@pytest.mark.parametrize(
    ("door", "header"),
    [("forms", {}), ("ehr", {}), ("ehr", {"X-Hub-Signature": "sha256=00"})],
    ids=["forms", "ehr", "events"],
)
def test_a_forged_webhook_costs_the_same_under_every_name(
    world: Any, checks: list[str], door: str, header: dict[str, str]
) -> None:
    world.client.application.register_blueprint(ehr.door)
    a_feed(world, "vendor")
    nobody = work(forged(world, f"/webhooks/{door}/nobody", **header), checks)
    assert nobody[0] == 403
    assert len(nobody[1]) == (0 if header else 2)
    assert len(nobody[2]) == 1
    assert work(forged(world, f"/webhooks/{door}/vendor", **header), checks) == nobody
    if door == "forms":  # and while it is remembered, which costs its owner no question
        assert work(lambda: world.submit(PHQ9), checks)[0] == 202
        assert work(forged(world, "/webhooks/forms/vendor"), checks) == nobody
    assert work(forged(world, f"/webhooks/{door}/n%00body", **header), checks) == nobody


def test_a_sender_is_remembered_and_a_secret_replaced_meanwhile_is_good_at_once(world: Any, checks: list[str]) -> None:
    assert work(lambda: world.submit(PHQ9), checks)[0] == 202
    first = work(lambda: world.submit(PHQ9), checks)
    assert len(first[1]) == 1
    assert not any("FROM form_source" in statement for statement in first[2])
    old, world.secret = world.secret, ANOTHER
    with db.unit_of_work(db.EVERY) as session:
        source = session.query(FormSource).one()
        source.secret = world.secret
    assert world.submit(PHQ9).status_code == 202
    world.secret = old
    assert world.submit(PHQ9).status_code == 403


def test_what_checks_nobodys_signature_opens_nothing(world: Any) -> None:
    world.secret = senders.NOBODYS[0]
    assert world.submit(PHQ9).status_code == 403
    with db.unit_of_work(db.EVERY) as session:
        assert session.query(FormSource).count() == 1
