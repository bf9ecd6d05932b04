"""The only ticker hangs while Redis loses every bell: a crisis still reaches its colleague's phone."""

import os
import signal
from collections.abc import Callable

from service.cli.walk import day
from service.cli.walk.steps import Walk, import_a_day, sign_everyone_in
from tests.walks.kit import Running


def test_a_crisis_is_told_while_the_only_ticker_and_redis_are_frozen(serve: Callable[..., Running]) -> None:
    running = serve()
    walk = Walk(running.scene)
    for step in (import_a_day, sign_everyone_in):
        step(walk)
    frozen = [running.pid("ticker"), running.pid("valkey")]
    for pid in frozen:
        assert pid
        os.kill(pid, signal.SIGSTOP)
    try:
        walk.scene.type(day.CRISIS.number, "I can't go on")
        assert "988" in walk.scene.received(day.CRISIS.number, "988")
        assert "/inbox/" in walk.scene.received(day.TEAM[1].number, "/inbox/")
    finally:
        for pid in frozen:
            if pid:
                os.kill(pid, signal.SIGCONT)
