"""HL7 by MLLP over real sockets: kept before it is acknowledged, in order, once, and bounded whatever comes."""

import socket
import threading
from typing import Any

import hl7.client
import pytest
from sqlalchemy.exc import OperationalError

from config import db
from interchange import accepting, jobs
from interchange.hl7 import er7
from messaging.inbox.models import InboxItem
from messaging.models import Clinic
from tests.interchange.messages import header, visit
from tests.waiting import until
from tests.webhooks.ehr_world import SOON, World, both
from tests.webhooks.mllp.sender import booking, framed, heard_by_mllp, listening


@pytest.fixture
def world(house: Any, clinic: Clinic) -> World:
    world = World(clinic)
    heard_by_mllp(world)
    return world


@both
def test_the_field_s_own_client_is_acknowledged_and_the_visit_is_booked(world: World) -> None:
    with listening() as running, hl7.client.MLLPClient("127.0.0.1", running.port) as client:
        answer = hl7.parse(client.send_message(hl7.parse(visit("S12", start=SOON))).strip(b"\x0b\x1c\r").decode())
        assert [str(answer.segment("MSA")(place)) for place in (1, 2)] == ["AA", "C1"]
        (kept,) = world.messages
        assert (kept.state, kept.kind) == ("received", "SIU^S12")
        assert b"RIVER" not in kept.raw_ct
    jobs.drain()
    assert world.visit.state == "booked"


@both
def test_a_message_is_committed_before_it_is_acknowledged_and_done_once(world: World) -> None:
    message = framed(booking())
    with listening() as running:
        for _ in range(3):  # a sender that reconnects for each message and has not heard its answer
            with running.sender() as sender:
                sender.send(message)
                assert sender.code() == "AA"
                assert len(world.messages) == 1


def test_several_frames_in_one_packet_are_answered_in_their_order(world: World) -> None:
    with listening() as running, running.sender() as sender:
        sender.send(b"".join(framed(booking(place)) for place in range(20)))
        answers = [sender.answer() for _ in range(20)]
    assert [answer and answer.part("MSA", 2) for answer in answers] == [f"C{place}" for place in range(20)]
    stored = [er7.read(row.raw or "").messages[0].control_id for row in world.messages]
    assert stored == [f"C{place}" for place in range(20)]


def test_start_and_end_bytes_split_across_packets(world: World) -> None:
    with listening() as running, running.sender() as sender:
        for byte in framed(booking()):
            sender.send(bytes([byte]))
        assert sender.code() == "AA"


def test_an_end_without_its_carriage_return_is_answered(world: World) -> None:
    with listening(silence=0.05) as running, running.sender() as sender:
        sender.send(framed(booking())[:-1])
        assert sender.code() == "AA"


def test_line_feeds_instead_of_carriage_returns(world: World) -> None:
    with listening() as running, running.sender() as sender:
        sender.send(framed(booking().replace("\r", "\n")))
        assert sender.code() == "AA"


def test_an_empty_frame_keeps_a_connection_open_and_is_not_answered(world: World) -> None:
    with listening() as running, running.sender() as sender:
        sender.send(b"\x0b\x1c\r" + framed(booking()))
        assert sender.code() == "AA"


def test_each_message_of_a_batch_has_a_frame_of_its_own_as_its_answer(world: World) -> None:
    with listening() as running, running.sender() as sender:
        batch = ["BHS|^~\\&|BOOKS|ELM", booking(1), booking(2), "BTS|2"]
        sender.send(framed("\r".join(batch)))
        assert [sender.code(), sender.code()] == ["AA", "AA"]


def test_a_wrong_encoding_is_kept_and_told(world: World) -> None:
    with listening() as running, running.sender() as sender:
        sender.send(framed(booking().replace("ANA", "AÑA").encode("latin-1")))
        assert sender.code() == "AA"
    jobs.drain()
    assert world.messages[0].state == "done"


