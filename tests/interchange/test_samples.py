"""The twenty messages of the documentation, one by one: what its table says is what `warmthread explain hl7` says."""

import re
from pathlib import Path

import pytest

from interchange import explaining

HERE = Path(__file__).parent
TABLE = (HERE.parents[1] / "docs" / "interchange.md").read_text("utf-8")
ROW = re.compile(r"^\| `(\w[\w.-]+)\.hl7` \| (.*?) \| (.*?) \| (.*?) \| (.*?) \| (.*?) \|$", re.MULTILINE)
ROWS = {row[1]: row.groups()[1:] for row in ROW.finditer(TABLE)}


def cells(name: str) -> tuple[str, ...]:
    """A row of the table, made from the answer."""
    message = (HERE / "data" / f"{name}.hl7").read_bytes().decode()
    answer = explaining.hl7({"message": message, "profile": {"zone": "America/Denver"}})
    acts = answer["acts"]
    first = acts[0] if acts else {}
    told = dict.fromkeys(problem["problem"] for problem in answer["problems"])
    start = first.get("start") or "none" if "start" in first else ""
    return (
        answer["ack"] or "nothing",
        ", ".join(act["act"] for act in acts),
        f"`{first['key'] or 'none'}`".replace("|", "/") if "key" in first else "",
        start,
        ", ".join(told),
    )


def test_every_message_has_its_row() -> None:
    assert len(ROWS) == 20
    assert set(ROWS) == {path.stem for path in (HERE / "data").glob("*.hl7")}


@pytest.mark.parametrize("name", ROWS)
def test_each_message_is_told_as_the_table_says(name: str) -> None:
    assert cells(name) == ROWS[name]
