"""What a slow or a broken client sends: it ends in time, is never taken for whole, and never fills the memory."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from service.serving import bodies

SOON = bodies.Allowance(100, 0.05)


class Sent:
    """A body in parts; None is a client that sends no more and does not go."""

    def __init__(self, *parts: bytes | None) -> None:
        self._parts, self.taken = parts, 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for part in self._parts:
            if part is None:
                await asyncio.Event().wait()
            self.taken += 1
            yield part or b""


def read(sent: Sent, declared: int | None) -> tuple[bytes, int]:
    body = asyncio.run(bodies.read(sent, declared, SOON))
    with body.file:
        return body.file.read(), body.length


@pytest.mark.parametrize("declared", [6, None])
def test_a_body_that_is_here_is_read(declared: int | None) -> None:
    assert read(Sent(b"abc", b"def"), declared) == (b"abcdef", 6)


@pytest.mark.parametrize("parts", [(None,), (b"abc", None), (b"a", b"b", None)])
def test_a_half_sent_body_ends_in_time(parts: tuple[bytes | None, ...]) -> None:
    with pytest.raises(bodies.TooSlow):
        read(Sent(*parts), 50)


def test_whoever_goes_away_midway_has_sent_nothing() -> None:
    with pytest.raises(bodies.TooSlow):
        read(Sent(b"Body=I+want+to+di"), 50)


def test_a_body_that_says_it_is_too_large_is_not_read() -> None:
    sent = Sent(b"x" * 101)
    assert read(sent, 101) == (b"", 101)
    assert sent.taken == 0


def test_a_body_without_a_length_is_read_until_it_is_too_large() -> None:
    sent = Sent(*[b"x" * 40] * 1000)
    assert read(sent, None)[1] == 120
    assert sent.taken == 3


def test_no_more_files_are_taken_at_once_than_the_disk_is_to_hold() -> None:
    async def uploads() -> list[bool]:
        places = bodies.Uploads(at_once=2)
        async with places.one() as first, places.one() as second, places.one() as third:
            pass
        async with places.one() as later:
            return [first, second, third, later]

    assert asyncio.run(uploads()) == [True, True, False, True]
