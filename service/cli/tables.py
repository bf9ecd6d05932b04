"""How the command line speaks: tables for people, JSON for programs, bars on terminals only."""

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

as_json = click.option("--json", "json_", is_flag=True, help="Print JSON instead of a table.")


def say(sentence: str) -> None:
    """Tell the person at the terminal something, on standard error."""
    click.echo(sentence, err=True)


def show(rows: Sequence[Mapping[str, Any]], *, json_: bool, empty: str) -> None:
    """Print rows as a table, or as a JSON list; `empty` is said when there are none."""
    if json_:
        click.echo(json.dumps([dict(row) for row in rows], default=str))
        return
    if not rows:
        say(empty)
        return
    table = Table(*rows[0].keys(), box=None, pad_edge=False, header_style="bold")
    for row in rows:
        table.add_row(*("" if value is None else str(value) for value in row.values()))
    Console(soft_wrap=not sys.stdout.isatty()).print(table)


@contextmanager
def bar(words: str) -> Iterator[Callable[[int, int], None]]:
    """Yield `progress(done, total)`: a bar on a terminal, nothing elsewhere."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _done, _total: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task(words, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)
