"""Nobody reads along: TLS before anything is said, to a server that is who it should be."""

import pytest

from config import addresses
from messaging.mail import smtp

NAME = "clinic.example"


def mail():
    facts = {"subject": "Warmthread", "body": "x", "message_id": "<1@clinic.example>"}
    at = "Mon, 30 Nov 2026 21:00:00 +0000"
    return smtp.message(sender="warmthread@clinic.example", to="rosa@clinic.example", at=at, **facts)


def send(url: str) -> None:
    with smtp.connected(smtp.Server.of(url), name=NAME) as connection:
        connection.send(mail())


@pytest.fixture
def far_away(monkeypatch):
    """As if 127.0.0.1 were another machine."""
    monkeypatch.setattr(addresses, "HERE", ())


def test_a_certificate_nobody_vouches_for_is_refused(serving, post, certified):
    port = serving(ssl_context=certified.context())
    with pytest.raises(smtp.ServerAway, match="SSLCertVerificationError"):
        send(f"smtps://127.0.0.1:{port}")
    assert post.raw == []


def test_an_authority_of_the_clinic_s_own_can_vouch_for_it(serving, post, certified, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(certified.path))
    send(f"smtps://127.0.0.1:{serving(ssl_context=certified.context())}")
    assert len(post.raw) == 1


def test_a_certificate_for_another_name_is_refused(serving, certified, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(certified.path))
    with pytest.raises(smtp.ServerAway, match="SSLCertVerificationError"):
        send(f"smtps://localhost:{serving(ssl_context=certified.context())}")


def test_without_tls_nothing_is_said_to_another_machine(serving, post, far_away):
    with pytest.raises(smtp.ServerAway, match="SMTPNotSupportedError"):
        send(f"smtp://user:pass%3Aword@127.0.0.1:{serving()}")
    assert (post.raw, post.users) == ([], [])


def test_a_server_turns_to_tls_before_it_hears_who_we_are(serving, post, certified, monkeypatch, far_away):
    monkeypatch.setenv("SSL_CERT_FILE", str(certified.path))
    port = serving(tls_context=certified.context(), require_starttls=True, authenticator=post.check, auth_required=True)
    send(f"smtp://us%40clinic:pass%3Aword@127.0.0.1:{port}")
    assert post.users == ["us@clinic"]
    assert len(post.raw) == 1


def test_a_wrong_password_is_a_server_that_takes_nothing(serving, post, certified, monkeypatch, far_away):
    monkeypatch.setenv("SSL_CERT_FILE", str(certified.path))
    port = serving(tls_context=certified.context(), authenticator=post.check)
    with pytest.raises(smtp.ServerAway, match="SMTPAuthenticationError"):
        send(f"smtp://us:wrong@127.0.0.1:{port}")


def test_nobody_there_is_a_server_that_is_away():
    with pytest.raises(smtp.ServerAway, match="ConnectionRefusedError"):
        send("smtp://127.0.0.1:9")


@pytest.mark.parametrize(
    ("url", "host", "port", "tls"),
    [
        ("smtps://mail.example", "mail.example", 465, True),
        ("smtp://mail.example", "mail.example", 587, False),
        ("smtp://a:b%2Fc@[::1]:1025", "::1", 1025, False),
    ],
)
def test_an_address_says_where_the_server_is(url, host, port, tls):
    server = smtp.Server.of(url)
    assert (server.host, server.port, server.tls_at_once) == (host, port, tls)
    assert server.on_this_machine == (host == "::1")
