"""Signed inbound webhooks a second: ours against the same server with signature check and one durable INSERT."""

import http.client
import secrets
import statistics
import threading
import time
import urllib.parse
from collections.abc import Callable, Sequence

from bench import stage
from config import settings
from service import child_settings
from service.embedded.valkey import ValkeyServer

# What one request is: its body and its headers.
Request = tuple[bytes, dict[str, str]]
REQUESTS, CLIENTS, ROUNDS, GOAL = 1500, 16, 3, 0.9
PATH = "/webhooks/twilio/sms"


def measure() -> str:
    """Return the ratio of the medians of three rounds each, floor and ours in turn."""
    floor, ours = race(PATH, _texts)
    return (
        f"inbound: {ours:.0f} signed webhooks/s, floor {floor:.0f}/s, "
        f"ratio {ours / floor:.2f} (goal {GOAL}; {REQUESTS} requests, {CLIENTS} clients, SQLite, median of {ROUNDS})"
    )


def race(path: str, prepare: Callable[[settings.Settings], Sequence[Request]]) -> tuple[float, float]:
    """Return requests a second at `path` of the floor and of ours, medians of rounds in turn; `prepare` makes a clinic
    and what is sent."""
    floor, ours = [], []
    for _ in range(ROUNDS):
        floor.append(_round("bench.baseline:app", path, prepare))
        ours.append(_round("service.wsgi:app", path, prepare))
    return statistics.median(floor), statistics.median(ours)


def _round(target: str, path: str, prepare: Callable[[settings.Settings], Sequence[Request]]) -> float:
    # A real Valkey, as in a clinic: the bell that rings costs something, the one that cannot ring costs more.
    with stage.folder() as folder, ValkeyServer(folder / "valkey") as valkey:
        loaded = stage.begin(folder / "data")
        bodies = prepare(loaded)
        env = child_settings.environment(loaded, valkey.url)
        argv = ["-m", "bench.server", target]
        with stage.serving(argv, env, f"http://127.0.0.1:{loaded.port}/healthz"):
            fire(loaded.port, path, bodies[:100])
            return fire(loaded.port, path, bodies[100:])


def _texts(loaded: settings.Settings) -> Sequence[Request]:
    stage.clinic()
    return [signed(loaded) for _ in range(REQUESTS)]


def signed(
    loaded: settings.Settings, words: str = "Y but can I bring my daughter", number: str = stage.PATIENT
) -> Request:
    """Return the body and the headers of a text from `number`, as the carrier signs it."""
    from twilio.request_validator import RequestValidator

    form = {
        "MessageSid": "SM" + secrets.token_hex(16),
        "AccountSid": loaded.twilio_account_sid,
        "From": number,
        "To": stage.CLINIC,
        "Body": words,
        "NumMedia": "0",
        "NumSegments": "1",
        "ApiVersion": "2010-04-01",
    }
    validator = RequestValidator(loaded.twilio_auth_token.get_secret_value())
    signature = validator.compute_signature(loaded.public_url + PATH, form)
    headers = {"X-Twilio-Signature": signature, "Content-Type": "application/x-www-form-urlencoded"}
    return urllib.parse.urlencode(form).encode(), headers


def fire(port: int, path: str, bodies: Sequence[Request]) -> float:
    """Post these bodies with their headers, by several clients at once; return how many were answered 200 a second."""
    failed: list[int] = []

    def client(share: Sequence[Request]) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        for body, headers in share:
            connection.request("POST", path, body, headers)
            answer = connection.getresponse()
            answer.read()
            if answer.status != 200:
                failed.append(answer.status)

    threads = [threading.Thread(target=client, args=(bodies[n::CLIENTS],)) for n in range(CLIENTS)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise RuntimeError(f"{len(failed)} webhooks were not answered with 200, such as {failed[0]}")
    return len(bodies) / (time.perf_counter() - began)
