"""Calls a WSGI application with a request that is here as a whole, and takes its answer as a whole."""

import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import IO, Any

from service.serving.bodies import IN_MEMORY, Body

Environ = dict[str, Any]
Application = Callable[[Environ, Any], Iterable[bytes]]


@dataclass
class Answer:
    """What the application answered; `file` holds a body too large for the memory, else it is `body`."""

    status: int = 500
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""
    file: IO[bytes] | None = None

    def parts(self) -> Iterator[bytes]:
        """Yield the body of `file` in parts."""
        while self.file is not None and (part := self.file.read(64 * 1024)):
            yield part


def environ(scope: Any) -> Environ:
    """Return the WSGI environment of a request, without its body.

    A header with an underscore is dropped: it would pass for the one with hyphens that a proxy has written.
    """
    host, _, port = scope.server.rpartition(":")
    made: Environ = {
        "REQUEST_METHOD": scope.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": scope.path.encode("utf-8", "surrogateescape").decode("latin-1"),
        "QUERY_STRING": scope.query_string,
        "SERVER_NAME": host.strip("[]"),
        "SERVER_PORT": port,
        "SERVER_PROTOCOL": f"HTTP/{scope.http_version}",
        "REMOTE_ADDR": scope.client.rpartition(":")[0].strip("[]"),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.scheme,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        "wsgi.input_terminated": True,
    }
    for name, value in scope.headers.items():
        if "_" not in name:
            _add(made, name.upper().replace("-", "_"), value)
    return made


def _add(made: Environ, name: str, value: str) -> None:
    key = name if name in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{name}"
    between = "; " if name == "COOKIE" else ","
    made[key] = f"{made[key]}{between}{value}" if key in made else value


def call(application: Application, made: Environ, body: Body) -> Answer:
    """Return the application's answer to a request with this body."""
    answer = Answer()

    def start_response(status: str, headers: list[tuple[str, str]], _error: Any = None) -> None:
        answer.status, answer.headers = int(status.split(" ", 1)[0]), headers

    made |= {"wsgi.input": body.file, "CONTENT_LENGTH": str(body.length)}
    parts = application(made, start_response)
    try:
        _take(answer, parts)
    finally:
        close = getattr(parts, "close", None)
        if close is not None:
            close()
    return answer


def _take(answer: Answer, parts: Iterable[bytes]) -> None:
    file = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 - closed once it is sent
    for part in parts:
        file.write(part)
    large = file.tell() > IN_MEMORY
    file.seek(0)
    answer.file = file if large else None
    if not large:
        with file:
            answer.body = file.read()
