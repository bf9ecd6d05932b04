"""Every column of the database stands in a list: sealed, or in clear with the reason."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import MetaData

from service import tables

ROOT = Path(__file__).parents[2]
LIST = ROOT / "docs/clear.toml"


def told() -> dict[str, Any]:
    """What the list says."""
    return tomllib.loads(LIST.read_text(encoding="utf-8"))


def faults(metadata: MetaData, said: Mapping[str, Any]) -> list[str]:
    """Where the schema and the list do not agree, a line each."""
    found = []
    reasons = {"sealed", *said["clear"]}
    for name, listed in said["tables"].items():
        named = [column for columns in listed.values() for column in columns.split()]
        there = [column.name for column in metadata.tables[name].c] if name in metadata.tables else []
        found += [f"{name}.{column} is not listed" for column in there if column not in named]
        found += [f"{name}.{column} is not in the database" for column in named if column not in there]
        found += [f"{name}.{column} is listed twice" for column in set(named) if named.count(column) > 1]
        found += [f"{name}: nobody says what {reason} is" for reason in listed if reason not in reasons]
        sealed = set(listed.get("sealed", "").split())
        found += [f"{name}.{column} is listed as sealed" for column in sealed if not _is_sealed(name, column)]
        found += [f"{name}.{column} is sealed, and listed as clear" for column in named if column.endswith("_ct")
                  and column not in sealed]  # fmt: skip
    return found + [f"{name} is not listed" for name in metadata.tables if name not in said["tables"]]


def _is_sealed(table: str, column: str) -> bool:
    return column.endswith("_ct") or (table == "data_key" and column.endswith("wrapped"))


def test_every_column_is_sealed_or_says_why_it_is_in_clear() -> None:
    assert len(tables.METADATA.tables) > 80
    assert faults(tables.METADATA, told()) == []


def test_every_reason_is_used_and_says_something() -> None:
    said = told()
    used = {reason for listed in said["tables"].values() for reason in listed}
    assert used - {"sealed"} == set(said["clear"])
    assert [reason for reason, words in said["clear"].items() if len(words.split()) < 6] == []


def test_a_new_column_a_lost_one_and_a_reason_that_nobody_gave_are_found() -> None:
    said = told()
    lines = said["tables"]["handoff"]
    lines["times"] = lines["times"].replace("requested_at", "asked_on")
    lines["no_reason"] = lines.pop("agenda")
    lines["ids"] += " place_ct"
    said["tables"].pop("draft")
    assert sorted(faults(tables.METADATA, said)) == [
        "draft is not listed",
        "handoff.asked_on is not in the database",
        "handoff.place_ct is listed twice",
        "handoff.requested_at is not listed",
        "handoff: nobody says what no_reason is",
    ]


def test_the_page_about_security_points_to_the_list() -> None:
    assert "clear.toml" in (ROOT / "docs/security.md").read_text(encoding="utf-8")
