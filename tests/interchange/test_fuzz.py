"""Whatever comes, there is an answer: thousands of mutated messages and resources, no exception, always an ACK."""

import json
import random
import time
from datetime import UTC, datetime
from pathlib import Path

import hl7
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bench.fuzz_feeds import changed, mutated
from interchange import explaining, profiles
from interchange.hl7 import acknowledging, er7, reading
from tests.interchange.resources import APPOINTMENT, PATIENT, bundle

SAMPLES = [path.read_bytes() for path in sorted((Path(__file__).parent / "data").glob("*.hl7"))]
NOW = datetime(2026, 3, 1, tzinfo=UTC)
ACKS = ("AA", "AE", "AR", "CA", "CE", "CR", None)


def answer(data: bytes) -> None:
    """Read and answer as the door does; the answer is one that the field's library reads."""
    try:
        transmission = er7.read(data)
    except er7.Unreadable:
        assert acknowledging.code(None, []) == "AR"
        return
    for message in transmission.messages:
        read = reading.read(message, profiles.default())
        json.dumps(read.acts)
        code = acknowledging.code(message, read.problems)
        assert code in ACKS
        text = acknowledging.text(message, code or "AA", read.problems, now=NOW, control_id="W1")
        (ours,) = er7.read(text).messages
        assert ours.part("MSA", 1) == (code or "AA")
        assert hl7.parse(text) is not None


def test_thousands_of_mutated_messages_are_each_answered() -> None:
    chance = random.Random(16)
    for turn in range(4_000):
        answer(mutated(chance, SAMPLES[turn % len(SAMPLES)]))


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(max_size=400).map(lambda text: "MSH|^~\\&|" + text))
def test_whatever_follows_msh_is_answered(message: str) -> None:
    explained = explaining.hl7({"message": message})
    assert set(explained) == {"ack", "control_id", "acts", "problems"}


def test_thousands_of_changed_resources_are_each_answered() -> None:
    chance = random.Random(16)
    for _ in range(3_000):
        resource = changed(chance, bundle(APPOINTMENT, PATIENT, {"resourceType": "OperationOutcome", "issue": [{}]}))
        explained = explaining.fhir({"resource": resource if isinstance(resource, dict) else {}})
        assert explained["ack"] in ("ok", "refused")
        json.dumps(explained)


@pytest.mark.parametrize(
    "body",
    [
        b"a\n" * 60_000,
        b"PID|1||4711||R^A||||||||" + b"~1" * 60_000,
        b"PID|1||" + b"4711~" * 40_000,
        b"OBX|1|NM|44261-6^x^LN||99||||||F\r" * 4_000,
        b"NTE|1||" + b"\\" * 120_000,
        b"SCH|" + b"^" * 120_000,
        b"PID|1||1\rMRG|2\r" * 8_000,
    ],
    ids=["lines", "phones", "identifiers", "scores", "escapes", "components", "merges"],
)
@pytest.mark.parametrize("event", ["SIU^S12", "ADT^A40", "ORU^R01"])
def test_a_body_as_large_as_the_door_takes_is_read_in_time(body: bytes, event: str) -> None:
    began = time.process_time()
    answer(f"MSH|^~\\&|A|B|C|D|20260301||{event}|1|P|2.5.1\r".encode() + body)
    assert time.process_time() - began < 5
