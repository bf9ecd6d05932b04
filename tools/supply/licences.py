"""The licences of what is locked, by the SPDX expression that each package's own metadata or text says."""

import re
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tools.supply.locked import Package

FILE = Path(__file__).with_name("licences.toml")


def kept() -> dict[str, Any]:
    """Return what licences.toml says: `accepted` by id with why, and `packages` by name."""
    return tomllib.loads(FILE.read_text("utf-8"))


def problems(packages: Iterable[Package]) -> list[str]:
    """Return a sentence for each package whose licence is not here or not accepted, or that is gone from the lock."""
    said, found = kept(), []
    names = [package.name for package in packages]
    for name in names:
        expression = said["packages"].get(name)
        if expression is None:
            found.append(f"{name}: look up its licence and add it to {FILE.name}")
        elif not _accepted(expression, said["accepted"]):
            found.append(f"{name}: nobody has accepted {expression} yet; say in {FILE.name} why it may be used")
    return found + [
        f"{name}: not locked any more, take it out of {FILE.name}" for name in said["packages"] if name not in names
    ]


def _accepted(expression: str, accepted: dict[str, str]) -> bool:
    """Whether one of the choices ("OR") has only accepted licences."""
    return any(set(re.split(r"\s+AND\s+", choice)) <= set(accepted) for choice in re.split(r"\s+OR\s+", expression))


def table(packages: Iterable[Package]) -> str:
    """Return the table of docs/licences.md."""
    said = kept()["packages"]
    rows = [f"| {package.name} | {said[package.name]} |" for package in packages]
    return "\n".join(["| package | licence |", "|---|---|", *rows])
