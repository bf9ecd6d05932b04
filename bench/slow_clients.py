"""How long a signed text waits while 200 clients stop midway through their bodies and 50 a second sign in."""

import http.client
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from bench import inbound, stage
from config import settings
from service import child_settings
from service.embedded.valkey import ValkeyServer

SLOW, SIGN_INS_A_SECOND = 200, 50
SECONDS = float(os.environ.get("BENCH_SECONDS", "15"))
GOAL_MS = 500
# A body is given up after some seconds: as many clients begin anew meanwhile.
RENEWED_SECONDS = 4


def measure() -> str:
    """Return the 50th and 99th of a hundred webhooks in a crowd, beside those of the same service when it is quiet."""
    with stage.folder() as folder, ValkeyServer(folder / "valkey") as valkey:
        loaded = stage.begin(folder / "data")
        stage.clinic()
        argv = ["-m", "bench.server", "service.wsgi:app"]
        env = child_settings.environment(loaded, valkey.url)
        with stage.serving(argv, env, f"http://127.0.0.1:{loaded.port}/healthz"):
            quiet = _texts(loaded)
            with _crowd(loaded.port):
                crowded = _texts(loaded)
    return (
        f"slow_clients: a signed text is answered in p50 {_of(crowded, 50):.0f}, p99 {_of(crowded, 99):.0f} ms "
        f"beside {SLOW} half-sent bodies and {SIGN_INS_A_SECOND} sign-ins a second (goal p99 {GOAL_MS}), "
        f"quiet p50 {_of(quiet, 50):.0f}, p99 {_of(quiet, 99):.0f} ms ({len(crowded)} and {len(quiet)} texts)"
    )


def _texts(loaded: settings.Settings) -> list[float]:
    """Send twenty texts a second one after the other; return how many milliseconds each took."""
    took, ends = [], time.monotonic() + SECONDS
    while time.monotonic() < ends:
        body, headers = inbound.signed(loaded, "I want to die")
        began = time.perf_counter()
        status = _post(loaded.port, inbound.PATH, body, headers)
        took.append((time.perf_counter() - began) * 1000)
        if status != 200:
            raise RuntimeError(f"a webhook was answered with {status}")
        time.sleep(0.05)
    return took


def _post(port: int, path: str, body: bytes, headers: dict[str, str]) -> int:
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        line.request("POST", path, body, headers)
        answer = line.getresponse()
        answer.read()
        return answer.status
    finally:
        line.close()


@contextmanager
def _crowd(port: int) -> Iterator[None]:
    over = threading.Event()
    doors = ("/signin", inbound.PATH, "/k", "/i/" + "A" * 22)
    crowd = [threading.Thread(target=_stop_midway, args=(port, doors[n % 4], over, SLOW // 8)) for n in range(8)]
    crowd += [threading.Thread(target=_sign_in, args=(port, over)) for _ in range(SIGN_INS_A_SECOND)]
    for thread in crowd:
        thread.start()
    try:
        time.sleep(2)
        yield
    finally:
        over.set()
        for thread in crowd:
            thread.join()


def _stop_midway(port: int, path: str, over: threading.Event, count: int) -> None:
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\nBody=I".encode()
    while not over.is_set():
        with ExitStack() as lines:
            for _ in range(count):
                line = lines.enter_context(socket.create_connection(("127.0.0.1", port), timeout=60))
                line.sendall(head)
            over.wait(RENEWED_SECONDS)


def _sign_in(port: int, over: threading.Event) -> None:
    """Sign in once a second with another name each time, with the token that a page gave."""
    page = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    page.request("GET", "/signin")
    answer = page.getresponse()
    cookie = (answer.getheader("Set-Cookie") or "").partition(";")[0]
    token = answer.read().decode().partition('name="csrf_token" value="')[2].partition('"')[0]
    page.close()
    headers = {"Cookie": cookie, "Content-Type": "application/x-www-form-urlencoded"}
    count = 0
    while not over.wait(1):
        count += 1
        form = f"csrf_token={token}&email=p{threading.get_ident()}{count}%40clinic.example&password=wrong"
        _post(port, "/signin", form.encode(), headers)


def _of(took: list[float], percent: int) -> float:
    return sorted(took)[min(len(took) - 1, len(took) * percent // 100)]
