"""What came with a text: fetched from the carrier alone, kept sealed, forgotten there, or said to be missing."""

import base64
import urllib.error
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from sqlalchemy import select, update

from config import audit, clock, db, runtime
from messaging import conversations
from messaging.gateways import fetching, twilio
from messaging.media import attachments
from messaging.models import Clinic, Media, Message

PHONE = "+13035550117"
PNG = b"\x89PNG\r\n\x1a\n" + b"a picture of a pill box" * 20
both = pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)


def _say(network: Any, *contents: bytes, type: str = "image/png") -> str:
    sent = [{"content_type": type, "base64": base64.b64encode(content).decode()} for content in contents]
    form = {"body": "look", "to": "+13035550100", "media": sent}
    return str(network.ask("POST", f"/sim/phones/{PHONE}/messages", form)["sid"])


def _file(clinic: Clinic, sid: str, count: int = 1, url: str = "") -> Message:
    with db.unit_of_work(clinic.id) as session:
        conversation = conversations.of_number(session, clinic, PHONE)
        attached = [{"url": url, "type": "image/png"}] * count
        message = conversations.file_inbound(
            session, clinic, conversation, body="look", provider_sid=sid, reading=[], media=attached
        )
        attachments.expect(session, message, attached)
        return message


def _rows() -> list[Media]:
    with db.unit_of_work(db.EVERY) as session:
        rows = list(session.scalars(select(Media).order_by(Media.place)))
        for media in rows:
            _ = media.content
        return rows


def _carrier_has(network: Any, sid: str) -> int:
    gateway = twilio.gateway()
    return len(gateway.attached(sid))


@both
def test_a_picture_is_kept_sealed_and_then_forgotten_by_the_carrier(network, clinic):
    sid = _say(network, PNG)
    _file(clinic, sid)
    assert attachments.drain() == 1
    (held,) = _rows()
    assert (held.state, held.type, held.size, held.content) == ("held", "image/png", len(PNG), PNG)
    assert b"pill box" not in (held.content_ct or b"")
    assert _carrier_has(network, sid) == 1
    assert attachments.drain() == 1
    assert [row.state for row in _rows()] == ["kept"]
    assert _carrier_has(network, sid) == 0
    assert attachments.drain() == 0
    with db.unit_of_work(db.EVERY) as session:
        assert "media.kept" in set(session.scalars(select(audit.AuditEntry.act)))


def scanner(tmp_path: Path, monkeypatch: Any, code: str) -> None:
    """Let an operator's scanner look at files: a program that reads one and ends as `code` says."""
    program = tmp_path / "scanner"
    program.write_text(f"#!/bin/sh\n{code}\n")
    program.chmod(0o700)
    monkeypatch.setattr(runtime, "_settings", runtime.settings().model_copy(update={"scan_command": str(program)}))


def test_a_file_that_would_do_harm_is_not_kept_and_one_without_is(network, clinic, monkeypatch, tmp_path):
    scanner(tmp_path, monkeypatch, "grep -q EICAR && exit 1; exit 0")
    _file(clinic, _say(network, PNG + b"EICAR"))
    _file(clinic, _say(network, PNG))
    while attachments.drain():
        pass
    states = {(row.state, row.last_error, row.content) for row in _rows()}
    assert states == {("failed", "harmful", None), ("kept", None, PNG)}


def test_while_the_scanner_does_not_answer_nothing_is_kept_and_it_is_asked_again(
    network, clinic, monkeypatch, tmp_path
):
    scanner(tmp_path, monkeypatch, "exit 2")
    _file(clinic, _say(network, PNG))
    assert attachments.drain() == 1
    (row,) = _rows()
    assert (row.state, row.last_error, row.content) == ("waiting", "NotClean", None)
    scanner(tmp_path, monkeypatch, "cat > /dev/null")
    with time_machine.travel(clock.now() + timedelta(minutes=5), tick=False):
        attachments.drain()
    assert [(row.state, row.content) for row in _rows()] == [("held", PNG)]


def test_several_pictures_keep_their_order(network, clinic):
    sid = _say(network, PNG, b"GIF89a.", b"<svg onload=alert(1)>")
    _file(clinic, sid, 3)
    attachments.drain()
    assert [row.type for row in _rows()] == ["image/png", "image/gif", "application/octet-stream"]


