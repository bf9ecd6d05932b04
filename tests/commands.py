"""Commands of the service, each in a process of its own that is forked from one which has imported what they need."""

from collections.abc import Mapping
from subprocess import CompletedProcess

from service.cli.walk import commands
from tests.waiting import PATIENCE


def completed(words: tuple[str, ...], env: Mapping[str, str]) -> "CompletedProcess[str]":
    """Run `warmthread` with these words and this environment alone, and return how it ended.

    An interpreter for each would import everything anew, five times as long as most commands take.
    """
    ended = commands.run(words, env, within=PATIENCE)
    return CompletedProcess(words, ended.code, ended.out, ended.err)
