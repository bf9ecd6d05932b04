"""What is written down agrees with what is there: settings, commands, addresses, the Procfile."""

import importlib
import re
import subprocess
from pathlib import Path

import click
import pytest

from config import settings
from service.cli import cli

ROOT = Path(__file__).parents[2]
DOCUMENTS = (
    "README.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "deploy/README.md",
    *(
        f"docs/{name}.md"
        for name in (
            "map",
            "running",
            "walks",
            "security",
            "inbox",
            "requests",
            "reading",
            "measurements",
            "importing",
            "words",
            "setting-up",
            "patients",
            "routing",
            "requests",
            "reading",
            "measurements",
            "cadences",
            "settings",
            "nudges",
            "interchange",
            "team",
            "caseload",
            "api",
            "dependencies",
            "operating",
            "asvs",
        )
    ),
)
every_document = pytest.mark.parametrize("document", DOCUMENTS)
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
    # Papers of our own that nobody else has: what they say has a public source, and that is what is named.
    "shared" + "/",
    "shared" + " facts",
    r"(?:^|[^\w/])(?:facts|design|lessons|ux|surface|libraries|style)" + r"\.md",
    r"(?:^|[^\w/])security" + r"\.md \d",
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
    paths: set[tuple[str, ...]] = set()
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        group_alone = isinstance(command, click.Group) and not command.invoke_without_command
        paths |= commands(command, (*path, name)) if isinstance(command, click.Group) else set()
        paths |= set() if group_alone else {(*path, name)}
    return paths


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
        "mllp",
    ]
    for _, command in lines:
        program, *words = command.split()
        assert program == "warmthread"
        assert exists(words), command


@every_document
def test_every_command_a_document_names_exists(document: str):
    groups = {name for name, command in cli.commands.items() if isinstance(command, click.Group)}
    named = re.findall(r"(?:`|^)warmthread ([a-z][a-z0-9 -]*[a-z0-9])", read(document), re.MULTILINE)
    assert [words for words in named if not exists(words.split()) and words not in groups] == []


@every_document
def test_every_part_of_the_house_a_document_names_is_there(document: str):
    inner = "config|messaging|intake_links|reminders|caseload|interchange|records"
    rooms = f"{inner}|webhooks|portal|web|api|service|simulator"
    named = re.findall(rf"`((?:{rooms})(?:\.[a-zA-Z_]+)+)`", read(document))
    assert [name for name in named if not _is_there(name)] == []


def _is_there(name: str) -> bool:
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        try:
            module = importlib.import_module(".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        return length == len(parts) or hasattr(module, parts[length])
    return False


@every_document
def test_every_link_of_a_document_leads_somewhere(document: str):
    links = [link for link in re.findall(r"\]\(([^)#]+)", read(document)) if not link.startswith("http")]
    lost = [link for link in links if not ((ROOT / document).parent / link).exists()]
    if not (ROOT / "docs" / "screenshots").exists():  # pictures are taken of a release
        lost = [link for link in lost if not link.endswith(".png")]
    assert lost == []


def test_no_tracked_file_names_a_registry_or_a_path_of_somebody_s_machine():
    hits = subprocess.run(
        ["git", "grep", "-nIE", "|".join(NOT_FOR_THE_PUBLIC)], cwd=ROOT, capture_output=True, text=True
    )
    assert hits.stdout == ""


def test_the_scripts_of_the_house_are_valid_shell():
    for shell, name in (("bash", ".ci/run"), ("sh", "tests/browser/find_chromium.sh")):
        checked = subprocess.run([shell, "-n", name], cwd=ROOT, capture_output=True, text=True)
        assert checked.stderr == ""


def test_continuous_integration_runs_what_a_person_runs():
    assert re.findall(r"^make ([a-z]+)", read(".ci/run"), re.MULTILINE) == ["check", "test"]
