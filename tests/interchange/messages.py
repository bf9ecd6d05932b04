"""Made-up messages, each field said only where a test is about it."""

from typing import Any

from interchange import explaining, profiles
from interchange.hl7 import er7, reading

MOUNTAIN = {"zone": "America/Denver"}
PID = "PID|1||4711^^^ELM^MR||RIVER^ANA||19800102|F|||||(303)555-0101^^CP||spa"


def header(event: str, *, control_id: str = "C1", processing: str = "P", version: str = "2.5.1", more: str = "") -> str:
    """MSH of a sender "BOOKS" at "ELM"; `more` are the fields after MSH-12."""
    kind = {"S": "SIU", "A": "ADT", "R": "ORU", "Z": "SIU"}[event[0]]
    parties = "BOOKS|ELM|WARM|ELM2"
    return rf"MSH|^~\&|{parties}|20260301120000||{kind}^{event}|{control_id}|{processing}|{version}{more}"


def sch(start: str = "20260310090000", *, key: str = "V7^BOOKS", placer: str = "", status: str = "") -> str:
    """SCH of a visit of half an hour."""
    return f"SCH|{placer}|{key}||||||Follow-up|30|min|^^^{start}" + "|" * 14 + status


def visit(event: str, *segments: str, pid: str = PID, **fields: str) -> str:
    """A whole SIU message."""
    return "\r".join([header(event), sch(**fields), pid, *segments])


def explained(message: str, profile: dict[str, Any] | None = None) -> dict[str, Any]:
    """What `warmthread explain hl7` answers."""
    return explaining.hl7({"message": message, "profile": MOUNTAIN | (profile or {})})


def act(message: str, profile: dict[str, Any] | None = None) -> dict[str, Any]:
    """The only act of a message."""
    (only,) = explained(message, profile)["acts"]
    return dict(only)


def problems(message: str, profile: dict[str, Any] | None = None) -> list[str]:
    """The codes of a message's problems."""
    return [problem["problem"] for problem in explained(message, profile)["problems"]]


def parsed(message: str | bytes) -> er7.Message:
    """The only message in there."""
    (only,) = er7.read(message).messages
    return only


def read(message: str) -> reading.Reading:
    """What a message says, by the default profile in Denver."""
    return reading.read(parsed(message), profiles.read(MOUNTAIN))