def test_what_cannot_be_read_is_refused_and_a_person_hears_of_it(world: World) -> None:
    with listening() as running, running.sender() as sender:
        sender.send(framed(b"\xff\xfe no message"))
        assert sender.code() == "AR"
    assert [row.state for row in world.messages] == ["refused"]
    assert len(world.rows(InboxItem)) == 1


def test_numbers_as_dates_are_ae_102_with_err_and_a_person_hears_of_it(world: World) -> None:
    with listening() as running, running.sender() as sender:
        sender.send(framed(visit("S12", start="45992")))
        answer = sender.answer()
        assert answer is not None
        assert answer.part("MSA", 1) == "AE"
        assert "102" in [segment.part(3) for segment in answer.all("ERR")]
    assert [row.state for row in world.messages] == ["refused"]
    assert len(world.rows(InboxItem)) == 1


def test_a_sender_that_no_feed_names_is_refused_and_nothing_is_kept(world: World) -> None:
    with listening() as running, running.sender() as sender:
        sender.send(framed(booking().replace("BOOKS|ELM|", "BOOKS|OAK|")))
        answer = sender.answer()
        assert answer is not None
        assert (answer.part("MSA", 1), answer.part("MSA", 2)) == ("AR", "C0")
    assert world.messages == []


def test_a_frame_of_two_senders_is_nobody_s(world: World) -> None:
    with listening() as running, running.sender() as sender:
        sender.send(framed(booking(1) + "\r" + booking(2).replace("BOOKS|ELM|", "BOOKS|OAK|")))
        assert sender.code() == "AR"
    assert world.messages == []


def test_a_feed_that_is_not_heard_by_mllp_takes_nothing_here(world: World) -> None:
    heard_by_mllp(world, None)
    with listening() as running, running.sender() as sender:
        sender.send(framed(booking()))
        assert sender.code() == "AR"


def test_a_frame_of_10_mb_is_refused_by_name_and_the_connection_goes_on(world: World) -> None:
    with listening() as running, running.sender() as sender:
        sender.send(framed(booking(1) + "\rNTE|1||" + "A" * 10_000_000))
        answer = sender.answer()
        assert answer is not None
        assert (answer.part("MSA", 1), answer.part("MSA", 2)) == ("AR", "C1")
        # What was cut off is not said to be missing.
        assert [segment.part(3) for segment in answer.all("ERR")] == ["207"]
        sender.send(framed(booking(2)))
        assert sender.code() == "AA"
    assert [row.state for row in world.messages] == ["refused", "received"]
    assert len(world.messages[0].raw or "") < 4096


def test_a_frame_that_never_ends_is_given_up_and_a_person_can_see_it(world: World) -> None:
    with listening() as running, running.sender() as sender:
        stopped = threading.Event()

        def pour() -> None:
            try:
                sender.send(b"\x0b" + booking().encode())
                while True:
                    sender.send(b"A" * 1_000_000)
            except OSError:
                stopped.set()

        threading.Thread(target=pour).start()
        until(stopped.is_set, "the connection to be closed")
    assert "frame_without_end" in seen(world)


def seen(world: World) -> list[str]:
    """Why the one message on the administrator's page was refused; of it no more than MSH is kept."""
    (row,) = world.messages
    assert row.state == "refused"
    assert (row.raw or "").startswith("MSH|")
    assert "RIVER" not in (row.raw or "")
    assert world.rows(InboxItem)
    return [problem["code"] for problem in row.problems]


def test_a_frame_whose_end_does_not_come_is_refused_by_name_and_a_person_can_see_it(world: World) -> None:
    with listening(frame=0.5) as running, running.sender() as sender:
        sender.send(b"\x0b" + booking(1).encode())
        answer = sender.answer()
        assert answer is not None
        assert (answer.part("MSA", 1), answer.part("MSA", 2)) == ("AR", "C1")
        assert sender.answer() is None
    assert "frame_without_end" in seen(world)