def test_files_nobody_named_keep_their_order_though_the_first_is_forgotten(network, clinic, monkeypatch):
    monkeypatch.setattr(attachments, "BATCH", 1)
    sid = _say(network, PNG, b"GIF89a.")
    _file(clinic, sid, 2)
    for _ in range(6):
        attachments.drain()
    assert [(row.state, row.type) for row in _rows()] == [("kept", "image/png"), ("kept", "image/gif")]


def test_the_address_in_a_form_is_never_called(network, clinic):
    sid = _say(network, PNG)
    _file(clinic, sid, url="http://169.254.169.254/latest/meta-data")
    attachments.drain()
    (row,) = _rows()
    assert row.state == "held"
    assert row.content == PNG


def test_more_than_five_megabytes_is_not_kept_and_is_said(network, clinic, monkeypatch):
    monkeypatch.setattr(attachments, "LARGEST", 300)
    sid = _say(network, PNG)
    _file(clinic, sid)
    attachments.drain()
    (row,) = _rows()
    assert (row.state, row.last_error, row.content) == ("failed", "too large", None)
    assert _carrier_has(network, sid) == 1


def test_what_the_carrier_does_not_have_is_asked_for_again_and_then_said_to_be_missing(network, clinic):
    sid = _say(network, PNG)
    _file(clinic, sid, 2)
    for number in range(10):
        with time_machine.travel(clock.now() + timedelta(hours=number), tick=False):
            attachments.drain()
            attachments.drain()
    assert [(row.state, row.last_error) for row in _rows()] == [("kept", None), ("failed", "gone")]


def test_two_workers_fetch_a_picture_once(network, clinic):
    _file(clinic, _say(network, PNG))
    with db.unit_of_work(db.EVERY) as session:
        assert attachments.oldest(session, clock.now()) is not None
        db.claim(session, Media, attachments.DUE)
    assert attachments.drain() == 0


@pytest.mark.parametrize(
    ("url", "is_store"),
    [
        ("https://media.twiliocdn.com/AC1/x", True),
        ("https://mms.twiliocdn.com/AC1/x?Expires=1", True),
        ("https://s3-external-1.amazonaws.com/media.twiliocdn.com/AC1/x", True),
        ("http://media.twiliocdn.com/AC1/x", False),
        ("https://s3-external-1.amazonaws.com/somebody/x", False),
        ("https://s3-external-1.amazonaws.com/media.twiliocdn.com/../somebody/x", False),
        ("https://nottwiliocdn.com/x", False),
        ("https://twiliocdn.com.evil.example/x", False),
        ("https://media.twiliocdn.com@evil.example/x", False),
        ("https://evil.example\\@media.twiliocdn.com/x", False),
        ("https://media.twiliocdn.com:8443/x", False),
        ("https://169.254.169.254/latest/meta-data", False),
        ("https://[::1/x", False),
        ("file:///etc/passwd", False),
    ],
)
def test_only_the_carriers_own_stores_are_followed_to(url: str, is_store: bool):
    assert fetching.is_a_store(url) is is_store


def test_the_simulator_gives_an_attachment_to_nobody_without_the_account(network):
    sid = _say(network, PNG)
    (attached,) = twilio.gateway().attached(sid)
    path = f"/2010-04-01/Accounts/{'AC' + '0' * 32}/Messages/{sid}/Media/{attached.sid}"
    with pytest.raises(urllib.error.HTTPError, match="401"):
        network.ask("GET", path)


@both
def test_a_file_whose_key_does_not_open_is_said_to_be_missing_and_the_others_are_kept(network, clinic, lost_key):
    sick, well = _say(network, PNG), _say(network, PNG)
    bad, good = _file(clinic, sick).id, _file(clinic, well).id
    with db.unit_of_work(db.EVERY) as session:
        session.execute(update(Media).where(Media.message_id == bad).values(key_id=lost_key))
    attachments.drain()
    with db.unit_of_work(db.EVERY) as session:
        states = {row.message_id: (row.state, row.last_error) for row in session.scalars(select(Media))}
    assert states == {bad: ("failed", "unreadable"), good: ("held", None)}
