"""One answer for each line, whatever the line is."""

import json
import subprocess
import sys
from typing import Any

from tests.waiting import PATIENCE


def explained(what: str, given: bytes) -> list[Any]:
    argv = [sys.executable, "-m", "config.cli", "explain", what]
    ended = subprocess.run(argv, input=given, capture_output=True, check=True, timeout=PATIENCE)
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
    ended = subprocess.run(["sh", "-c", piped], input=given, capture_output=True, timeout=PATIENCE)
    assert b"Traceback" not in ended.stderr
    assert ended.stdout.count(b"\n") == 1
