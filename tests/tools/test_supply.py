"""What we are made of is written down whole: every locked package, its licence and hashes, and what holes are known."""

import importlib.util
import json
import re
from importlib import metadata
from pathlib import Path

import jsonschema_rs
import pytest

from tools.supply import auditing, bom, licences, locked

ROOT = Path(__file__).parents[2]
RESOURCES = ("spdx", "jsf-0.82", "cryptography-defs")


def schema(name: str) -> dict[str, object]:
    """The schema as the makers of CycloneDX publish it, from the library that pip-audit brings along."""
    wheel = importlib.util.find_spec("cyclonedx")
    assert wheel is not None
    folder = Path((wheel.submodule_search_locations or [""])[0], "schema", "_res")
    read: dict[str, object] = json.loads((folder / f"{name}.SNAPSHOT.schema.json").read_text("utf-8"))
    return read


def test_the_bill_of_materials_is_valid_cyclonedx():
    whole = schema("bom-1.6")
    named = [(f"http://cyclonedx.org/schema/{name}.SNAPSHOT.schema.json", schema(name)) for name in RESOURCES]
    others = jsonschema_rs.Registry(named)
    validator = jsonschema_rs.Draft7Validator(whole, registry=others)
    assert [error.message for error in validator.iter_errors(bom.make())] == []
    assert not validator.is_valid(bom.make() | {"specVersion": 2})


def test_it_names_every_locked_package_with_its_hashes_and_who_wants_it():
    bill = bom.make()
    text = (ROOT / "requirements" / "base.txt").read_text("utf-8")
    assert len(bill["components"]) == len(re.findall(r"^[a-z0-9][^ ]*==", text, re.MULTILINE))
    assert sum(len(part["hashes"]) for part in bill["components"]) == text.count("--hash=")
    wanted = {entry["ref"].partition("@")[0]: entry["dependsOn"] for entry in bill["dependencies"]}
    assert any(ref.startswith("pkg:pypi/werkzeug@") for ref in wanted["pkg:pypi/flask"])
    assert any(ref.startswith("pkg:pypi/flask@") for ref in wanted["pkg:pypi/warmthread"])
    everything = {ref for refs in wanted.values() for ref in refs}
    assert everything == {part["bom-ref"] for part in bill["components"]}


def test_the_same_lock_gives_the_same_bytes():
    assert bom.to_json(bom.make()) == bom.to_json(bom.make())


def test_every_licence_is_known_accepted_and_what_the_package_itself_says():
    packages = locked.read()
    assert licences.problems(packages) == []
    said = licences.kept()["packages"]
    wrong = {}
    for package in packages:
        try:
            own = metadata.metadata(package.name).get("License-Expression")
        except metadata.PackageNotFoundError:
            continue  # not for this machine
        if own and own != said[package.name]:
            wrong[package.name] = own
    assert wrong == {}


def test_a_package_without_a_licence_or_with_one_nobody_accepted_is_named(monkeypatch):
    kept = {
        "accepted": {"MIT": "permissive"},
        "packages": {"a": "MIT", "b": "GPL-3.0-only", "c": "X OR MIT", "z": "MIT"},
    }
    monkeypatch.setattr(licences, "kept", lambda: kept)
    found = licences.problems([locked.Package(name, "1") for name in "abcd"])
    assert [sentence.partition(":")[0] for sentence in found] == ["b", "d", "z"]


def test_the_table_in_the_documentation_is_that_of_the_lock():
    assert licences.table(locked.read()) in (ROOT / "docs" / "dependencies.md").read_text("utf-8")


def test_a_package_without_a_hash_is_refused(tmp_path):
    file = tmp_path / "base.txt"
    file.write_text("flask==3.1.3\n    # via warmthread (pyproject.toml)\n")
    with pytest.raises(ValueError, match="no hash for flask"):
        locked.read(file)


@pytest.mark.parametrize(
    ("printed", "holes", "said"),
    [
        ("", [], "not audited: the network cannot be reached"),
        (
            '{"dependencies": [{"name": "a", "skip_reason": "x"}]}',
            [],
            "not audited: the package index here has no advisories",
        ),
        ('{"dependencies": [{"name": "a", "version": "1", "vulns": []}]}', [], "1 of 1 locked packages audited"),
        (
            '{"dependencies": [{"name": "a", "version": "1", "vulns": [{"id": "PYSEC-1", "fix_versions": ["2"]}]}]}',
            ["a 1: PYSEC-1, mended in 2"],
            "1 of 1 locked packages audited",
        ),
    ],
)
def test_known_holes_are_named_and_silence_is_no_clean_bill(printed, holes, said):
    assert auditing.judge(printed) == (holes, said)
