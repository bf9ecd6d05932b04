"""Frames of MLLP as senders really send them: split, joined, unended, with anything between, and never ending."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interchange.hl7 import framing
from interchange.hl7.framing import Frames

ONE, TWO = b"MSH|^~\\&|A\rSCH|1\r", b"MSH|^~\\&|B\rSCH|2\r"
BODIES = st.binary(min_size=1, max_size=60).filter(lambda body: not set(body) & {0x0B, 0x1C} and body.strip())


def framed(body: bytes) -> bytes:
    return b"\x0b" + body + b"\x1c\r"


@given(st.lists(BODIES, max_size=5), st.data())
def test_start_and_end_split_across_packets_and_frames_joined(bodies: list[bytes], data: st.DataObject) -> None:
    stream, frames, heard = b"".join(framed(body) for body in bodies), Frames(), []
    while stream:
        size = data.draw(st.integers(1, len(stream)))
        heard += frames.feed(stream[:size])
        stream = stream[size:]
    assert heard == bodies
    assert not frames.is_open


def test_byte_by_byte_is_the_same() -> None:
    frames = Frames()
    assert [frame for byte in framed(ONE) + framed(TWO) for frame in frames.feed(bytes([byte]))] == [ONE, TWO]


@pytest.mark.parametrize(
    "between", [b"\r\n", b"junk", b"MSH|^~\\&|no frame\r", b"\x1c\r", b"\x0b\x1c\r", b"\x0b\r\x1c\r"]
)
def test_junk_before_the_start_and_empty_frames_are_no_messages(between: bytes) -> None:
    assert Frames().feed(between + framed(ONE) + between + framed(TWO)) == [ONE, TWO]


def test_an_end_without_its_carriage_return_before_the_next_frame() -> None:
    assert Frames().feed(b"\x0b" + ONE + b"\x1c" + framed(TWO)) == [ONE, TWO]


def test_an_end_with_a_line_feed() -> None:
    assert Frames().feed(b"\x0b" + ONE + b"\x1c\n") == [ONE]


def test_an_end_without_its_carriage_return_is_one_once_nothing_more_comes() -> None:
    frames = Frames()
    assert frames.feed(b"\x0b" + ONE + b"\x1c") == []
    assert frames.may_be_closed
    assert frames.silence() == [ONE]
    assert frames.silence() == []
    assert frames.feed(b"\r" + framed(TWO)) == [TWO]


def test_a_file_separator_within_a_message_does_not_cut_it() -> None:
    assert Frames().feed(framed(b"MSH|1\rNTE|1||a\x1cb\r")) == [b"MSH|1\rNTE|1||a\x1cb\r"]


def test_a_sender_that_was_cut_off_begins_anew() -> None:
    assert Frames().feed(b"\x0b" + ONE[:9] + framed(TWO)) == [TWO]


def test_a_vertical_tab_in_a_note_begins_nothing() -> None:
    assert Frames().feed(framed(b"MSH|1\rNTE|1||a\x0bb\r")) == [b"MSH|1\rNTE|1||a\x0bb\r"]


def test_a_frame_of_10_mb_is_cut_and_the_next_is_whole() -> None:
    frames, heard = Frames(), []
    large = b"\x0b" + ONE + b"OBX|1||" + b"A" * 10_000_000 + b"\x1c\r" + framed(TWO)
    for at in range(0, len(large), 65536):
        heard += frames.feed(large[at : at + 65536])
        assert len(frames._buffer) <= framing.LARGEST + 65536
    assert heard == [b"MSH|^~\\&|A", TWO]
    assert [frame.fault for frame in heard] == ["message_too_large", None]


def test_a_frame_that_never_ends_is_endless_and_held_nowhere() -> None:
    frames = Frames()
    frames.feed(b"\x0b")
    for _ in range(framing.ENDLESS // 65536 + 1):
        frames.feed(b"A" * 65536)
        assert len(frames._buffer) <= framing.LARGEST + 65536
    assert frames.is_endless


def test_unframed_bytes_are_endless_soon() -> None:
    frames = Frames()
    for _ in range(3):
        assert frames.feed(ONE * 2_000) == []
    assert frames.is_endless
