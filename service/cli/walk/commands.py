"""Runs our own commands, each in a process of its own, without starting an interpreter for each.

A fork server has imported what the commands need while the service itself was starting, so that the walk measures what
a command does. The child has the environment it is given and nothing of ours.
"""

import contextlib
import io
import multiprocessing
import os
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from typing import NamedTuple

NEEDED = (
    "service.cli.clinics", "service.cli.visits", "service.cli.people", "service.cli.checks", "web.account.signin",
    "reminders.jobs", "service.cli.sources", "service.cli.walk.commands",
)  # fmt: skip

# Ctrl-C interrupts the main thread only: a child begun in half would end with a traceback into the walk.
_beginner = ThreadPoolExecutor(1, "beginner")


class Ended(NamedTuple):
    """How a command ended: its exit code, and what it printed to standard output and standard error."""

    code: int
    out: str
    err: str


def warm_up() -> None:
    """Begin to import what the commands need; returns at once."""
    _fork_server()
    forkserver.ensure_running()
    _beginner.submit(int).result()


def run(words: tuple[str, ...], env: Mapping[str, str], *, within: float) -> Ended:
    """Run `warmthread` with these words and this environment. Raises TimeoutError after `within` seconds."""
    ours, theirs = multiprocessing.Pipe(duplex=False)
    child = _fork_server().Process(target=_command, args=(words, dict(env), theirs), daemon=True)
    try:
        _beginner.submit(child.start).result()
        theirs.close()
        if not ours.poll(within):
            raise TimeoutError(f"warmthread {' '.join(words[:2])} did not end within {within:.0f} s")
        return Ended(*ours.recv())
    except EOFError:
        return Ended(1, "", "it ended without a word")
    finally:
        _beginner.submit(int).result()  # what an interrupt left behind it has begun, or never will
        if child.pid:
            child.kill()
            child.join()
        ours.close()


def _fork_server() -> multiprocessing.context.ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(NEEDED))
    return context


def _command(words: tuple[str, ...], env: dict[str, str], answer: Connection) -> None:
    from service import cli

    os.environ.clear()
    os.environ.update(env)
    sys.argv = ["warmthread", *words]
    out, err, code = io.StringIO(), io.StringIO(), 1
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            cli.main()
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else 1
    answer.send((code, out.getvalue(), err.getvalue()))
