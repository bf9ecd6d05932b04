"""Where an EHR is told by HL7, on its page: set up with what proves both ends, tried, decided, refused in words."""

import socket
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from config import db, runtime
from interchange import connections, engines
from interchange.models import Feed, FeedConnection
from tests.phones import Network
from tests.records.writing.engines import ACTOR, Engine
from tests.web.settings.test_writing_page import acts, admin, network
from tests.webhooks.mllp.test_tls import Authority

__all__ = ["admin", "network"]


@pytest.fixture
def ehr(house: Any, network: Network) -> Engine:
    return Engine(network, house.clinic)


def the_feed() -> UUID:
    with db.unit_of_work(db.EVERY) as session:
        return session.scalars(select(Feed.id)).one()


def the_row() -> FeedConnection:
    with db.unit_of_work(db.EVERY) as session:
        row = session.scalars(select(FeedConnection)).one()
        db.load_keys(session, [row.key_id])
        return row


def address(what: str = "engine") -> str:
    return f"/feeds/{the_feed()}/{what}"


def test_it_is_set_up_tried_decided_and_told(house: Any, admin: Any, ehr: Engine) -> None:
    assert "Where books is told" in admin.get(address()).text
    assert admin.post(address(), host="127.0.0.1", port=str(ehr.port)).status_code == 303
    assert "The engine takes the connection" in admin.post(address() + "/try").text
    page = admin.get(address("writing")).text
    assert "Visits that a patient has confirmed" in page
    assert "In which form" not in page
    assert admin.post(address("writing"), kinds=["visit"], allows=["changes"]).status_code == 303
    ehr.told()
    ehr.confirm()
    dry = admin.post(address("writing") + "/dry").text
    assert "SIU^S14" in dry
    assert "V7^BOOKS" not in dry  # an administrator does not read what a patient said
    assert ehr.taken() == []
    ehr.drain()
    assert "Written" in admin.get(address("writing")).text
    assert "feeds.connection_changed" in acts(house)


def test_a_refusal_stands_there_in_words_and_is_written_again(admin: Any, ehr: Engine) -> None:
    ehr.told()
    ehr.faults({"code": "AE 103", "times": 1})
    ehr.confirm()
    ehr.drain()
    page = admin.get(address("writing")).text
    assert "The EHR does not know a word" in page
    assert "(AE 103)" in page
    assert admin.post(f"{address('writing')}/replay/{ehr.row.id}").status_code == 303
    ehr.drain()
    assert ehr.row.state == "written"


def test_an_engine_that_does_not_answer_is_said_in_words(admin: Any, ehr: Engine) -> None:
    ehr.told()
    ehr.faults({"drops": True, "times": 1})
    ehr.confirm()
    ehr.drain()
    assert "has not acknowledged it" in admin.get(address("writing")).text


def test_an_engine_that_nobody_runs_is_said_as_it_is_tried(admin: Any, ehr: Engine) -> None:
    ehr.told()
    with socket.socket() as taken:  # bound, and never listening: nobody takes connections there
        taken.bind(("127.0.0.1", 0))
        admin.post(address("engine"), host="127.0.0.1", port=str(taken.getsockname()[1]))
        assert "Nobody takes connections there" in admin.post(f"{address('engine')}/try").text


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"host": "127.0.0.1", "port": "0"}, "A port is a number"),
        ({"host": "127.0.0.1", "port": "70000"}, "A port is a number"),
        ({"host": "http://engine", "port": "2575", "tls": "on"}, "That is no host"),
        ({"host": "engine.clinic.example", "port": "2575"}, "Without TLS an engine is told on this machine alone"),
        ({"host": "10.20.0.7", "port": "2575", "tls": "on"}, "That host is inside a network"),
        ({"host": "127.0.0.1", "port": "2575", "tls": "on", "certificate": "x"}, "no certificate with its private key"),
        ({"host": "127.0.0.1", "port": "2575", "tls": "on", "authorities": "x"}, "no certificate in PEM"),
    ],
)
def test_what_cannot_be_so_is_said_at_its_field_and_nothing_is_kept(
    admin: Any, ehr: Engine, typed: dict[str, str], said: str
) -> None:
    before = the_row().base_url
    answer = admin.post(address(), **typed)
    assert answer.status_code == 422
    assert said in answer.text
    assert the_row().base_url == before


def test_an_engine_inside_a_network_that_the_operator_names_is_taken(
    admin: Any, ehr: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = runtime.settings().model_copy(update={"ehr_networks": "10.20.0.0/16"})
    monkeypatch.setattr(runtime, "_settings", named)
    assert admin.post(address(), host="10.20.0.7", port="2575", tls="on").status_code == 303
    assert the_row().base_url == "mllps://10.20.0.7:2575"


def test_the_key_is_sealed_shown_to_nobody_kept_and_taken_away(admin: Any, ehr: Engine, tmp_path: Path) -> None:
    authority = Authority(tmp_path, "clinic")
    certificate, key = (file.read_text() for file in authority.sign("warmthread"))
    typed = {"host": "127.0.0.1", "port": "2575", "tls": "on"}
    signs = authority.file.read_text()
    assert admin.post(address(), **typed, certificate=certificate + key, authorities=signs).status_code == 303
    page = admin.get(address()).text
    assert "CN=warmthread" in page
    assert "CN=clinic" in page
    assert "PRIVATE KEY" not in page
    assert key.strip().encode() not in (the_row().certificate_ct or b"")
    admin.post(address(), **typed)
    assert (the_row().certificate or "").startswith(certificate.strip())
    admin.post(address(), **typed, without=["certificate"])
    assert (the_row().certificate, bool(the_row().authorities)) == ("", True)


def test_a_feed_is_either_asked_or_told(admin: Any, ehr: Engine) -> None:
    asked = {"kind": "fhir", "base_url": "https://ehr.example/api", "client_id": "us", "days_ahead": "7"}
    answer = admin.post(address("asking"), **asked, per_minute="60")
    assert answer.status_code == 422
    assert "told by its interface engine" in answer.text
    assert admin.post(address("asking") + "/now").status_code == 404
    with db.unit_of_work(db.EVERY) as session:
        session.scalars(select(FeedConnection)).one().kind = "fhir"
    assert "is asked by us" in admin.get(address()).text
    with db.unit_of_work(db.EVERY) as session, pytest.raises(connections.MayNot):
        engines.save(session, session.scalars(select(Feed)).one(), engines.Wanted("127.0.0.1", 1), ACTOR)


def test_an_engine_is_asked_nothing(ehr: Engine) -> None:
    from interchange.polling import poller

    assert poller.drain() == 0
    assert the_row().refused is None
