"""Stands between the web server and the application: no slow client holds a thread, no kind of client another's."""

import asyncio
import importlib
import json
import signal
import uuid
from functools import cache, partial
from importlib import resources
from typing import Any

from config import logging
from service.serving import bodies, bulkheads, wsgi
from service.serving.bodies import Body
from service.serving.bulkheads import Bulkhead
from service.serving.ending import Ending

SENDING_SECONDS = 300.0
RETRY_SECONDS = 2
# What an application that takes files says of itself: by path how large they may be, and who may send one.
LARGE_BODIES = "large_bodies"


class Gateway:
    """Answers the server's requests (RSGI) on `port` by a WSGI application."""

    def __init__(self, application: Any, port: int, ordinary: bodies.Allowance = bodies.ORDINARY) -> None:
        self._application = application
        self._ordinary = ordinary
        self._large = getattr(application, "extensions", {}).get(LARGE_BODIES, {})
        self._bulkheads = bulkheads.Bulkheads()
        self._uploads = bodies.Uploads()
        self._ending = Ending(port)

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Called before the first request, once the server listens for signals."""
        self._ending.listen(loop)

    async def __rsgi__(self, scope: Any, protocol: Any) -> None:
        """Answer one request."""
        with self._ending.answering(scope.client):
            await self._serve(scope, protocol)

    async def _serve(self, scope: Any, protocol: Any) -> None:
        try:
            answer = await self._answer(scope, protocol)
        except bodies.TooSlow:
            answer = _refusal(scope.path, 503 if self._ending.begun else 408, closes=True)
        except bulkheads.Full:
            answer = _refusal(scope.path, 503)
        except Exception as error:  # noqa: BLE001 - the server itself must go on
            logging.logger().error("unexpected", route="gateway", exc_info=error)
            answer = _refusal(scope.path, 500)
        await _send(protocol, answer)

    async def _answer(self, scope: Any, protocol: Any) -> wsgi.Answer:
        bulkhead = self._bulkheads.of(scope.path)
        made = wsgi.environ(scope)
        if self._is_large(made):
            return await self._upload(bulkhead, made, protocol)
        return await self._call(bulkhead, made, protocol, self._ordinary)

    def _is_large(self, made: wsgi.Environ) -> bool:
        return made["PATH_INFO"] in self._large and (_declared(made) or 0) > self._ordinary.most

    async def _upload(self, bulkhead: Bulkhead, made: wsgi.Environ, protocol: Any) -> wsgi.Answer:
        """Take a file from somebody who may send one; from others only as much as from everybody."""
        most, may = self._large[made["PATH_INFO"]]
        if not await bulkhead.run(partial(may, made)):
            return await self._call(bulkhead, made, protocol, self._ordinary)
        async with self._uploads.one() as free:
            if not free:
                raise bulkheads.Full
            allowance = bodies.Allowance(most, bodies.UPLOAD_SECONDS)
            body = await bodies.read(protocol, _declared(made), allowance, self._ending.arriving)
        return await self._run(bulkhead, made, body)

    async def _call(
        self, bulkhead: Bulkhead, made: wsgi.Environ, protocol: Any, allowance: bodies.Allowance
    ) -> wsgi.Answer:
        body = await bodies.read(protocol, _declared(made), allowance, self._ending.arriving)
        return await self._run(bulkhead, made, body)

    async def _run(self, bulkhead: Bulkhead, made: wsgi.Environ, body: Body) -> wsgi.Answer:
        with body.file:
            return await bulkhead.run(partial(wsgi.call, self._application, made, body))


def load(target: str, port: int) -> Gateway:
    """Return the gateway before the application named, such as "service.wsgi:app"; called in each server process.

    Until it serves it ends at once when it is told to: the handler it was forked with would lose the signal.
    """
    for ending in (signal.SIGTERM, signal.SIGINT):
        signal.signal(ending, signal.SIG_DFL)
    module, _, name = target.partition(":")
    return Gateway(getattr(importlib.import_module(module), name), port)


def _declared(made: wsgi.Environ) -> int | None:
    """Return how long the body says it is: 0 where there is none, None where it comes in parts without a length."""
    if "HTTP_TRANSFER_ENCODING" in made:
        return None
    length = made.get("CONTENT_LENGTH", "0")
    return int(length) if length.isascii() and length.isdigit() else None


async def _send(protocol: Any, answer: wsgi.Answer) -> None:
    if answer.file is None:
        protocol.response_bytes(answer.status, answer.headers, answer.body)
        return
    with answer.file:
        transport = protocol.response_stream(answer.status, answer.headers)
        async with asyncio.timeout(SENDING_SECONDS):
            for part in answer.parts():
                await transport.send_bytes(part)


def _refusal(path: str, status: int, closes: bool = False) -> wsgi.Answer:
    """Return what is said to whoever cannot be served now: problem details to machines, a kind page to people."""
    machine = path.startswith(bulkheads.MACHINES)
    headers = [
        ("content-type", "application/problem+json" if machine else "text/html; charset=utf-8"),
        ("cache-control", "no-store"),
        ("content-security-policy", "default-src 'none'; frame-ancestors 'none'; base-uri 'none'"),
        ("x-content-type-options", "nosniff"),
    ]
    headers += [("x-request-id", str(uuid.uuid4()))] if machine else []
    headers += [("retry-after", str(RETRY_SECONDS))] if status == 503 else []
    headers += [("connection", "close")] if closes else []
    return wsgi.Answer(status, headers, _problem(status) if machine else _page())


@cache
def _problem(status: int) -> bytes:
    titles = {408: "the body did not arrive in time", 503: "too many requests at once"}
    title = titles.get(status, "something went wrong on our side")
    return json.dumps({"type": "about:blank", "title": title, "status": status}).encode()


@cache
def _page() -> bytes:
    return resources.files("service.serving").joinpath("texts", "busy.html").read_bytes()
