"""One answer for each line, whatever the line is."""

import json
import subprocess
import sys
from typing import Any

from tests.waiting import PATIENCE
from tests.worries import WORRYING


def explained(what: str, lines: bytes) -> list[Any]:
    argv = [sys.executable, "-m", "service.cli", "explain", what]
    ended = subprocess.run(argv, input=lines, capture_output=True, check=True, timeout=PATIENCE)
    assert ended.stderr == b""
    return [json.loads(line) for line in ended.stdout.splitlines()]


def test_every_line_gets_its_own_answer_in_order():
    lines = (
        b'{"text": "Y"}',
        b"",
        b"no",
        b'{"text": "\xff"}',
        b'{"text": "a", "text": "b"}',
        b"[]",
        b"\xef\xbb\xbf{}",
    )
    answers = explained("text", b"\n".join(lines) + b'\r\n{"text": "\\ud800"}')
    assert [answer.get("answer") or "error" in answer for answer in answers] == [
        "confirm", True, True, True, True, True, True, False
    ]  # fmt: skip
    assert answers[-1]["text"] == "\ud800"


def test_no_line_gets_no_answer():
    assert explained("segments", b"") == []


def test_a_reader_who_leaves_is_no_accident():
    lines = b'{"text": "Y"}\n' * 5000
    piped = f"{sys.executable} -m service.cli explain segments | head -1"
    ended = subprocess.run(["sh", "-c", piped], input=lines, capture_output=True, timeout=PATIENCE)
    assert b"Traceback" not in ended.stderr
    assert ended.stdout.count(b"\n") == 1


def test_a_zone_without_a_place_is_refused_with_the_right_name():
    booked = {"visit_at": "2027-07-15T09:00", "booked_at": "2027-06-01T00:00:00Z"}
    zones = [
        {"zone": "EST", "patient_zone": "America/New_York"},
        {"zone": "America/New_York"},
        {"zone": "PST"},
        {"zone": "America/Denver", "patient_zone": "MST"},
        {"zone": "Etc/GMT+6"},
        {"zone": "HST"},
        {"zone": "UTC"},
    ]
    lines = "\n".join(json.dumps(booked | fields) for fields in zones)
    answers = explained("plan", lines.encode())
    assert [("steps" in answer) for answer in answers] == [False, True, False, False, False, False, False]
    offered = [
        "America/New_York", "", "America/Los_Angeles", "America/Denver", "America/Chicago", "Pacific/Honolulu",
        "America/Denver",
    ]  # fmt: skip
    for answer, name in zip(answers, offered, strict=True):
        assert name in answer.get("error", "")


def test_what_a_phone_wrote_is_told_from_what_its_owner_did():
    ours = "Hi Ana, your visit is tomorrow at 9:00 AM. Reply Y to confirm. Reply STOP to end texts."
    texts = [
        {"text": f"Liked “{ours}”", "quotes": [ours]},
        {"text": f"Liked “{ours}” I want to die", "quotes": ["another", ours]},
        {"text": "Sorry, I can't talk right now."},
        {"text": "I want to die", "quotes": []},
        {"text": "Y"},
        {"text": "Y", "quotes": "Y"},
        {"text": "Y", "quotes": [1]},
    ]
    answers = explained("text", "\n".join(json.dumps(line) for line in texts).encode())
    readings = [[answer.get(key) for key in ("kind", "crisis", "worry", "consent", "answer")] for answer in answers[:5]]
    assert readings == [
        ["reaction", False, False, None, None],
        ["reaction", True, True, None, None],
        ["robot", False, False, None, None],
        [None, True, True, None, None],
        [None, False, False, None, "confirm"],
    ]
    assert [list(answer) for answer in answers[5:]] == [["error"], ["error"]]


def test_a_text_is_explained_with_its_tier_why_and_by_which_versions():
    texts = (WORRYING, "I give up on this portal", "I want to kill myself", "Y")
    answers = explained("text", "\n".join(json.dumps({"text": text}) for text in texts).encode())
    assert [(answer["tier"], answer["crisis"], answer["worry"]) for answer in answers] == [
        ("worry", False, True), ("worry", False, True), ("crisis", True, True), (None, False, False)
    ]  # fmt: skip
    assert answers[1]["tier_why"] == ["soft_unconfirmed"]
    assert "sure_phrase" in answers[2]["tier_why"]
    assert all(answer["versions"]["weights"] and answer["versions"]["rules"] for answer in answers)


def test_a_message_and_a_resource_are_told_line_by_line():
    message = "MSH|^~\\&|BOOKS|ELM|||||SIU^S12|C1|P|2.5.1\rSCH||V7|||||||30|min|^^^202603100900-0600\rPID|1||4711^^^ELM"
    lines = [json.dumps({"message": message}), "no", json.dumps({"message": 7})]
    booked, *wrong = explained("hl7", "\n".join(lines).encode())
    assert (booked["ack"], booked["control_id"], booked["acts"][0]["start"]) == ("AA", "C1", "2026-03-10T15:00:00Z")
    assert ["error" in answer for answer in wrong] == [True, True]
    appointment = {"resourceType": "Appointment", "id": "a", "status": "noshow"}
    (missed,) = explained("fhir", json.dumps({"resource": appointment}).encode())
    assert (missed["ack"], missed["acts"][0]["act"]) == ("ok", "visit.no_show")
