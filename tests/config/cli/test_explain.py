"""One answer for each line, whatever the line is."""

import json
import subprocess
import sys
from typing import Any


def explained(what: str, given: bytes) -> list[Any]:
    argv = [sys.executable, "-m", "config.cli", "explain", what]
    ended = subprocess.run(argv, input=given, capture_output=True, check=True, timeout=30)
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
    given = b'{"text": "Y"}\n' * 5000
    piped = f"{sys.executable} -m config.cli explain segments | head -1"
    ended = subprocess.run(["sh", "-c", piped], input=given, capture_output=True, timeout=30)
    assert b"Traceback" not in ended.stderr
    assert ended.stdout.count(b"\n") == 1


def test_what_a_phone_wrote_is_told_from_what_its_owner_did():
    ours = "Hi Ana, your visit is tomorrow at 9:00 AM. Reply Y to confirm. Reply STOP to end texts."
    given = [
        {"text": f"Liked “{ours}”", "quotes": [ours]},
        {"text": f"Liked “{ours}” I want to die", "quotes": ["another", ours]},
        {"text": "Sorry, I can't talk right now."},
        {"text": "I want to die", "quotes": []},
        {"text": "Y"},
        {"text": "Y", "quotes": "Y"},
        {"text": "Y", "quotes": [1]},
    ]
    answers = explained("text", "\n".join(json.dumps(line) for line in given).encode())
    told = [
        [answer.get(key) for key in ("kind", "crisis", "worry", "consent", "answer")]
        for answer in answers[:5]
    ]
    assert told == [
        ["reaction", False, False, None, None],
        ["reaction", True, True, None, None],
        ["robot", False, False, None, None],
        [None, True, True, None, None],
        [None, False, False, None, "confirm"],
    ]
    assert [list(answer) for answer in answers[5:]] == [["error"], ["error"]]
