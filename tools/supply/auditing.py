"""Asks pip-audit whether a hole is known in what is locked; says so in one line where nobody can be asked."""

import json
import subprocess
import sys
from typing import Any

from tools.supply.locked import SERVICE

# However slow the network is, `make check` does not wait longer for it.
SECONDS = 60


def ask() -> tuple[list[str], str]:
    """Return a line for each known hole, and a sentence about how many packages could be asked about."""
    words = ("-r", str(SERVICE), "--disable-pip", "--require-hashes", "--timeout", "5", "--format", "json")
    command = [sys.executable, "-m", "pip_audit", *words, "--progress-spinner", "off"]
    try:
        ended = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return [], f"not audited: nobody answered within {SECONDS} seconds"
    return judge(ended.stdout)


def judge(printed: str) -> tuple[list[str], str]:
    """Read what pip-audit printed; what is no JSON is its complaint that nobody answers."""
    try:
        packages: list[dict[str, Any]] = json.loads(printed)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return [], "not audited: the network cannot be reached"
    asked = [package for package in packages if "vulns" in package]
    if not asked:
        return [], "not audited: the package index here has no advisories"
    return [
        f"{package['name']} {package['version']}: {hole['id']}, mended in {' '.join(hole['fix_versions']) or 'none'}"
        for package in asked
        for hole in package["vulns"]
    ], f"{len(asked)} of {len(packages)} locked packages audited"
