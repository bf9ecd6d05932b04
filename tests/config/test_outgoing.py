"""Whom the service speaks to of its own accord: the carrier of its settings, and hosts that the operator has listed."""

import ast
from pathlib import Path

import pytest

from config import outgoing, public_internet, runtime, settings
from messaging.event_webhooks import guard
from messaging.gateways import fetching, lastmoment

ROOT = Path(__file__).parents[2]
ROOMS = [path.parent for path in ROOT.glob("*/__init__.py") if path.parent.name not in ("simulator", "bench", "tools")]
# Database and queue are opened by the addresses of the settings, in config.db.engine and config.queue.
CLIENTS = {"asyncio", "ftplib", "http", "requests", "smtplib", "socket", "twilio", "urllib", "urllib3"}
# What in them opens nothing.
HARMLESS = ("urllib.parse", "urllib.error", "http.HTTPStatus", "http.cookiejar", "twilio.request_validator")
# Every file that may open a connection, and who says whether it may.
OPENERS = {
    "config/public_internet.py": "asks name servers",
    "interchange/engine_line.py": "messaging.event_webhooks.guard, by posting.line",
    "messaging/event_webhooks/guard.py": "none: it reads what is no name",
    "messaging/event_webhooks/posting.py": "messaging.event_webhooks.guard",
    "messaging/gateways/fetching.py": "config.outgoing.of_carrier, then is_a_store",
    "messaging/gateways/judged.py": "config.public_internet, of all but the host that the settings name",
    "messaging/gateways/lastmoment.py": "config.outgoing.of_carrier, then judged",
    "messaging/gateways/lines.py": "fetching, whose connections it breaks off; judged",
    "messaging/gateways/twilio.py": "lastmoment.Adapter",
    "messaging/mail/smtp.py": "WARMTHREAD_SMTP_URL",
}
# They listen, speak to a process of this machine, or ask this machine's own web server.
INSIDE = (
    "service/embedded/",
    "webhooks/mllp/",
    "service/serving/",
    "service/cli/service.py",
    "service/cli/walk/",
    "service/health.py",
    "service/processes.py",
    "service/ticker.py",
    "service/visitor.py",
)


def told(monkeypatch: pytest.MonkeyPatch, **said: object) -> None:
    monkeypatch.setattr(runtime, "_settings", runtime.settings().model_copy(update=said))


def clients_of(path: Path) -> set[str]:
    """The modules a file imports that can open a connection."""
    named = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            named |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom) and node.module:
            named |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {name for name in named if name.split(".")[0] in CLIENTS and not name.startswith(HARMLESS)}


def test_no_other_file_opens_a_connection() -> None:
    files = [path for room in ROOMS for path in room.rglob("*.py")]
    opening = {str(path.relative_to(ROOT)) for path in files if clients_of(path)}
    assert {path for path in opening if not path.startswith(INSIDE)} == set(OPENERS)


def test_a_list_names_hosts_and_whatever_lies_below_a_name() -> None:
    listed = ("ehr.clinic.example", ".vendor.example")
    for host in ("ehr.clinic.example", "EHR.Clinic.Example.", "a.vendor.example", "b.a.vendor.example"):
        assert outgoing.stands_in(host, listed), host
    for host in (
        "clinic.example",
        "x.ehr.clinic.example",
        "vendor.example",
        "evilvendor.example",
        "a.vendor.example.x",
    ):
        assert not outgoing.stands_in(host, listed), host


def test_a_host_that_a_clinic_wrote_down_is_spoken_to_only_if_it_is_listed(
    house: settings.Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert guard.read("https://hooks.other.example/", loopback=False).tls  # no list: any on the internet
    told(monkeypatch, outgoing_hosts="hooks.clinic.example, .vendor.example")
    assert guard.read("https://HOOKS.clinic.example/", loopback=False).tls
    for url in ("https://hooks.other.example/", "https://8.8.8.8/", "https://hooks.clinic.example.evil.example/"):
        with pytest.raises(public_internet.Refused, match="unlisted"):
            guard.read(url, loopback=False)


def test_the_self_checks_own_address_needs_no_line_in_the_list(
    house: settings.Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pydantic import SecretStr

    told(monkeypatch, outgoing_hosts=".vendor.example", self_check_url=SecretStr("https://switch.example/abc"))
    assert outgoing.of_clinic("switch.example")
    assert not outgoing.of_clinic("other.example")


def test_the_carriers_client_asks_nobody_but_the_carrier(
    house: settings.Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    from requests import Request

    told(monkeypatch, twilio_api_url="")
    for url in ("https://api.twilio.com/x", "https://api.ashburn.us1.twilio.com/x", "https://media.twiliocdn.com/x"):
        outgoing.of_carrier(url)
    stranger = "https://api.twilio.com.evil.example/2010-04-01"
    with pytest.raises(outgoing.NotListed):
        lastmoment.Adapter().send(Request("GET", stranger).prepare())
    with pytest.raises(outgoing.NotListed):
        fetching.fetch(stranger, ("sid", "token"), 10)
    told(monkeypatch, twilio_api_url="https://texts.proxy.example")
    outgoing.of_carrier("https://texts.proxy.example/2010-04-01")
    with pytest.raises(outgoing.NotListed):
        outgoing.of_carrier("https://api.twilio.com/2010-04-01")


@pytest.mark.parametrize(
    "written", ["https://ehr.example", "ehr.example/path", "a b.example", "*.example", "ehr..example"]
)
def test_what_is_no_list_of_hosts_is_refused(written: str) -> None:
    from config.outgoing_settings import OutgoingSettings

    with pytest.raises(ValueError, match="names of hosts"):
        OutgoingSettings(WARMTHREAD_OUTGOING_HOSTS=written)
    assert OutgoingSettings(WARMTHREAD_OUTGOING_HOSTS="a.example, .B.example,10.0.0.7,2606:4700::1").outgoing_hosts
