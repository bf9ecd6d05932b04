"""Run by test_without_weights in a copy of the house: a service of real processes that loses its second reader."""

import json
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from sqlalchemy import select

from config import db
from messaging.inbox.models import InboxItem
from messaging.models import Clinic
from messaging.reading.likeness.model import FOLDER, WEIGHTS
from messaging.second_reading.models import SecondReading
from service.cli.walk import day, demo_service
from service.cli.walk.demo_service import Running

FREE = "is the side door open on fridays"
PATIENCE = 300.0


def main(folder: Path) -> dict[str, Any]:
    """Serve, read, lose the weights, read, get them back, get damaged ones, and say what was seen each time."""
    weights = FOLDER / WEIGHTS
    shipped, seen = weights.read_bytes(), {}
    with demo_service.running(folder, patience=PATIENCE) as running:
        running.scene.command("clinic", "create", "--name", day.CLINIC, "--zone", day.ZONE, "--number", day.NUMBER)
        _sign_off()
        seen["whole"] = _text(running, "+13035550131", FREE)
        weights.unlink()
        seen["removed"] = _text(running, "+13035550132", FREE)
        seen["sure"] = _text(running, "+13035550133", "I want to kill myself")
        weights.write_bytes(shipped)
        seen["back"] = _text(running, "+13035550134", FREE)
        weights.write_bytes(shipped[:-1] + bytes([shipped[-1] ^ 1]))
        seen["damaged"] = _text(running, "+13035550135", FREE)
        weights.write_bytes(shipped)
    return seen


def _sign_off() -> None:
    with db.unit_of_work(db.EVERY) as session:
        clinic = session.scalars(select(Clinic)).one()
        signed = {"by": "x", "at": "2026-11-30T09:00:00+00:00", "weights": "w"}
        clinic.rules = {**clinic.rules, "second_reading": {"signed": signed}}


def _text(running: Running, number: str, words: str) -> dict[str, Any]:
    """What comes of a text typed on a phone, and what the operator is told then."""
    before = _count()
    running.scene.type(number, words)
    kind, reason = running.scene.soon(lambda: _latest(before), "an item of the text")
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        last = session.scalars(select(SecondReading).order_by(SecondReading.id.desc()).limit(1)).one()
        off = last.off
    return {"kind": kind, "reason": reason, "off": off, "ready": _ready(running)}


def _count() -> int:
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        return len(session.scalars(select(InboxItem.id)).all())


def _latest(before: int) -> tuple[str, list[str]] | None:
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        items = session.scalars(select(InboxItem).order_by(InboxItem.id)).all()
        return (items[-1].kind, list(items[-1].reason)) if len(items) > before else None


def _ready(running: Running) -> list[str]:
    try:
        with urllib.request.urlopen(f"{running.scene.service}/readyz", timeout=PATIENCE) as answer:
            said = json.loads(answer.read())
    except urllib.error.HTTPError as error:
        said = json.loads(error.read())
    return [said["status"], *said["problems"]]


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]))))
