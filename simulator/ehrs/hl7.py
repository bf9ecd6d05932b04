"""Says what is in a chart as HL7 v2: SIU for a visit, ADT for a patient; sent by MLLP or by signed HTTP."""

import base64
import hashlib
import hmac
import secrets
import socket
import urllib.error
import urllib.request
from datetime import UTC, datetime
from typing import Literal

from simulator import clock, settings
from simulator.ehrs.charts import Person, Visit

Event = Literal["S12", "S13", "S14", "S15", "S17", "S26", "A04", "A08", "A28", "A31", "A40"]
STATUSES = {"booked": "Booked", "cancelled": "Cancelled", "noshow": "Noshow", "arrived": "Started",
            "checked-in": "Started", "fulfilled": "Complete"}  # fmt: skip
SEXES = {"female": "F", "male": "M", "other": "O", "unknown": "U"}
ESCAPES = {"\\": "\\E\\", "|": "\\F\\", "^": "\\S\\", "&": "\\T\\", "~": "\\R\\"}
START, END = b"\x0b", b"\x1c\r"
LONGEST_ANSWER = 65_536


def message(event: Event, sender: str, who: tuple[str, Person], visit: tuple[str, Visit] | None, goes: str) -> str:
    """Return a message of `sender` ("APPLICATION|FACILITY"); `goes` is the patient of an A40 who is no more."""
    number, person = who
    kind = "SIU" if event.startswith("S") else "ADT"
    control = secrets.token_hex(8).upper()
    lines = [f"MSH|^~\\&|{sender}|WARMTHREAD|CLINIC|{_at(clock.now())}||{kind}^{event}|{control}|P|2.5.1"]
    if visit is not None:
        own, said = visit
        status = STATUSES.get(said.status, "Booked")
        timing = f"^^{said.minutes}^{_at(said.start)}"
        lines.append(f"SCH||{_text(own)}|||||||{said.minutes}|min|{timing}||||||||||||||{status}")
    name = f"{_text(person.last)}^{_text(person.first)}"
    phone = f"^PRN^CP^^^^^^^^^{_text(person.phone)}" if person.phone else ""
    born = f"{person.born:%Y%m%d}" if person.born else ""
    record = _text(person.record or number)
    lines.append(f"PID|1||{record}^^^MRN^MR||{name}||{born}|{SEXES[person.sex]}|||||{phone}||{_text(person.language)}")
    lines += [f"MRG|{_text(goes)}^^^MRN^MR"] if event == "A40" else []
    if visit is not None and visit[1].clinician:
        lines += ["RGS|1", f"AIP|1||1^{_text(visit[1].clinician)}"]
    return "\r".join(lines) + "\r"


def _at(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y%m%d%H%M%S}+0000"


def _text(words: str) -> str:
    return "".join(ESCAPES.get(letter, letter) for letter in words if letter.isprintable())


def by_mllp(text: str, host: str, port: int) -> str:
    """Send a message in a frame and return the answer. Raises OSError, and ValueError for another machine."""
    if not settings.is_loopback(host):
        raise ValueError("messages go to an address on this machine only")
    with socket.create_connection((host, port), timeout=30) as line:
        line.sendall(START + text.encode() + END)
        heard = b""
        while END not in heard and len(heard) < LONGEST_ANSWER:
            more = line.recv(4096)
            if not more:
                break
            heard += more
    return heard.strip(START + END).decode("utf-8", "replace")


def by_http(text: str, url: str, secret: str) -> str:
    """Post a message, signed by Standard Webhooks, and return the answer. Raises OSError and ValueError as above."""
    if not settings.points_here(url):
        raise ValueError("messages go to an address on this machine only")
    message_id, at = f"msg_{secrets.token_hex(8)}", str(int(clock.now().timestamp()))
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = hmac.new(key, f"{message_id}.{at}.{text}".encode(), hashlib.sha256).digest()
    headers = {
        "Content-Type": "application/hl7-v2",
        "webhook-id": message_id,
        "webhook-timestamp": at,
        "webhook-signature": f"v1,{base64.b64encode(signed).decode()}",
    }
    asked = urllib.request.Request(url, text.encode(), headers)  # noqa: S310 - an address on this machine
    try:
        with urllib.request.urlopen(asked, timeout=30) as answer:  # noqa: S310
            return str(answer.read().decode("utf-8", "replace"))
    except urllib.error.HTTPError as error:
        error.close()
        raise ValueError(f"answered {error.code}") from None
