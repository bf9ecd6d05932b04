"""A way to a server that can be cut: both ends stay open and nothing comes through, as between parted hosts."""

import asyncio
import threading
from contextlib import suppress
from typing import Any

CHUNK = 65536


class Wire:
    """Listens on a port of this machine and passes bytes on to the unix socket `beyond`, unless it is cut."""

    def __init__(self, beyond: str) -> None:
        self.port = 0
        self._beyond = beyond
        self._loop = asyncio.new_event_loop()
        self._whole = asyncio.Event()
        self._whole.set()
        self._listening = threading.Event()
        self._thread = threading.Thread(target=self._run, name="wire")

    def lay(self) -> "Wire":
        """Begin to listen on a free port."""
        self._thread.start()
        self._listening.wait()
        return self

    def take_up(self) -> None:
        """End it, and every connection that goes through it."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def cut(self) -> None:
        """Let nothing through, in either direction; connections wait, new ones too."""
        self._loop.call_soon_threadsafe(self._whole.clear)

    def mend(self) -> None:
        """Let through what has waited and all that comes."""
        self._loop.call_soon_threadsafe(self._whole.set)

    def _run(self) -> None:
        server = self._loop.run_until_complete(asyncio.start_server(self._connect, "127.0.0.1", 0, backlog=1024))
        self.port = server.sockets[0].getsockname()[1]
        self._listening.set()
        self._loop.run_forever()
        server.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
            with suppress(asyncio.CancelledError):
                self._loop.run_until_complete(task)
        self._loop.run_until_complete(asyncio.sleep(0))  # what is closed says so to the loop once more
        self._loop.close()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ends = [writer]
        try:
            await self._whole.wait()
            from_beyond, to_beyond = await asyncio.open_unix_connection(self._beyond)
            ends.append(to_beyond)
            await asyncio.gather(self._pass(reader, to_beyond), self._pass(from_beyond, writer))
        except (OSError, asyncio.CancelledError):  # nobody listens there at this moment; or the wire is taken up
            pass
        finally:
            for end in ends:
                end.close()

    async def _pass(self, source: asyncio.StreamReader, target: Any) -> None:
        with suppress(OSError):
            while data := await source.read(CHUNK):
                await self._whole.wait()
                target.write(data)
                await target.drain()
        await self._whole.wait()
        target.close()
