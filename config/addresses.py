"""What an operator may write as the address of a service, a mail server or a mailbox; wrong ones raise ValueError."""

import ipaddress
import re
from urllib.parse import parse_qs, urlsplit

HERE = ("127.0.0.1", "localhost", "::1")
# No "@": what stands before it looks like the host and is not.
WEB = re.compile(r"https?://[^/?#@\s]+(/[^?#\s]*)?")
MAIL_SERVER = re.compile(r"smtps?://([^:/?#@\s]+:[^:/?#@\s]+@)?(\[[0-9a-fA-F:]+\]|[^:/?#@\s\[\]]+)(:\d{1,5})?/?")
MAILBOX = re.compile(r"[!-?A-~]+@[A-Za-z0-9.-]+")


def is_here(address: str) -> bool:
    """Whether an address leads to this machine and nowhere else."""
    try:
        return urlsplit(address).hostname in HERE
    except ValueError:
        return False


def web(address: str) -> str:
    """Return an address of the web without the slash at its end."""
    if not WEB.fullmatch(address):
        raise ValueError("must be an http or https address without user and query")
    if address.startswith("http://") and not is_here(address):
        raise ValueError("must be https unless it is on this machine")
    return address.rstrip("/")


def crosses_a_network(address: str) -> bool:
    """Whether a database or queue at this address (empty: our own) is on another machine; a socket's folder is not."""
    parts = urlsplit(address)
    named = parse_qs(parts.query).get("host") or [
        _without_port(host) for host in parts.netloc.split("@")[-1].split(",")
    ]
    return any(host and not host.startswith("/") and not _is_loopback(host) for host in named)


def by_tls(address: str) -> bool:
    """Whether a database or queue at this address is spoken to by TLS alone, and only with a certificate that an
    authority which is trusted has signed: TLS with whoever answers keeps out nobody who stands in between."""
    parts = urlsplit(address)
    asked = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    if parts.scheme == "rediss":
        return asked.get("ssl_cert_reqs", "required") == "required"
    return asked.get("sslmode") in ("verify-ca", "verify-full")


def _without_port(host: str) -> str:
    return host[1:].split("]")[0] if host.startswith("[") else host.split(":")[0]


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host in HERE


def without_user(address: str) -> str:
    """Return an address without the user and the password in it."""
    parts = urlsplit(address)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def judge_mail_server(address: str) -> None:
    """Judge the address of a mail server: smtps://, or smtp://, which turns to TLS (messaging.mail.smtp)."""
    if not MAIL_SERVER.fullmatch(address):
        raise ValueError("must be smtps:// or smtp:// with user:password@ (percent-escaped), host and port")


def judge_mailbox(address: str) -> None:
    """Judge an address that mail comes from."""
    if not MAILBOX.fullmatch(address):
        raise ValueError("must be an address of the form name@clinic.example")
