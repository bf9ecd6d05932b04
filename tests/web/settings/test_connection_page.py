"""How an EHR is asked, on its page: set up, tried out, asked now, paused; what it refuses stands there in words."""

import io
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import select, update

from config import clock, db, runtime
from interchange import jobs
from interchange.models import Feed, FeedConnection, FeedKey
from interchange.polling import keys, poller
from reminders.models import Appointment
from tests.phones import Network
from tests.web.feeds import feed_of

FORM = {"kind": "fhir", "client_id": "us", "practice": "", "days_ahead": "7", "per_minute": "600"}


@pytest.fixture
def admin(house: Any) -> Any:
    return house.signed_in(house.staff("Ada", role="clinic_admin"))


@pytest.fixture
def feed(house: Any) -> Any:
    return feed_of(house)


@pytest.fixture
def page(feed: Any) -> str:
    return f"/feeds/{feed.id}/asking"


@pytest.fixture
def network(network_url: str, house: Any, monkeypatch: pytest.MonkeyPatch) -> Network:
    allowed = runtime.settings().model_copy(update={"ehr_networks": "127.0.0.0/8"})
    monkeypatch.setattr(runtime, "_settings", allowed)
    simulated = Network(network_url)
    simulated.ask("DELETE", "/sim")
    return simulated


def row() -> FeedConnection:
    with db.unit_of_work(db.EVERY) as session:
        return session.scalars(select(FeedConnection)).one()


def set_up(admin: Any, page: str, network: Network, feed: Any) -> None:
    """As an administrator does it: the address, then our keys given to the EHR."""
    assert admin.post(page, **FORM, base_url=f"{network.url}/epic/api/FHIR/R4").status_code == 303
    with db.unit_of_work(db.EVERY) as session:
        jwks = keys.jwks(session, session.get_one(Feed, feed.id))
    network.ask("PUT", "/sim/ehrs/epic/client", {"client_id": "us", "jwks": jwks})
    start = clock.now() + timedelta(days=2)
    network.ask("PUT", "/sim/ehrs/epic/patients/7", {"first": "Ana", "last": "River", "phone": "+13035550111"})
    network.ask("PUT", "/sim/ehrs/epic/visits/12", {"patient": "7", "start": start.isoformat()})


@pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)
def test_an_ehr_is_set_up_tried_out_and_asked(house: Any, admin: Any, page: str, feed: Any, network: Network) -> None:
    assert "Let it be asked" in admin.get(page).text
    set_up(admin, page, network, feed)
    tried = admin.post(f"{page}/try").text
    assert "Visits in the coming week: 1, not known here yet: 1." in tried
    poller.drain()
    jobs.drain()
    shown = admin.get(page).text
    assert "/webhooks/ehr/books/jwks.json" in shown
    assert "not yet" not in shown
    with db.unit_of_work(db.EVERY) as session:
        assert len(session.scalars(select(Appointment)).all()) == 1
    assert "How this EHR is asked" in admin.get(f"/feeds/{feed.id}").text


def test_what_it_refuses_stands_there_in_words(house: Any, admin: Any, page: str, feed: Any, network: Network) -> None:
    set_up(admin, page, network, feed)
    network.ask("PUT", "/sim/ehrs/epic/faults", [{"path": "Appointment", "code": "4118"}])
    poller.drain()
    assert "does not let us read this (4118)" in admin.get(page).text
    assert "not answered" in admin.get("/settings/feeds").text
    network.ask("PUT", "/sim/ehrs/epic/faults", [{"path": "token", "status": 400}])
    with db.unit_of_work(db.EVERY) as session:
        session.execute(update(FeedConnection).values(token_until=None))
    assert "The EHR gives us no token" in admin.post(f"{page}/try").text
    network.ask("PUT", "/sim/ehrs/epic/faults", [])
    admin.post(f"{page}/now")
    poller.drain()
    assert "does not let us read this" not in admin.get(page).text
    assert "not answered" not in admin.get("/settings/feeds").text


def test_that_it_grants_no_encounters_is_said_and_visits_are_read_all_the_same(
    house: Any, admin: Any, page: str, feed: Any, network: Network
) -> None:
    set_up(admin, page, network, feed)
    assert "does not let us read Encounter" not in admin.get(page).text  # it has not been asked yet
    client = network.ask("GET", "/sim/ehrs/epic")["client"]
    network.ask("PUT", "/sim/ehrs/epic/client", client | {"scopes": "system/Appointment.rs system/Patient.rs"})
    poller.drain()
    shown = admin.get(page).text
    assert "does not let us read Encounter" in shown
    assert "we know of no stay in a hospital" in shown
    assert row().refused is None
    with db.unit_of_work(db.EVERY) as session:
        session.execute(update(FeedConnection).values(token_until=None))
    network.ask("PUT", "/sim/ehrs/epic/client", client)
    admin.post(f"{page}/now")
    poller.drain()
    assert "does not let us read Encounter" not in admin.get(page).text


def test_asking_is_paused_and_resumed(house: Any, admin: Any, page: str, feed: Any, network: Network) -> None:
    set_up(admin, page, network, feed)
    admin.post(f"{page}/pause")
    assert poller.drain() == 0
    assert "Paused." in admin.get(page).text
    admin.post(f"{page}/resume")
    assert poller.drain() > 0
    admin.post(f"{page}/anew")
    assert poller.drain() > 0


def test_nothing_typed_is_lost_and_each_mistake_is_named(house: Any, admin: Any, page: str) -> None:
    wrong = {**FORM, "client_id": " ", "days_ahead": "2", "per_minute": "x", "kind": "athena", "practice": "p1"}
    answer = admin.post(page, **wrong, base_url="https://10.0.0.1/fhir")
    assert answer.status_code == 422
    for said in ("the EHR calls us", "3 to 365", "1 to 600", "The practice is a number", "WARMTHREAD_EHR_NETWORKS"):
        assert said in answer.text
    assert 'value="https://10.0.0.1/fhir"' in answer.text
    refused = (
        ("http://ehr.example/", "begin with https"),
        ("x", "begin with https"),
        ("https://u@e.example", "No user"),
    )
    for address, said in refused:
        assert said in admin.post(page, **FORM, base_url=address).text


def test_keys_are_made_brought_and_refused(house: Any, admin: Any, page: str, feed: Any, network: Network) -> None:
    set_up(admin, page, network, feed)
    assert admin.post(f"{page}/key", how="made", algorithm="RS384").status_code == 303
    shown = admin.get(page).text
    assert "RS384" in shown
    assert ">now<" in shown
    assert "from " in shown
    assert "Choose a file" in admin.post(f"{page}/key", how="file").text
    assert "no private key" in admin.post(f"{page}/key", how="file", file=(io.BytesIO(b"x"), "key.pem")).text
    made = ec.generate_private_key(ec.SECP384R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    assert admin.post(f"{page}/key", how="file", file=(io.BytesIO(made), "key.pem")).status_code == 303
    assert "from a file" in admin.get(page).text
    assert "BEGIN" not in admin.get(page).text
    with db.unit_of_work(db.EVERY) as session:
        assert len(session.scalars(select(FeedKey)).all()) == 3
    assert "Choose RS384 or ES384" in admin.post(f"{page}/key", how="made", algorithm="HS256").text


def test_another_clinic_s_feed_is_not_there(house: Any, page: str, feed: Any) -> None:
    admin = house.signed_in(house.staff("Ada", role="clinic_admin"))
    assert admin.get(f"/feeds/{uuid4()}/asking").status_code == 404
    assert admin.post(f"{page}/pause").status_code == 404
