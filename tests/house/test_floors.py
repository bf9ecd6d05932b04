"""The house itself: the contracts between its rooms hold, and every file stays small enough to read at one sitting."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
FILE_LINES = 300
FUNCTION_LINES = 40
# Written once by Alembic and never changed again.
HISTORY = "service/migrations/versions"
# What is longer all the same, with its reason. Meant to become empty.
LONGER = {
    "tests/messaging/delivery/test_deliver.py": "to be split: sending, statuses",
    "intake_links/links.py:issue": "one argument a line",
    "intake_links/submissions.py:accept": "one argument a line",
    "messaging/inbox/items.py:open_item": "one argument and one column a line",
}


def tracked(*patterns: str) -> list[Path]:
    """Return what git knows of, as absolute paths that exist."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", *patterns], cwd=ROOT, capture_output=True, check=True, text=True
    ).stdout
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).exists()]


def ours() -> Iterator[tuple[str, str]]:
    for path in tracked("*.py"):
        name = path.relative_to(ROOT).as_posix()
        if not name.startswith(HISTORY):
            yield name, path.read_text(encoding="utf-8")


def test_imports_only_point_down():
    linting = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache", "--no-logo"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert linting.returncode == 0, linting.stdout


def long_files() -> dict[str, int]:
    sizes = {name: len(text.splitlines()) for name, text in ours()}
    return {name: lines for name, lines in sizes.items() if lines > FILE_LINES}


def long_functions() -> dict[str, int]:
    sizes = {
        f"{name}:{node.name}": (node.end_lineno or 0) - node.lineno + 1
        for name, text in ours()
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    return {name: lines for name, lines in sizes.items() if lines > FUNCTION_LINES}


def test_every_python_file_fits_on_a_few_screens():
    assert {name: lines for name, lines in long_files().items() if name not in LONGER} == {}


def test_every_function_can_be_seen_at_once():
    assert {name: lines for name, lines in long_functions().items() if name not in LONGER} == {}


def test_what_has_become_short_leaves_the_list_of_long_things():
    assert set(LONGER) <= {*long_files(), *long_functions()}


def test_every_module_opens_with_what_it_is_for():
    silent = [
        name
        for name, text in ours()
        if text.strip() and not ast.get_docstring(ast.parse(text)) and not name.startswith("tests/")
    ]
    assert silent == []


def test_no_module_has_a_name_that_says_nothing():
    meaningless = {"utils", "util", "helpers", "common", "services", "managers", "misc"}
    assert [name for name, _ in ours() if meaningless & set(Path(name).with_suffix("").parts)] == []


def test_no_tests_folder_is_a_package():
    assert tracked("tests/**/__init__.py", "tests/__init__.py") == []


def loop_names(text: str) -> Iterator[tuple[int, str]]:
    """The line and name of each variable of a loop or comprehension."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.For | ast.AsyncFor | ast.comprehension):
            for target in ast.walk(node.target):
                if isinstance(target, ast.Name):
                    yield target.lineno, target.id


def test_a_loop_says_what_it_walks_over():
    assert [f"{name}:{line}" for name, text in ours() for line, loop in loop_names(text) if loop == "one"] == []
