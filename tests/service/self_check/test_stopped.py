"""A real service: outside hears of each check while it works, and nothing while what does the work stands still."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

from service.cli.walk import commands
from tests.waiting import until
from tests.walks.kit import Running, running


@contextmanager
def standing_still(service: Running, *names: str) -> Iterator[None]:
    pids = [pid for name in names if (pid := service.pid(name))]
    assert len(pids) == len(names)
    for pid in pids:
        os.killpg(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.killpg(pid, signal.SIGCONT)


def by_hand(service: Running, *words: str) -> commands.Ended:
    return commands.run(("self-check", *words), service.scene.env, within=600)


def test_outside_hears_nothing_while_nobody_does_the_work(tmp_path, outside):
    with running(tmp_path, WARMTHREAD_SELF_CHECK_URL=outside.url) as service:
        assert by_hand(service, "set-up").code == 0
        until(lambda: outside.heard, "the first ping, by the service itself")
        with standing_still(service, "worker.urgent"):
            # A worker alone may stand still: the ticker does its work, and that an alert leaves is what is said.
            seen = by_hand(service)
            assert seen.code == 0, seen.out
        with standing_still(service, "worker.urgent", "ticker"):
            heard = len(outside.heard)
            missed = by_hand(service, "--within", "5")
            assert (missed.code, len(outside.heard)) == (3, heard), missed.out
        again = by_hand(service)
        assert again.code == 0, again.out
        assert len(outside.heard) > heard
