"""What a sender is answered (HL7 v2, 2.9): which code, and every letter of theirs that comes back."""

from datetime import UTC, datetime

import hl7
import pytest

from interchange.hl7 import acknowledging
from interchange.problems import Problem
from tests.interchange.messages import PID, explained, header, parsed, read, sch, visit

NOW = datetime(2026, 3, 1, 19, 0, 5, tzinfo=UTC)


def answered(message: str, ack: str | None = None) -> list[list[str]]:
    """The fields of each segment of the answer."""
    problems = read(message).problems
    code = ack or acknowledging.code(parsed(message), problems) or ""
    text = acknowledging.text(parsed(message), code, problems, now=NOW, control_id="W1")
    assert text.endswith("\r")
    return [segment.split("|") for segment in text.rstrip("\r").split("\r")]


def asked(conditions: str, event: str = "S12") -> str:
    """A message whose MSH-15 and MSH-16 are these."""
    return f"{header(event, more=f'|||{conditions}')}\r{sch()}\r{PID}"


def test_original_mode_says_aa_to_what_is_understood() -> None:
    assert explained(visit("S12"))["ack"] == "AA"


def test_content_that_the_sender_must_mend_is_ae() -> None:
    assert explained(f"{header('S12')}\r{sch(start='')}\r{PID}")["ack"] == "AE"
    assert explained(f"{header('S12')}\r{sch()}")["ack"] == "AE"
    assert explained(visit("S12").replace("|C1|", "||"))["ack"] == "AE"


@pytest.mark.parametrize(
    ("was", "becomes", "where", "code"),
    [
        ("SIU^S12", "ORM^O01", "MSH-9.1", "200"),
        ("SIU^S12", "SIU^S99", "MSH-9.2", "201"),
        ("SIU^S12", "SIU", "MSH-9.2", "201"),
        ("SIU^S12", "", "MSH-9.1", "200"),
        ("SIU^S12", "ADT^S12", "MSH-9.2", "201"),
        ("|P|", "|X|", "MSH-11", "202"),
        ("|2.5.1", "|3.0", "MSH-12", "203"),
    ],
)
def test_a_type_processing_or_version_that_is_not_ours_is_ar(was: str, becomes: str, where: str, code: str) -> None:
    message = visit("S12").replace(was, becomes)
    answer = explained(message)
    assert (answer["ack"], answer["acts"]) == ("AR", [])
    assert [problem["where"] for problem in answer["problems"]] == [where]
    assert any(segment[0] == "ERR" and segment[3].startswith(f"{code}^") for segment in answered(message, "AR"))


def test_what_is_no_hl7_is_ar_in_the_usual_signs() -> None:
    answer = explained("hello")
    assert (answer["ack"], answer["control_id"]) == ("AR", "")
    assert acknowledging.code(None, []) == "AR"
    text = acknowledging.text(None, "AR", [Problem("header_unreadable", "MSH")], now=NOW, control_id="W1")
    assert hl7.parse(text)["MSA.F1"] == "AR"


@pytest.mark.parametrize(
    ("conditions", "event", "ack"),
    [
        ("AL|NE", "S12", "CA"),
        ("AL|AL", "S12", "CA"),
        ("SU|NE", "S12", "CA"),
        ("ER|NE", "S12", None),
        ("NE|NE", "S12", None),
        ("NE|AL", "S12", "AA"),
        ("|AL", "S12", "AA"),
        ("|ER", "S12", None),
        ("NE|SU", "S12", "AA"),
        ("AL|NE", "S99", "CR"),
        ("ER|NE", "S99", "CR"),
        ("SU|NE", "S99", None),
        ("NE|ER", "S99", "AR"),
    ],
)
def test_enhanced_mode_answers_on_the_sender_s_conditions(conditions: str, event: str, ack: str | None) -> None:
    assert explained(asked(conditions, event))["ack"] == ack


def test_enhanced_mode_says_only_whether_it_is_kept() -> None:
    without_patient = asked("AL|NE").replace(PID, "PV1|1|O")
    assert explained(without_patient)["ack"] == "CA"
    assert explained(asked("NE|AL").replace(PID, "PV1|1|O"))["ack"] == "AE"
    assert explained(asked("AL|NE").replace("|C1|", "||"))["ack"] == "CE"


def test_msa_2_is_msh_10_byte_for_byte() -> None:
    msa = answered(visit("S12").replace("|C1|", r"| 38\T\762 |"))[1]
    assert msa == ["MSA", "AA", r" 38\T\762 "]


def test_sender_and_receiver_change_places() -> None:
    message = visit("S12").replace("BOOKS|ELM|WARM|ELM2", "BOOKS^1.2^ISO|ELM|WARM|ELM2^3.4^ISO")
    assert answered(message)[0][2:6] == ["WARM", "ELM2^3.4^ISO", "BOOKS^1.2^ISO", "ELM"]


@pytest.mark.parametrize(("processing", "version"), [("P", "2.3"), ("T", "2.5.1"), ("D", "2.8")])
def test_the_answer_s_own_kind_and_the_sender_s_processing_and_version(processing: str, version: str) -> None:
    msh = answered(f"{header('S12', processing=processing, version=version)}\r{sch()}\r{PID}")[0]
    assert msh[6:12] == ["20260301190005+0000", "", "ACK^S12^ACK", "W1", processing, version]


def test_the_answer_is_written_in_the_sender_s_signs() -> None:
    message = visit("S99").replace("|", "#").replace("^", "*")
    text = acknowledging.text(parsed(message), "AR", read(message).problems, now=NOW, control_id="W1")
    assert text.startswith(r"MSH#*~\&#WARM#ELM2#BOOKS#ELM#")
    assert "\rMSA#AR#C1#" in text
    assert parsed(text).part("ERR", 3) == "201"


def test_errors_are_told_in_err_by_version() -> None:
    without_start = f"{header('S12')}\r{sch(start='')}\r{PID}"
    assert answered(without_start)[2] == [
        "ERR", "", "SCH^1^11^1^4", "101^start_missing^HL70357", "E", "", "", "", "A booked visit must have a start.",
    ]  # fmt: skip
    old = without_start.replace("2.5.1", "2.3")
    assert answered(old)[2] == ["ERR", "SCH^1^11^101&start_missing&HL70357"]


def test_the_field_s_library_reads_every_answer() -> None:
    for message in (visit("S12"), visit("S99"), f"{header('S12')}\r{sch(start='')}\r{PID}"):
        segments = ["|".join(fields) for fields in answered(message)]
        judge = hl7.parse("\r".join(segments))
        assert (judge["MSA.F2"], judge["MSH.F9.R1.C1"]) == ("C1", "ACK")


def test_no_words_of_a_patient_are_in_an_answer() -> None:
    message = visit("S12", "ZZZ|secret").replace("20260310090000", "RIVER")
    assert "RIVER" not in str(answered(message))
