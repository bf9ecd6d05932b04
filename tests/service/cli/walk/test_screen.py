"""What the demonstration shows: for a terminal alive, for a file plain, never wider than 100 columns."""

import io

import pytest

from service.cli.walk.screen import Screen, folded
from tests.waiting import until

ADDRESS = "http://127.0.0.1:8420/i/" + "x" * 120


class Terminal(io.StringIO):
    """A file that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "100")


def shown(file: io.StringIO) -> str:
    screen = Screen(file)
    with screen.step(" 1. Texts go out") as seen:
        until(lambda: "1. Texts go out" in file.getvalue(), "the title, before anything is seen")
        seen("6 phones have it")
    return file.getvalue()


def test_a_file_gets_plain_lines() -> None:
    text = shown(io.StringIO())
    assert "\x1b" not in text
    assert text.startswith("   1. Texts go out ... ✓ ")
    assert text.endswith(" s\n      6 phones have it\n")


def test_a_terminal_gets_colours_and_a_spinner() -> None:
    assert "\x1b[1;32m✓" in shown(Terminal())


def test_no_color_is_respected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    text = shown(Terminal())
    assert "\x1b[1;32m" not in text
    assert "✓" in text


def test_a_step_that_fails_leaves_a_cross_and_passes_the_error_on() -> None:
    file = io.StringIO()
    with pytest.raises(ValueError, match="no"), Screen(file).step(" 2. Something"):
        raise ValueError("no")
    assert "2. Something ... ✗" in file.getvalue()


def test_lines_are_folded_at_100_columns_and_addresses_stay_whole() -> None:
    lines = folded("word " * 60 + "\n  indented\n" + f"see {ADDRESS} there").splitlines()
    assert all(len(line) <= 100 or ADDRESS in line for line in lines)
    assert any(ADDRESS in line for line in lines)
    assert "        indented" in lines
