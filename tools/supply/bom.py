"""The bill of materials as CycloneDX 1.6 writes it in JSON: the same bytes for the same lock."""

import json
import re
import tomllib
import uuid
from typing import Any

from tools.supply import licences
from tools.supply.locked import ROOT, SERVICE, Package, read

SPEC = "1.6"
NAMESPACE = uuid.UUID("6f9e0c1a-58a6-4d0e-9d41-8e3f2f8f7b55")


def make() -> dict[str, Any]:
    """Return the bill of what the service installs. Raises ValueError where a licence is not known or not accepted."""
    packages = read()
    wrong = licences.problems(packages)
    if wrong:
        raise ValueError("\n".join(wrong))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    ours = _ref(project["name"], project["version"])
    return {
        "bomFormat": "CycloneDX",
        "specVersion": SPEC,
        "serialNumber": f"urn:uuid:{uuid.uuid5(NAMESPACE, project['version'] + SERVICE.read_text('utf-8'))}",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": ours,
                "name": project["name"],
                "version": project["version"],
                "purl": ours,
                "licenses": _licences(project["license"]),
            }
        },
        "components": [_component(package) for package in packages],
        "dependencies": _dependencies(project["name"], ours, packages),
    }


def to_json(bill: dict[str, Any]) -> str:
    """Return the text of the file."""
    return json.dumps(bill, indent=2) + "\n"


def _component(package: Package) -> dict[str, Any]:
    component: dict[str, Any] = {
        "type": "library",
        "bom-ref": _ref(package.name, package.version),
        "name": package.name,
        "version": package.version,
        "hashes": [{"alg": "SHA-256", "content": content} for content in package.hashes],
        "licenses": _licences(licences.kept()["packages"][package.name]),
        "purl": _ref(package.name, package.version),
    }
    if package.marker:
        component["properties"] = [{"name": "warmthread:installed-where", "value": package.marker}]
    return component


def _licences(expression: str) -> list[dict[str, Any]]:
    several = re.search(r"\s(AND|OR|WITH)\s", expression)
    return [{"expression": expression}] if several else [{"license": {"id": expression}}]


def _dependencies(name: str, ours: str, packages: list[Package]) -> list[dict[str, Any]]:
    refs = {package.name: _ref(package.name, package.version) for package in packages} | {name: ours}
    wanted: dict[str, list[str]] = {ref: [] for ref in refs.values()}
    for package in packages:
        for asker in package.wanted_by:
            wanted[refs[asker]].append(refs[package.name])
    return [{"ref": ref, "dependsOn": sorted(set(wanted[ref]))} for ref in sorted(wanted)]


def _ref(name: str, version: str) -> str:
    return f"pkg:pypi/{name}@{version}"
