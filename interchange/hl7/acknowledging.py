"""Answers a message: which acknowledgement is due, and its segments.

HL7 v2.5.1, 2.9.2 (original mode) and 2.9.3 (enhanced mode): AE is content that the sender must mend, AR is a message of
a kind, processing or version that is not ours. In enhanced mode the first answer says only whether the message is kept
(CA), cannot be (CE), or is not ours (CR).
"""

import re
from collections.abc import Sequence
from datetime import datetime

from interchange import problems as weighing
from interchange.hl7.er7 import Delimiters, Message
from interchange.problems import Problem

SEGMENT_END = "\r"
GOOD = ("AA", "CA")
ORIGINAL = {"rejected": "AR", "error": "AE"}
# From this version on an error has a segment of its own shape.
NEW_ERRORS = (2, 5)
MOST_ERRORS = 20
WHERE = re.compile(r"([A-Z][A-Z0-9]{2})(?:-(\d+))?(?:\.(\d+))?(?:\((\d+)\))?")


def code(message: Message | None, problems: Sequence[Problem]) -> str | None:
    """Return what MSA-1 says, None where the sender wants no answer; `message` is None for what is no HL7."""
    weight = weighing.heaviest(problems) or ""
    application = ORIGINAL.get(weight, "AA")
    if message is None:
        return "AR"
    at_once, later = (message.header.part(field).upper() for field in (15, 16))
    if not at_once and not later:
        return application
    commit = "CR" if weight == "rejected" else "CA"
    if any(problem.code == "control_id_missing" for problem in problems):
        commit = "CE"
    if at_once and _wanted(at_once, good=commit in GOOD):
        return commit
    return application if later and _wanted(later, good=application in GOOD) else None


def _wanted(condition: str, *, good: bool) -> bool:
    """Table 0155: AL always, NE never, ER on errors, SU on success. What is none of them is taken for AL."""
    return {"NE": False, "ER": not good, "SU": good}.get(condition, True)


def text(message: Message | None, ack: str, problems: Sequence[Problem], *, now: datetime, control_id: str) -> str:
    """Return the acknowledgement in ER7, in the sender's own delimiters; `control_id` is the answer's own."""
    signs = message.header.delimiters if message else Delimiters()
    worst = [problem for problem in problems if problem.weight in ORIGINAL]
    if ack in GOOD:
        worst = []
    answer = ["MSA", ack, _echo(message, 10), *(_safe(problem.words, signs) for problem in worst[:1])]
    errors = [_error(problem, signs, new=_version(message) >= NEW_ERRORS) for problem in worst[:MOST_ERRORS]]
    segments = [_header(message, signs, now, control_id), answer, *errors]
    return "".join(signs.field.join(fields) + SEGMENT_END for fields in segments)


def _header(message: Message | None, signs: Delimiters, now: datetime, control_id: str) -> list[str]:
    """Sender and receiver change places; processing id and version are the sender's own."""
    kind = signs.component.join(["ACK", *([_safe(message.event, signs), "ACK"] if message and message.event else [])])
    parties = [_echo(message, field) for field in (5, 6, 3, 4)]
    said = [f"{now:%Y%m%d%H%M%S}+0000", "", kind, control_id, _echo(message, 11) or "P", _echo(message, 12) or "2.5.1"]
    charset = _echo(message, 18)
    return ["MSH", signs.encoding, *parties, *said, *(["", "", "", "", "", charset] if charset else [])]


def _echo(message: Message | None, field: int) -> str:
    """A field of the header letter by letter; a line break would end the segment."""
    return message.header.raw(field).replace("\n", " ") if message else ""


def _version(message: Message | None) -> tuple[int, ...]:
    parts = message.header.part(12).split(".")[:2] if message else []
    return tuple(int(part) for part in parts if part.isdecimal()) or NEW_ERRORS


def _error(problem: Problem, signs: Delimiters, *, new: bool) -> list[str]:
    parts = WHERE.match(problem.where)
    segment, field, component, repetition = parts.groups("") if parts else ("", "", "", "")
    coding = [problem.hl7, _safe(problem.code, signs), "HL70357"]
    if not new:
        return ["ERR", signs.component.join([segment, "1", field, signs.subcomponent.join(coding)])]
    place = [segment, "1", field, repetition or "1", component] if field else [segment]
    location = signs.component.join(place).rstrip(signs.component)
    return ["ERR", "", location, signs.component.join(coding), "E", "", "", "", _safe(problem.words, signs)]


def _safe(words: str, signs: Delimiters) -> str:
    """Words in which the sender's delimiters are escaped."""
    names = {signs.escape: "E", signs.field: "F", signs.component: "S", signs.repetition: "R", signs.subcomponent: "T"}
    return "".join(f"{signs.escape}{names[sign]}{signs.escape}" if sign in names else sign for sign in words)
