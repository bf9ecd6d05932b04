"""What docs/requests.md says is shown by a test, is shown by one that exists."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_test_that_the_list_of_requests_names_exists() -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", (ROOT / "docs/requests.md").read_text())
    assert len(named) > 40
    missing = [f"{path}::{name}" for path, name in named if f"def {name}(" not in (ROOT / path).read_text()]
    assert missing == []


def test_a_request_without_a_test_says_no() -> None:
    rows = [line for line in (ROOT / "docs/requests.md").read_text().splitlines() if line.startswith("| ")]
    requests = [row for row in rows if not row.startswith("| asked for")]
    assert [row for row in requests if "::test_" not in row and "| No" not in row] == []
