"""Every table that a file of ours declares is known before the first query."""

import ast
import subprocess
import sys

from tests.house.test_floors import ROOT, ours

KNOWN = """
from service import tables
for mapper in tables.Base.registry.mappers:
    print(f"{mapper.class_.__module__}.{mapper.class_.__name__}")
"""


def declared() -> set[str]:
    """The classes of ours with a table, by their full names."""
    return {
        f"{name.removesuffix('.py').replace('/', '.')}.{node.name}"
        for name, text in ours()
        if not name.startswith(("tests/", "bench/", "simulator/"))
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.ClassDef)
        and any(ast.unparse(line).startswith("__tablename__ = '") for line in node.body)
    }


def test_every_table_is_known_before_the_first_query():
    listed = subprocess.run([sys.executable, "-c", KNOWN], cwd=ROOT, capture_output=True, check=True, text=True)
    assert len(declared()) > 30
    assert declared() == set(listed.stdout.split())
