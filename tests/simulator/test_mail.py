"""The mail server of the demonstration: it keeps what comes, shows it, and can be away."""

import smtplib
from collections.abc import Iterator
from email.message import EmailMessage
from typing import Any

import pytest
import requests


@pytest.fixture(scope="module")
def port(starting: Any, tools: Any) -> Iterator[tuple[str, int]]:
    """A simulator that takes mail: its address, and the port for mail."""
    web, mail = tools.free_port(), tools.free_port()
    process = starting("--port", str(web), "--sms-url", "http://127.0.0.1:9/", "--smtp-port", str(mail))
    tools.until(lambda: tools.ready(web), "the simulator")
    yield f"http://127.0.0.1:{web}", mail
    process.terminate()
    process.communicate(timeout=90)


@pytest.fixture
def taking(port: tuple[str, int], simulator: Any) -> Any:
    """The same, with nothing kept and nothing wrong."""
    simulator.url, was = port[0], simulator.url
    simulator.ask("DELETE", "/sim")
    yield simulator, port[1]
    simulator.url = was


def letter(to: str = "rosa@clinic.example", body: str = "Something has come.\n.\nhttp://127.0.0.1/x") -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "warmthread@clinic.example", to, "Warmthread: novedades – señal"
    mail.set_content(body)
    return mail


def send(port: int, mail: EmailMessage) -> None:
    with smtplib.SMTP("127.0.0.1", port, timeout=90) as client:
        client.send_message(mail)


def test_a_mail_is_kept_and_shown_as_it_was_meant(taking: Any) -> None:
    simulator, port = taking
    send(port, letter())
    (kept,) = simulator.ask("GET", "/sim/mails")["mails"]
    assert (kept["to"], kept["subject"]) == ("rosa@clinic.example", "Warmthread: novedades – señal")
    assert kept["body"].split() == ["Something", "has", "come.", ".", "http://127.0.0.1/x"]
    assert simulator.ask("GET", "/sim/mails?to=ben@clinic.example")["mails"] == []


def test_the_page_shows_it_with_its_link(taking: Any) -> None:
    simulator, port = taking
    assert "No mail has come yet" in requests.get(f"{simulator.url}/mail", timeout=90).text
    send(port, letter())
    page = requests.get(f"{simulator.url}/mail", timeout=90).text
    assert "novedades – señal" in page
    assert '<a href="http://127.0.0.1/x"' in page
    (kept,) = simulator.ask("GET", "/sim/mails")["mails"]
    assert b"Subject:" in requests.get(f"{simulator.url}/sim/mails/{kept['number']}", timeout=90).content


def test_it_can_be_away_and_know_no_such_mailbox(taking: Any) -> None:
    simulator, port = taking
    simulator.ask("PUT", "/sim/mails", json={"away": True})
    with pytest.raises(smtplib.SMTPConnectError):
        send(port, letter())
    simulator.ask("PUT", "/sim/mails", json={"refused": ["Rosa@clinic.example"]})
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        send(port, letter())
    send(port, letter("ben@clinic.example"))
    assert [kept["to"] for kept in simulator.ask("GET", "/sim/mails")["mails"]] == ["ben@clinic.example"]


def test_whoever_talks_nonsense_is_answered(taking: Any) -> None:
    _, port = taking
    with smtplib.SMTP("127.0.0.1", port, timeout=90) as client:
        assert client.docmd("DATA")[0] == 503
        assert client.docmd("WHATEVER")[0] == 502
        assert client.noop()[0] == 250
