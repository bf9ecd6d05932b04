"""What the demonstration shows in the terminal: a step's title at once, a tick when it was seen.

Colours and a spinner on a terminal only; NO_COLOR is respected. No line of words is longer than 100 columns.
"""

import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

from rich.console import Console
from rich.text import Text

COLUMNS, INDENT = 100, "      "
Seen = Callable[[str], None]


class Screen:
    """Prints the walk to `file`, standard output if none is given."""

    def __init__(self, file: TextIO | None = None) -> None:
        self._console = Console(file=file or sys.stdout, highlight=False, soft_wrap=True, emoji=False, markup=False)
        self._alive = self._console.is_terminal and not self._console.is_dumb_terminal

    def say(self, words: str = "", style: str = "") -> None:
        """Print one line, or several; an address is never cut."""
        self._console.print(Text(words, style), soft_wrap=True)
        self._console.file.flush()

    @contextmanager
    def step(self, title: str) -> Iterator[Seen]:
        """Show a step's title; call what is yielded with what was seen. An exception leaves a cross and passes on."""
        began = time.monotonic()
        details: list[str] = []
        try:
            with self._running(title):
                yield details.append
        except BaseException:
            self._end(title, "✗", "bold red", began)
            raise
        self._end(title, "✓", "bold green", began)
        for line in details:
            self.say(folded(line), "dim")

    @contextmanager
    def _running(self, title: str) -> Iterator[None]:
        if self._alive:
            with self._console.status(f"{title} ...", spinner="dots"):
                yield
        else:
            self._console.print(Text(f"  {title} ... "), end="")
            self._console.file.flush()
            yield

    def _end(self, title: str, mark: str, style: str, began: float) -> None:
        took = (f"{time.monotonic() - began:.1f} s", "dim")
        line = ("  ", (mark, style), " ", title, "  ", took) if self._alive else ((mark, style), " ", took)
        self._console.print(Text.assemble(*line))
        self._console.file.flush()


def folded(words: str) -> str:
    """Return `words` indented under a step's title, each line at most 100 columns; addresses stay whole."""
    return "\n".join(
        textwrap.fill(
            line,
            COLUMNS,
            initial_indent=INDENT,
            subsequent_indent=INDENT + " " * (len(line) - len(line.lstrip())),
            break_long_words=False,
            break_on_hyphens=False,
        )
        for line in words.splitlines()
    )
