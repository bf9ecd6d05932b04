"""Each of our files that starts a program, forks or opens a socket of its own stands in docs/dangerous.md."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/dangerous.md").read_text("utf-8")
ROOMS = ("config", "messaging", "intake_links", "reminders", "caseload", "interchange", "records", "portal")
DOORS = ("web", "api", "webhooks", "service")
DANGEROUS = re.compile(
    r"^\s*(import|from) (subprocess|ctypes|pickle|marshal|socket|socketserver|multiprocessing)\b"
    r"|\bos\.(exec\w*|fork|system|posix_spawn\w*)\(|(?<![.\w])(eval|exec)\(",
    re.M,
)


def test_what_starts_programs_or_opens_sockets_is_on_the_page() -> None:
    files = [path for room in (*ROOMS, *DOORS) for path in (ROOT / room).rglob("*.py")]
    dangerous = [path.relative_to(ROOT).as_posix() for path in files if DANGEROUS.search(path.read_text("utf-8"))]
    assert len(dangerous) > 12
    assert [path for path in dangerous if f"`{path}`" not in PAGE] == []


def test_what_the_page_names_is_there() -> None:
    named = {name for name in re.findall(r"`([\w/]+(?:\.py)?)`", PAGE) if "/" in name}
    assert len(named) > 25
    assert sorted(name for name in named if not (ROOT / name).exists()) == []