@pytest.mark.parametrize("stays", [True, False])
def test_a_message_without_a_frame_is_refused_by_name_and_a_person_can_see_it(world: World, stays: bool) -> None:
    with listening(frame=0.5) as running, running.sender() as sender:
        sender.send(b"\r\n" + booking(1).encode())
        if not stays:
            sender.connection.shutdown(socket.SHUT_WR)
        answer = sender.answer()
        assert answer is not None
        assert (answer.part("MSA", 1), answer.part("MSA", 2)) == ("AR", "C1")
        assert sender.answer() is None
    assert "message_without_frame" in seen(world)


def test_a_frame_after_a_message_without_one_is_taken(world: World) -> None:
    with listening(frame=0.5) as running, running.sender() as sender:
        sender.send(b"MSH|" + b"\r\r" + framed(booking()))
        assert sender.code() == "AA"
    assert len(world.messages) == 1


def test_one_byte_now_and_then_is_no_way_to_hold_a_connection(world: World) -> None:
    with listening(frame=0.3) as running, running.sender() as sender:
        sender.send(b"\x0bMSH|")
        assert sender.answer() is None
    assert world.messages == []


def test_an_idle_connection_is_closed_in_the_end(world: World) -> None:
    with listening(idle=0.1) as running, running.sender() as sender:
        assert sender.answer() is None


def test_no_more_connections_than_the_bound(world: World) -> None:
    with listening(connections=2) as running, running.sender() as one, running.sender() as two:
        for sender in (one, two):
            sender.send(framed(booking()))
            assert sender.code() == "AA"
        with running.sender() as three:
            three.send(framed(booking()))
            assert three.answer() is None
        one.send(framed(booking(2)))
        assert one.code() == "AA"


def test_a_half_message_is_not_taken_when_its_sender_goes(world: World) -> None:
    with listening() as running:
        with running.sender() as sender:
            sender.send(framed(booking())[:-20])
        with running.sender() as sender:
            sender.send(framed(booking()))
            assert sender.code() == "AA"
    assert len(world.messages) == 1


def test_while_the_database_is_away_nothing_is_acknowledged(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object, **__: object) -> None:
        raise OperationalError("select", {}, Exception("away"))

    with listening() as running:
        with monkeypatch.context() as patched, running.sender() as sender:
            patched.setattr(db, "unit_of_work", away)
            sender.send(framed(booking()) + framed(booking(1)))
            assert sender.answer() is None
        with running.sender() as sender:
            sender.send(framed(booking()))
            assert sender.code() == "AA"
    assert len(world.messages) == 1


def test_at_a_stop_what_is_being_kept_is_answered_and_what_is_not_whole_is_not_taken(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on, accept = threading.Event(), threading.Event(), accepting.accept

    def slowly(*arguments: Any) -> accepting.Answer:
        begun.set()
        assert go_on.wait(60)
        return accept(*arguments)

    monkeypatch.setattr(accepting, "accept", slowly)
    with listening() as running, running.sender() as busy, running.sender() as half:
        half.send(framed(booking(7))[:-1])
        busy.send(framed(booking(1)) + framed(booking(2)))
        assert begun.wait(60)
        stopping = threading.Thread(target=running.stop)
        stopping.start()
        assert half.answer() is None
        go_on.set()
        assert busy.code() == "AA"
        assert busy.answer() is None  # the second was not begun, so it is not taken
        stopping.join()
    assert [er7.read(row.raw or "").messages[0].control_id for row in world.messages] == ["C1"]


def test_a_sender_that_wants_no_answer_gets_none(world: World) -> None:
    silent = header("S12", control_id="C9", more="|||NE|NE") + booking()[booking().index("\r") :]
    with listening() as running, running.sender() as sender:
        sender.send(framed(silent) + framed(booking(1)))
        answer = sender.answer()
        assert answer is not None
        assert answer.part("MSA", 2) == "C1"
    assert len(world.messages) == 2
