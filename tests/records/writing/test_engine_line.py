"""To an interface engine over TLS, whoever is killed meanwhile, and whatever it does to the other EHR's turn."""

import multiprocessing
import os
import signal
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import hl7
import pytest

from config import db
from messaging.models import Clinic
from records.writing import lane
from reminders import appointments
from tests.phones import Network
from tests.records.writing.engines import HASTY, Engine
from tests.records.writing.kit import Writes, answered
from tests.waiting import PATIENCE, until
from tests.webhooks.mllp.test_tls import Authority


@pytest.fixture
def ehr(here: Any, network: Network, clinic: Clinic) -> Engine:
    return Engine(network, clinic)


def _work() -> None:
    """The worker that is killed: what the engine has taken it never writes down."""
    db.forget_connections()
    lane.drain()


@pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)
def test_killed_between_send_and_acknowledgement_the_ehr_has_it_once(house: Any, ehr: Engine) -> None:
    ehr.told()
    ehr.faults({"hang_s": 3, "accepts": True, "times": 1})
    ehr.confirm()
    worker = multiprocessing.get_context("fork").Process(target=_work)
    worker.start()
    until(ehr.taken, "the EHR to have taken it")
    os.kill(worker.pid or 0, signal.SIGKILL)
    worker.join(PATIENCE)
    assert ehr.row.state == "waiting"
    assert ehr.drain() == 0  # held until the lease ends
    ehr.later()
    assert ehr.row.state == "written"
    first, second = ehr.heard()
    assert first[0] == second[0]
    assert len(ehr.taken()) == 1


def test_an_engine_that_hangs_or_refuses_holds_no_other_ehr(ehr: Engine, epic: Writes) -> None:
    ehr.told()
    ehr.confirm()
    answered(epic.ehr.clinic)
    ehr.network.ask("PUT", "/sim/ehrs/epic/faults", [{"method": "MLLP", "hang_s": 3, "accepts": True}])
    ehr.drain()
    assert {row.kind: row.state for row in (*ehr.rows(), *epic.rows())} == {"visit": "waiting", "screen": "written"}
    ehr.network.ask("PUT", "/sim/ehrs/epic/faults", [{"method": "MLLP", "code": "AR"}])
    answered(epic.ehr.clinic, event="2")
    ehr.later()
    assert [row.state for row in epic.rows()] == ["written", "written"]
    assert [row.state for row in ehr.rows()] == ["refused"]


@contextmanager
def sealed(authority: Authority) -> Iterator[tuple[int, list[str]]]:
    """An engine that wants a certificate of this authority; within: its port, and the messages that it has taken."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.sign("engine"))
    context.load_verify_locations(authority.file)
    context.verify_mode = ssl.CERT_REQUIRED
    taken: list[str] = []

    def serve() -> None:
        while True:
            try:
                plain, _ = listening.accept()
            except OSError:
                return
            with suppress(OSError), context.wrap_socket(plain, server_side=True) as connected:
                while frame := connected.recv(65_536):
                    text = frame.strip(b"\x0b\x1c\r").decode()
                    taken.append(text)
                    control = text.split("|")[9]
                    connected.sendall(f"\x0bMSH|^~\\&|||||||ACK|A1|P|2.5.1\rMSA|AA|{control}\r\x1c\r".encode())

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield listening.getsockname()[1], taken
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            thread.join(PATIENCE)


def test_over_tls_both_ends_prove_themselves(ehr: Engine, tmp_path: Path) -> None:
    authority, stranger = Authority(tmp_path, "clinic"), Authority(tmp_path, "stranger")
    ours, foreign = ("".join(file.read_text() for file in each.sign("us")) for each in (authority, stranger))
    signs = {"host": "localhost", "tls": True, "authorities": authority.file.read_text()}
    ehr.told()
    ehr.confirm()
    with sealed(authority) as (port, taken):
        for certificate, trusted in ((foreign, {}), ("", {}), (ours, {"authorities": stranger.file.read_text()})):
            ehr.connect(port=port, certificate=certificate, **(signs | trusted))
            ehr.later()
            assert (ehr.row.state, taken) == ("waiting", [])
            assert ehr.writer.refused in ("no_ack", "tls", "certificate", "connect")
        ehr.connect(port=port, certificate=ours, **signs)
        ehr.later()
    assert ehr.row.state == "written"
    (text,) = taken
    assert str(hl7.parse(text).segment("MSH")[9]) == "SIU^S14"


def test_an_acknowledgement_of_another_message_counts_for_nothing(ehr: Engine) -> None:
    ehr.told()
    ehr.confirm()
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            connected, _ = listening.accept()
            with connected:
                connected.recv(65_536)
                connected.sendall(b"\x0bMSH|^~\\&|||||||ACK|A1|P|2.5.1\rMSA|AA|ANOTHER\r\x1c\r")

        thread = threading.Thread(target=serve)
        thread.start()
        ehr.connect(port=listening.getsockname()[1])
        lane.drain(HASTY)
        thread.join(PATIENCE)
    assert (ehr.row.state, ehr.writer.refused) == ("waiting", "no_ack")


def test_a_change_that_comes_before_the_confirmation_was_sent_takes_its_place(ehr: Engine) -> None:
    ehr.connect(allows=["changes"])
    ehr.told()
    ehr.confirm()
    ehr.says(appointments.ask_change)
    ehr.drain()
    assert [str(hl7.parse(text).segment("SCH")[25]) for text in ehr.taken()] == ["Pending"]
