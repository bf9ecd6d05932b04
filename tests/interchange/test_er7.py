"""Reading bars and hats: letter by letter, whatever the ends, signs and bytes; judged by the field's own library."""

from pathlib import Path
from typing import Any

import hl7
import pytest

from interchange.hl7 import er7
from tests.interchange.messages import PID, header, parsed, visit

SAMPLES = sorted((Path(__file__).parent / "data").glob("*.hl7"))


def _first(value: Any) -> str:
    """The library's first repetition, component and subcomponent of a field."""
    while not isinstance(value, str):
        value = value(1) if len(value) else ""
    return value


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.stem)
def test_the_field_s_library_reads_the_same(sample: Path) -> None:
    data = sample.read_bytes()
    ours = parsed(data)
    text = data.decode().replace("\r\n", "\r").replace("\n", "\r").strip()
    judge = hl7.parse(text[text.index("MSH") :].split("\rBTS")[0])
    assert [segment.name for segment in ours.segments] == [str(segment[0]) for segment in judge]
    for mine, theirs in zip(ours.segments, judge, strict=True):
        for number in range(1, len(theirs)):
            assert mine.raw(number) == str(theirs[number])
            if mine.name != "MSH" or number > 2:
                assert mine.part(number) == judge.unescape(_first(theirs(number))).strip()


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n", "\n\n"])
def test_segments_end_with_cr_lf_or_both(end: str) -> None:
    message = parsed(visit("S12").replace("\r", end) + end)
    assert [segment.name for segment in message.segments] == ["MSH", "SCH", "PID"]


def test_the_signs_are_those_that_msh_declares() -> None:
    message = parsed("MSH#*!?%#BOOKS%A*ISO#ELM\rPID###47?F?11*x!48")
    assert message.header.part(3, 1, 2) == "A"
    assert message.part("PID", 3) == "47#11"
    assert [value.part() for value in message.segments[1].values(3)] == ["47#11", "48"]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (r"A\F\B\S\C\T\D\R\E\E\F", "A|B^C&D~E\\F"),
        (r"\X41\\X42\ C", "AB C"),
        (r"line\.br\two", "line\ntwo"),
        (r"\H\bold\N\ x", "bold x"),
        (r"what \Zfoo\ is", r"what \Zfoo\ is"),
        (r"one \ alone", r"one \ alone"),
    ],
)
def test_escape_sequences_are_undone_and_unknown_ones_stay(written: str, read: str) -> None:
    assert parsed(f"{header('S12')}\rNTE|1||{written}").part("NTE", 3) == read


def test_a_control_id_stays_letter_by_letter() -> None:
    assert parsed(header("S12", control_id=r" 38\T\762 ")).control_id == r" 38\T\762 "


@pytest.mark.parametrize(
    ("named", "codec"),
    [("UNICODE UTF-8", "utf-8"), ("8859/1", "latin-1"), ("", "latin-1"), ("", "utf-8"), ("8859/15", "iso8859-15")],
)
def test_letters_are_read_by_msh_18(named: str, codec: str) -> None:
    text = f"{header('A08', more='||||||' + named)}\r{PID.replace('RIVER', 'MUÑOZ')}"
    assert parsed(text.encode(codec)).part("PID", 5) == "MUÑOZ"


def test_bytes_that_contradict_msh_18_are_told() -> None:
    text = f"{header('A08', more='||||||UNICODE UTF-8')}\r{PID.replace('RIVER', 'MUÑOZ')}"
    assert [problem.code for problem in er7.read(text.encode("latin-1")).problems] == ["charset_contradicted"]
    text = text.replace("UNICODE UTF-8", "KLINGON")
    assert [problem.code for problem in er7.read(text.encode()).problems] == ["charset_unknown"]


def test_a_profile_s_charset_overrules_the_message() -> None:
    text = f"{header('A08', more='||||||ASCII')}\r{PID.replace('RIVER', 'MUÑOZ')}"
    (message,) = er7.read(text.encode("latin-1"), "8859/1").messages
    assert message.part("PID", 5) == "MUÑOZ"


@pytest.mark.parametrize("wrapped", ["\x0b{}\x1c\r", "\ufeff{}", "\n\n{}\n"])
def test_frames_marks_and_blank_lines_around_a_message_are_no_part_of_it(wrapped: str) -> None:
    assert parsed(wrapped.format(visit("S12"))).control_id == "C1"


def test_a_line_break_inside_a_text_ends_no_segment() -> None:
    message = parsed(f"{header('S12')}\rNTE|1||bring your list\nof medicines\rPV1|1|O")
    assert message.part("NTE", 3) == "bring your list\nof medicines"
    assert message.part("PV1", 2) == "O"


def test_a_batch_is_its_messages_and_a_wrong_count_is_told() -> None:
    batch = "\r".join([r"FHS|^~\&", r"BHS|^~\&", visit("S12"), visit("S13"), "BTS|2", "FTS|1"])
    read = er7.read(batch)
    assert [message.event for message in read.messages] == ["S12", "S13"]
    assert read.problems == []
    assert [problem.code for problem in er7.read(batch.replace("BTS|2", "BTS|3")).problems] == ["batch_count"]


@pytest.mark.parametrize("text", ["", "hello", "MSH", "MSH|", "MSHA^~\\&", "MSH|||||", "PID|1||2", "MSH|^^^^", "BTS|1"])
def test_what_is_no_message_is_refused(text: str) -> None:
    with pytest.raises(er7.Unreadable):
        er7.read(text)
