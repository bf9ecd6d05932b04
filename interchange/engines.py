"""The interface engine of an EHR that sends HL7 to us: where it is told by MLLP, and what proves both ends."""

import os
import re
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from config import audit, clock, db, ehr_settings, public_internet, runtime
from interchange import connections, engine_line, pausing
from interchange.connections import MayNot
from interchange.models import Feed, FeedConnection
from interchange.polling import poller
from interchange.polling.asking import Trouble
from messaging.event_webhooks import guard

KIND = connections.ENGINE
PLAIN, SEALED = "mllp", "mllps"
SCHEMES = {PLAIN: "http", SEALED: "https"}
ADDRESS = re.compile(r"(mllps?)://(.+):([0-9]{1,5})")
HOST = re.compile(r"[A-Za-z0-9.:_-]{1,253}")
LONGEST_PEM = 64 * 1024
PEMS = ("certificate", "authorities")
DRY_SECONDS = 8.0


@dataclass(frozen=True)
class Wanted:
    """Where an engine is to be told. `certificate` is ours with its key, `authorities` who signs theirs: PEM, "" for
    none; None leaves what is there."""

    host: str
    port: int
    tls: bool = True
    certificate: str | None = field(default=None, repr=False)
    authorities: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Engine:
    """An engine as a connection leads to it."""

    url: str
    certificate: str = field(repr=False)
    authorities: str = field(repr=False)


def parts(row: FeedConnection) -> tuple[str, str, bool]:
    """Return host, port and whether TLS is spoken."""
    scheme, host, port = ADDRESS.fullmatch(row.base_url).groups()  # type: ignore[union-attr]
    return host.strip("[]"), port, scheme == SEALED


def save(session: Session, feed: Feed, wanted: Wanted, actor: str) -> FeedConnection:
    """Set up where a feed's EHR is told, or change it. Raises MayNot."""
    row, now = connections.of(session, feed, locked=True), clock.now()
    db.load_keys(session, [feed.key_id])
    if row is not None and row.kind != KIND:
        raise MayNot({"host": "asked"})
    held = {name: (getattr(row, name) or "") if row else "" for name in PEMS}
    brought = {name: pem for name in PEMS if (pem := getattr(wanted, name)) is not None}
    pems = held | {name: pem.replace("\r\n", "\n").strip() for name, pem in brought.items()}
    _check(wanted, pems)
    was = "changed" if row else "set_up"
    row = row or FeedConnection(
        clinic_id=feed.clinic_id, key_id=feed.key_id, feed_id=feed.id, kind=KIND, base_url="", client_id="",
        state="on", cursor={}, notes={}, failures=0, attempts=0, fence=0, created_at=now, try_after=now,
    )  # fmt: skip
    session.add(row)
    row.base_url = f"{SEALED if wanted.tls else PLAIN}://{_bracketed(wanted.host)}:{wanted.port}"
    row.certificate, row.authorities = pems["certificate"], pems["authorities"]
    pausing.hurry(row)
    audit.record(session, feed.clinic_id, actor, f"feeds.connection_{was}", f"feed:{feed.name}", kind=KIND)
    return row


def _check(wanted: Wanted, pems: Mapping[str, str]) -> None:
    problems = {name: name for name in PEMS if not _is_pem(name, pems[name])}
    if wanted.port not in range(1, 65_536):
        problems["port"] = "port"
    if any(pems.values()) and not wanted.tls:
        problems["tls"] = "tls_off"
    own = ehr_settings.networks(runtime.settings().ehr_networks)
    try:
        if not HOST.fullmatch(wanted.host):
            raise public_internet.Refused("host")
        url = SCHEMES[SEALED if wanted.tls else PLAIN] + f"://{_bracketed(wanted.host)}:{min(wanted.port, 65_535)}"
        guard.read(url, loopback=any(net.is_loopback for net in own), own=own)
    except public_internet.Refused as refused:
        problems.setdefault("tls" if refused.why == "scheme" else "host", f"engine_{refused.why}")
    if problems:
        raise MayNot(problems)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _is_pem(name: str, pem: str) -> bool:
    if len(pem) > LONGEST_PEM:
        return False
    try:
        trust(pem if name == "certificate" else "", pem if name == "authorities" else "")
    except (ValueError, OSError):
        return False
    return True


def of(row: FeedConnection) -> Engine:
    """Return the engine that a connection leads to; its keys are loaded."""
    scheme = SEALED if row.base_url.startswith(SEALED) else PLAIN
    return Engine(SCHEMES[scheme] + row.base_url.removeprefix(scheme), row.certificate or "", row.authorities or "")


def trust(certificate: str, authorities: str) -> ssl.SSLContext:
    """Return what TLS trusts and proves us by. Raises ValueError and OSError for what is no such PEM."""
    made = ssl.create_default_context(cadata=authorities or None)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    if certificate:
        with _as_file(certificate) as path:
            made.load_cert_chain(path, password=lambda: b"")
    return made


@contextmanager
def _as_file(pem: str) -> Iterator[str]:
    """Within: a path that OpenSSL reads a private key from, in memory alone."""
    descriptor = os.memfd_create("warmthread", os.MFD_CLOEXEC)
    try:
        os.write(descriptor, pem.encode())
        yield f"/proc/self/fd/{descriptor}"
    finally:
        os.close(descriptor)


def tried(engine: Engine) -> str:
    """Connect to an engine and say nothing; return why that is not possible, "" where it is."""
    try:
        trusted = trust(engine.certificate, engine.authorities)
        with engine_line.opened(engine.url, trusted, poller.the_way(), DRY_SECONDS):
            return ""
    except Trouble as trouble:
        return trouble.why
