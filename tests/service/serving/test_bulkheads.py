"""Whoever is many takes no thread from the others."""

import asyncio
import threading

import pytest

from service.serving.bulkheads import Bulkhead, Bulkheads, Full


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/webhooks/twilio/sms", "machines"),
        ("/webhooks/forms/vendor", "machines"),
        ("/api/v1/patients", "programs"),
        ("/i/me", "patients"),
        ("/i/", "patients"),
        ("/k", "patients"),
        ("/k/still", "patients"),
        ("/healthz", "operators"),
        ("/readyz", "operators"),
        ("/metrics", "operators"),
        ("/", "staff"),
        ("/inbox", "staff"),
        ("/signin", "staff"),
        ("/ki", "staff"),
        ("/webhookss", "staff"),
        ("//webhooks/twilio/sms", "staff"),
        ("", "staff"),
    ],
)
def test_each_address_has_its_kind_of_client(path: str, name: str) -> None:
    assert Bulkheads().of(path).name == name


async def _held(bulkhead: Bulkhead, count: int, let_go: threading.Event) -> list[asyncio.Task[bool]]:
    """So many requests that end only when they are let go."""
    held = [asyncio.create_task(bulkhead.run(let_go.wait)) for _ in range(count)]
    await asyncio.sleep(0)
    return held


def test_who_finds_all_threads_and_places_taken_is_refused_and_the_others_are_answered() -> None:
    async def crowd() -> None:
        bulkhead, let_go = Bulkhead("staff", 2, 3), threading.Event()
        held = await _held(bulkhead, 5, let_go)
        with pytest.raises(Full):
            await bulkhead.run(bool)
        let_go.set()
        assert await asyncio.gather(*held) == [True] * 5
        assert await bulkhead.run(bool) is False

    asyncio.run(crowd())


def test_whose_turn_comes_too_late_is_refused_and_nothing_is_done_for_them() -> None:
    async def crowd() -> None:
        bulkhead, done = Bulkhead("staff", 1, 5, patience=-1), []
        with pytest.raises(Full):
            await bulkhead.run(lambda: done.append(1))
        assert done == []

    asyncio.run(crowd())


@pytest.mark.parametrize("many", ["staff", "patients", "operators"])
def test_machines_are_answered_while_all_others_are_held(many: str) -> None:
    async def crowd() -> None:
        bulkheads, let_go = Bulkheads(), threading.Event()
        crowded: Bulkhead = getattr(bulkheads, many)
        held = await _held(crowded, int(crowded._most), let_go)
        assert [await bulkheads.machines.run(lambda: "answered") for _ in range(50)] == ["answered"] * 50
        let_go.set()
        await asyncio.gather(*held)

    asyncio.run(crowd())


def test_machines_wait_for_each_other_and_are_never_refused() -> None:
    async def crowd() -> None:
        machines, let_go = Bulkheads().machines, threading.Event()
        held = await _held(machines, 500, let_go)
        let_go.set()
        assert await asyncio.gather(*held) == [True] * 500

    asyncio.run(crowd())
