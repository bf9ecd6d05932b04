"""The real web server before the real application: slow clients, crowds, and a carrier that is answered beside them."""

import http.client
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from bench import inbound, stage
from config import runtime, settings
from service import child_settings


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[settings.Settings]:
    """The settings of a service that answers on its port, with no Redis."""
    before = (runtime._settings, dict(runtime._made))
    loaded = stage.begin(Path(tmp_path_factory.mktemp("served"), "data"))
    stage.clinic()
    env = child_settings.environment(loaded, loaded.redis_url)
    with stage.serving(["-m", "bench.server", "service.wsgi:app"], env, f"http://127.0.0.1:{loaded.port}/healthz"):
        yield loaded
    runtime._settings = before[0]
    runtime._made.clear()
    runtime._made.update(before[1])


def ask(
    served: settings.Settings, method: str, path: str, body: bytes | None = None, **headers: str
) -> tuple[int, dict[str, str], bytes]:
    line = http.client.HTTPConnection("127.0.0.1", served.port, timeout=120)
    try:
        line.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        answer = line.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    finally:
        line.close()


def text(served: settings.Settings, words: str) -> int:
    body, headers = inbound.signed(served, words)
    return ask(served, "POST", inbound.PATH, body, **headers)[0]


def half_a_body(served: settings.Settings, path: str) -> socket.socket:
    line = socket.create_connection(("127.0.0.1", served.port), timeout=120)
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    line.sendall(f"{head}Content-Length: 5000\r\n\r\nBody=I".encode())
    return line


@pytest.mark.parametrize("path", [inbound.PATH, "/signin", "/i/" + "A" * 22, "/k", "/settings/import"])
def test_a_crisis_is_heard_while_two_hundred_clients_stop_midway(served: settings.Settings, path: str) -> None:
    with ExitStack() as held:
        for _ in range(200):
            held.enter_context(half_a_body(served, path))
        assert [text(served, "I want to die") for _ in range(5)] == [200] * 5
        assert ask(served, "GET", "/signin")[0] == 200


def test_a_crisis_is_heard_while_everybody_signs_in(served: settings.Settings) -> None:
    form = b"email=rosa%40clinic.example&password=wrong"

    def sign_in(_n: int) -> int:
        kind = {"Content_Type": "application/x-www-form-urlencoded"}
        return ask(served, "POST", "/signin", form, **kind)[0]

    with ThreadPoolExecutor(50) as crowd:
        signing_in = [crowd.submit(sign_in, n) for n in range(100)]
        assert [text(served, "I want to die") for _ in range(10)] == [200] * 10
        assert {attempt.result() for attempt in signing_in} <= {400, 401, 429, 503}


def test_a_body_that_never_ends_is_told_so(served: settings.Settings) -> None:
    with half_a_body(served, inbound.PATH) as line:
        answer = line.recv(4096)
    assert answer.startswith(b"HTTP/1.1 408")
    assert b"application/problem+json" in answer


def test_people_are_told_so_in_words_with_whom_to_call(served: settings.Settings) -> None:
    with half_a_body(served, "/k") as line:
        answer = line.recv(4096)
    assert b"408" in answer
    assert b"tel:988" in answer
    assert "inténtelo".encode() in answer


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/webhooks/twilio/sms", None, 405),
        ("POST", "/webhooks/nowhere", b"", 404),
        ("GET", "/api/v1/nowhere", None, 404),
        ("POST", "/webhooks/twilio/sms", b"x" * 300_000, 413),
        ("POST", "/webhooks/twilio/sms", b"x" * 70_000, 413),
        ("DELETE", "/webhooks/forms/vendor", None, 405),
    ],
)
def test_machines_are_refused_in_problem_details(
    served: settings.Settings, method: str, path: str, body: bytes | None, status: int
) -> None:
    answer = ask(served, method, path, body)
    assert answer[0] == status
    assert answer[1]["content-type"].startswith("application/problem+json")
    assert ("allow" in answer[1]) == (status == 405)


def test_people_are_refused_in_words(served: settings.Settings) -> None:
    for path in ("/nowhere", "/i/nowhere/at/all"):
        status, headers, _ = ask(served, "GET", path)
        assert status == 404
        assert headers["content-type"].startswith("text/html")


def test_only_who_is_signed_in_may_send_a_large_file(served: settings.Settings) -> None:
    status, _, _ = ask(served, "POST", "/settings/import", b"x" * 300_000, Cookie="wt_session=made-up")
    assert status in (303, 400, 413)


def test_a_signed_text_with_odd_characters_in_its_address_and_body_is_read_as_the_carrier_signed_it(
    served: settings.Settings,
) -> None:
    for words in ("é ñ 👍 + & = %", "a" * 1600, ""):
        assert text(served, words) == 200


def test_a_header_with_an_underscore_passes_for_none_of_a_proxy(served: settings.Settings) -> None:
    from service.serving import wsgi

    class Scope:
        method, path, query_string, http_version, scheme = "GET", "/é", "a=b", "1.1", "http"
        server, client = "[::1]:8000", "[2001:db8::1]:5000"

        class headers:
            @staticmethod
            def items() -> list[tuple[str, str]]:
                return [
                    ("x_forwarded_for", "6.6.6.6"),
                    ("x-forwarded-for", "1.1.1.1"),
                    ("x-forwarded-for", "2.2.2.2"),
                    ("cookie", "a=1"),
                    ("cookie", "b=2"),
                ]

    made = wsgi.environ(Scope())
    assert made["HTTP_X_FORWARDED_FOR"] == "1.1.1.1,2.2.2.2"
    assert made["HTTP_COOKIE"] == "a=1; b=2"
    assert (made["REMOTE_ADDR"], made["SERVER_NAME"], made["SERVER_PORT"]) == ("2001:db8::1", "::1", "8000")
    assert made["PATH_INFO"].encode("latin-1").decode() == "/é"
