"""What is written down agrees with what is there: settings, commands, addresses, the Procfile."""

import importlib
import re
import subprocess
from pathlib import Path

import click
import pytest

from config import settings
from config.cli import cli

ROOT = Path(__file__).parents[2]
# In pieces, so that this file does not find itself.
NOT_FOR_THE_PUBLIC = (
    "pypi" + r"\.org",
    "python" + r"hosted\.org",
    "--" + "index-url",
    "--" + "extra-index",
    "npm" + r"js\.(?:org|com)",
    "/work" + "/",
    "/root" + "/",
    "/home" + "/[a-z]",
    "/Us" + "ers/",
)


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def table_of_settings() -> dict[str, str]:
    rows = re.findall(r"^\| `([A-Z_]+)` \| (.*?) \|$", read("docs/running.md"), re.MULTILINE)
    return dict(rows)


def test_every_setting_is_in_the_documentation_and_no_other():
    assert set(table_of_settings()) == set(settings.names())


def test_every_setting_is_in_the_example_and_no_other():
    named = re.findall(r"^#? ?([A-Z_]+)=", read(".env.example"), re.MULTILINE)
    assert named == list(settings.names())


def test_the_example_holds_no_value_that_could_be_taken_for_a_secret():
    assert re.findall(r"^[A-Z_]+=.+", read(".env.example"), re.MULTILINE) == []


def commands(group: click.Group, path: tuple[str, ...] = ()) -> set[tuple[str, ...]]:
    found: set[tuple[str, ...]] = set()
    for name, command in group.commands.items():
        found |= commands(command, (*path, name)) if isinstance(command, click.Group) else {(*path, name)}
    return found


def exists(words: list[str]) -> bool:
    return any(tuple(words[: len(command)]) == command for command in commands(cli))


def test_every_process_of_the_procfile_can_be_started():
    lines = re.findall(r"^([a-z_]+): (.+)$", read("Procfile"), re.MULTILINE)
    assert [name for name, _ in lines] == [
        "release",
        "web",
        "worker_urgent",
        "worker_default",
        "worker_bulk",
        "ticker",
    ]
    for _, command in lines:
        program, *words = command.split()
        assert program == "warmthread"
        assert exists(words), command


@pytest.mark.parametrize(
    "document",
    ["README.md", "CONTRIBUTING.md", *(f"docs/{n}.md" for n in ("map", "running", "walks", "security"))],
)
def test_every_command_a_document_names_exists(document: str):
    named = re.findall(r"`warmthread ([a-z][a-z -]*[a-z])", read(document))
    assert [
        words
        for words in named
        if not exists(words.split()) and words.split()[0] not in {c[0] for c in commands(cli)}
    ] == []


@pytest.mark.parametrize(
    "document",
    ["README.md", "CONTRIBUTING.md", *(f"docs/{n}.md" for n in ("map", "running", "walks", "security"))],
)
def test_every_part_of_the_house_a_document_names_is_there(document: str):
    missing = []
    for name in re.findall(
        r"`((?:config|messaging|intake_links|reminders|webhooks|web|simulator)(?:\.[a-z_]+)+)(?:\(\))?`",
        read(document),
    ):
        if not _is_there(name):
            missing.append(name)
    assert missing == []


def _is_there(name: str) -> bool:
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        rest = parts[length:]
        return not rest or hasattr(found, rest[0])
    return False


@pytest.mark.parametrize(
    "document",
    ["README.md", "CONTRIBUTING.md", *(f"docs/{n}.md" for n in ("map", "running", "walks", "security"))],
)
def test_every_link_of_a_document_leads_somewhere(document: str):
    here = (ROOT / document).parent
    links = [link for link in re.findall(r"\]\(([^)#]+)", read(document)) if not link.startswith("http")]
    pictures = [link for link in links if link.endswith(".png")]
    assert [link for link in links if link not in pictures and not (here / link).exists()] == []


def test_no_tracked_file_names_a_registry_or_a_path_of_somebody_s_machine():
    found = subprocess.run(
        ["git", "grep", "-nIE", "|".join(NOT_FOR_THE_PUBLIC)], cwd=ROOT, capture_output=True, text=True
    )
    assert found.stdout == ""


def test_the_scripts_of_the_house_are_valid_shell():
    for shell, name in (("bash", ".ci/run"), ("sh", "tests/browser/find_chromium.sh")):
        checked = subprocess.run([shell, "-n", name], cwd=ROOT, capture_output=True, text=True)
        assert checked.stderr == ""


def test_continuous_integration_runs_what_a_person_runs():
    assert re.findall(r"^make ([a-z]+)", read(".ci/run"), re.MULTILINE) == ["check", "test"]
