"""Every table that a file of ours declares is known before the first query."""

import ast
import subprocess
import sys

from sqlalchemy import Column, ForeignKeyConstraint

from service import tables
from tests.house.test_floors import ROOT, ours

# Few rows, none of which is destroyed: whoever points at them needs no index to be found by.
FEW = ("clinic", "edition", "social_wording", "staff", "task_template")

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


def starts_an_index(column: Column[object]) -> bool:
    indexes = [index.columns for index in column.table.indexes]
    constraints = [known.columns for known in column.table.constraints if not isinstance(known, ForeignKeyConstraint)]
    return any(list(columns)[:1] == [column] for columns in (*indexes, *constraints))


def test_whatever_points_at_a_row_that_may_go_is_found_by_an_index():
    """Else each row that retention destroys costs a look at every row of the tables that point at it."""
    pointing = [
        column
        for table in tables.Base.metadata.tables.values()
        for column in table.columns
        for key in column.foreign_keys
        if key.column.table.name not in FEW
    ]
    assert len(pointing) > 40
    assert [str(column) for column in pointing if not starts_an_index(column)] == []
