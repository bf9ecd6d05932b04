"""What the doctor says of how the carrier is set, asked by the real SDK of a simulated phone network."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from click.testing import CliRunner
from pydantic import SecretStr

from config import clock, db, runtime, settings
from messaging import conversations
from messaging.gateways import twilio
from messaging.gateways.base import Inbound
from messaging.models import Clinic
from service import carrier_check
from service.cli import checks
from service.embedded import ports
from tests.conftest import ACCOUNT, ROOT, TOKEN, answers
from tests.waiting import PATIENCE, until

KEY, SECRET = "SK" + "1" * 32, "a secret of the key"
PATH = carrier_check.PATH
Start = Callable[..., settings.Settings]


@pytest.fixture
def start(house: settings.Settings, clinic: Clinic, monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """Start a phone network that is set so, for a service that is set so; the clinic has its number."""
    begun: list[subprocess.Popen[bytes]] = []

    def start(*arguments: str, path: str = PATH, **ours: Any) -> settings.Settings:
        port = ports.free_port()
        environ = {k: v for k, v in os.environ.items() if not k.startswith(("TWILIO", "SIMULATOR"))}
        environ |= {"TWILIO_ACCOUNT_SID": ACCOUNT, "TWILIO_AUTH_TOKEN": TOKEN}
        environ |= {"TWILIO_API_KEY": KEY, "TWILIO_API_KEY_SECRET": SECRET, "SIMULATOR_CLINIC_NUMBER": clinic.number}
        argv = [
            sys.executable,
            "-m",
            "simulator",
            "--port",
            str(port),
            "--quiet",
            "--sms-url",
            f"http://127.0.0.1:9{path}",
        ]
        begun.append(subprocess.Popen([*argv, *arguments], cwd=ROOT, env=environ))
        until(lambda: answers(port), "the simulator to start")
        with_key = {"twilio_api_key": KEY, "twilio_api_key_secret": SecretStr(SECRET)}
        update = with_key | {"twilio_api_url": f"http://127.0.0.1:{port}", "public_url": "http://127.0.0.1:9"} | ours
        monkeypatch.setattr(runtime, "_settings", house.model_copy(update=update))
        monkeypatch.setattr(twilio, "TIMEOUT_SECONDS", PATIENCE)
        return runtime.settings()

    yield start
    made = runtime._made.get("gateways.twilio")
    if isinstance(made, twilio.TwilioGateway):
        made.close()
    for process in begun:
        process.terminate()
        process.wait(timeout=PATIENCE)


def with_a_service(clinic: Clinic) -> None:
    with db.unit_of_work(clinic.id) as session:
        session.get_one(Clinic, clinic.id).messaging_service_sid = "MG" + "2" * 32


@pytest.mark.parametrize("by", ["number", "service"])
def test_a_carrier_that_is_set_well_gives_no_word(start: Start, clinic: Clinic, by: str) -> None:
    if by == "service":
        with_a_service(clinic)
    ours = start("--fallback-url", f"http://127.0.0.1:9{PATH}", path=f"{PATH}#rc=5&rp=all")
    assert carrier_check.problems(ours) == []


def test_words_that_should_be_gone_at_the_carrier_are_named(start: Start, clinic: Clinic) -> None:
    ours = start("--fallback-url", f"http://127.0.0.1:9{PATH}", path=f"{PATH}#rc=5&rp=all")
    with db.unit_of_work(clinic.id) as session:
        talk = conversations.of_number(session, clinic, "+13035550117")
        conversations.file_inbound(session, clinic, talk, body="hello", provider_sid="SM" + "1" * 32, reading=[])
    assert carrier_check.problems(ours) == []
    with time_machine.travel(clock.now() + timedelta(hours=73, minutes=1), tick=False):
        [said] = carrier_check.problems(ours)
    assert said.startswith("the carrier still has the words of 1 text that should be gone")


@pytest.mark.parametrize("by", ["number", "service"])
def test_a_door_elsewhere_too_few_tries_and_no_fallback_are_named(start: Start, clinic: Clinic, by: str) -> None:
    if by == "service":
        with_a_service(clinic)
    told = carrier_check.problems(start(path="/elsewhere#rc=2"))
    assert [line.partition(": ")[0] for line in told] == [clinic.name] * 3
    assert f"must go to http://127.0.0.1:9{PATH}" in told[0]
    assert "#rc=5&rp=all" in told[1]
    assert "no fallback URL" in told[2]


def test_what_the_token_and_the_second_one_are_worth_is_asked_of_the_carrier(start: Start, house: Any) -> None:
    well = {"path": f"{PATH}#rp=all&rc=5"}
    fallback = ("--fallback-url", f"http://127.0.0.1:9{PATH}")
    stale = start(*fallback, **well, twilio_auth_token_secondary=SecretStr("a token of last year"))
    [said] = carrier_check.problems(stale)
    assert "take it out" in said
    promoted = stale.model_copy(
        update={"twilio_auth_token": SecretStr("a token of last year"), "twilio_auth_token_secondary": SecretStr(TOKEN)}
    )
    assert "it was promoted" in carrier_check.problems(promoted)[0]
    neither = stale.model_copy(
        update={"twilio_auth_token": SecretStr("wrong token"), "twilio_auth_token_secondary": None}
    )
    assert "is refused at our door" in carrier_check.problems(neither)[0]
    keyless = stale.model_copy(update={"twilio_api_key": "", "twilio_auth_token_secondary": None})
    assert "make an API key" in carrier_check.problems(keyless)[0]


def test_a_carrier_that_does_not_answer_is_a_sentence(start: Start) -> None:
    ours = start().model_copy(update={"twilio_api_url": "http://127.0.0.1:9"})
    [said] = carrier_check.problems(ours)
    assert said.startswith("the carrier could not be asked")


def test_what_may_be_secret_in_an_address_is_not_shown() -> None:
    inbound = Inbound("https://user:word@old.example/sms?key=1", "https://user:word@old.example/fallback?key=1")
    told = " ".join(carrier_check.judged(inbound, "https://clinic.example"))
    assert "https://old.example/sms;" in told
    assert "word" not in told
    assert "key" not in told
    assert list(carrier_check.judged(None, "https://clinic.example")) == ["the account has no such number"]


def test_the_doctor_asks_the_carrier_only_when_told_to(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    ours = start(path="/elsewhere")
    monkeypatch.setattr(checks.start, "begin", lambda _part: ours)
    assert "fallback" not in CliRunner().invoke(checks.doctor, []).output
    assert "there is no fallback URL" in CliRunner().invoke(checks.doctor, ["--carrier"]).output
