"""The packages of a requirements file as `make lock` writes it: versions, hashes, and who asks for each."""

import re
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
SERVICE = ROOT / "requirements" / "base.txt"
_BEGINS = re.compile(r"(?P<name>[A-Za-z0-9._-]+)(?:\[[^\]]*\])?==(?P<version>[^\s;]+)(?:\s*;\s*(?P<marker>[^\\]*))?")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
_VIA = re.compile(r"#\s*(?:via\s+)?([A-Za-z0-9._-]+)(?:\[[^\]]*\])?(?:\s+\(pyproject\.toml\))?\s*$")


@dataclass
class Package:
    """One locked package. `hashes` are SHA-256 of its files; `wanted_by` names who asks for it."""

    name: str
    version: str
    marker: str = ""
    hashes: list[str] = field(default_factory=list)
    wanted_by: list[str] = field(default_factory=list)


def read(file: Path = SERVICE) -> list[Package]:
    """Return the packages of the file in its order. Raises ValueError for one without a hash."""
    packages: list[Package] = []
    for line in file.read_text("utf-8").splitlines():
        begins = _BEGINS.match(line)
        if begins:
            packages.append(Package(begins["name"], begins["version"], (begins["marker"] or "").strip()))
        elif packages and (found := _HASH.search(line)):
            packages[-1].hashes.append(found[1])
        elif packages and line.strip() != "# via" and (via := _VIA.search(line)):
            packages[-1].wanted_by.append(via[1])
    bare = [package.name for package in packages if not package.hashes]
    if bare or not packages:
        raise ValueError(f"{file.name}: no hash for {', '.join(bare) or 'anything'}: run make lock")
    return packages
