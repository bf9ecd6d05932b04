"""Reads the body of a request with no thread held, within a deadline: a client that stops midway keeps nothing busy."""

import asyncio
import io
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass
from typing import IO, Protocol

IN_MEMORY = 1024 * 1024


@dataclass(frozen=True)
class Allowance:
    """How many bytes a body may have, and within how many seconds it must be here."""

    most: int
    seconds: float


# What every door takes, and what a page that takes files does (a file of 50 MB over 3 Mbit/s takes 140 seconds).
ORDINARY = Allowance(256 * 1024, 10.0)
UPLOAD_SECONDS = 180.0
UPLOADS_AT_ONCE = 4


class TooSlow(Exception):
    """The body was not here in time, or its sender left before it was."""


Arriving = Callable[[asyncio.Timeout], AbstractContextManager[object]]


class Incoming(Protocol):
    """A body that arrives in parts."""

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield the parts."""
        ...


@dataclass
class Body:
    """A body that is here; `length` what the client declared or, where it declared nothing, what came."""

    file: IO[bytes]
    length: int


async def read(
    incoming: Incoming, declared: int | None, allowance: Allowance, arriving: Arriving = nullcontext
) -> Body:
    """Return the body, cut after one byte too many so that the application refuses it. Raises TooSlow.

    `arriving` is given the deadline while the body is read, for whoever cannot wait so long.
    """
    if declared == 0 or (declared or 0) > allowance.most:
        return Body(io.BytesIO(), declared or 0)
    file: IO[bytes] = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 - closed by whoever answers
    came = 0
    try:
        async with asyncio.timeout(allowance.seconds) as deadline:
            with arriving(deadline):
                async for part in incoming:
                    came += len(part)
                    if came > allowance.most:
                        break
                    file.write(part)
    except TimeoutError:
        file.close()
        raise TooSlow from None
    if came < (declared or 0):
        file.close()
        raise TooSlow
    file.seek(0)
    return Body(file, came)


class Uploads:
    """How many large bodies may be on their way at once: each takes a file on the disk."""

    def __init__(self, at_once: int = UPLOADS_AT_ONCE) -> None:
        self._free = at_once

    @asynccontextmanager
    async def one(self) -> AsyncIterator[bool]:
        """Take a place while a large body is read; yields False where there is none."""
        free = self._free > 0
        self._free -= free
        try:
            yield free
        finally:
            self._free += free
