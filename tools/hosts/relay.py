"""`python -m tools.hosts.relay HOST:PORT=HOST:PORT[,HOST:PORT] ...`: passes bytes on, to the first that can be reached.

What leads to one host alone stands for a cable; what leads to several for the balancer in front of web servers.
"""

import asyncio
import sys
from contextlib import suppress
from functools import partial

REACH_SECONDS = 1.0
CHUNK = 65536
Address = tuple[str, int]


def read(words: list[str]) -> list[tuple[Address, list[Address]]]:
    """Return from where to where, for each word of the command line. Raises ValueError for what is none."""
    pairs = (word.split("=", 1) for word in words)
    return [(_address(here), [_address(there) for there in beyond.split(",")]) for here, beyond in pairs]


async def serve(ways: list[tuple[Address, list[Address]]]) -> None:
    """Listen on all of them until the process is ended."""
    servers = [await asyncio.start_server(partial(_connect, beyond), *here, backlog=1024) for here, beyond in ways]
    await asyncio.gather(*(server.serve_forever() for server in servers))


def _address(word: str) -> Address:
    host, port = word.rsplit(":", 1)
    return host, int(port)


async def _connect(beyond: list[Address], reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        for address in beyond:
            with suppress(OSError, TimeoutError):
                there = await asyncio.wait_for(asyncio.open_connection(*address), REACH_SECONDS)
                await asyncio.gather(_pass(reader, there[1]), _pass(there[0], writer))
                return
    finally:
        writer.close()


async def _pass(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await source.read(CHUNK):
            target.write(data)
            await target.drain()
    target.close()


if __name__ == "__main__":
    asyncio.run(serve(read(sys.argv[1:])))
