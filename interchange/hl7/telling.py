"""Says a visit back to the EHR whose it is: its own message under another event, and what an engine answers to it.

What the EHR calls the visit, its patient and what is booked is said letter by letter as the EHR has said it (SCH, PID-2
to PID-5, AIS, AIG, AIL, AIP); no more of the patient than it is found by, birth date and sex, and nothing of notes,
diagnoses and what the segments of its own (Z) say: 45 CFR 164.502(b) asks for the minimum. HL7 v2.5.1, chapter 10.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from interchange.hl7 import er7
from interchange.hl7.er7 import Message, Segment
from interchange.profiles import Told

OURSELVES = "WARMTHREAD"
# Of these fields of PID and PV1 nothing is left out; PV1-19 is the visit's id at some EHRs.
SAID = {"PID": (1, 2, 3, 4, 5, 7, 8), "PV1": (1, 2, 19)}
# Where the action code of a segment stands (table 0206), and where its status: U, as a change must say, S15 says none.
ACTION = {"RGS": 2, "AIS": 2, "AIG": 2, "AIL": 2, "AIP": 2}
STATUS = {"SCH": 25, "AIS": 10, "AIG": 14, "AIL": 12, "AIP": 12}
UPDATES = {"S14": "U", "S15": ""}
REASON = 6
GOOD = ("AA", "CA")
BAD = ("AE", "AR", "CE", "CR")


@dataclass(frozen=True)
class Answer:
    """What an acknowledgement says: MSA-1, whose it is (MSA-2), and of the first error its code (table 0357) and where
    it stands, "" for what it does not say."""

    ack: str
    control_id: str
    code: str = ""
    where: str = ""


def control_id(row_id_hex: str, edition: int) -> str:
    """Return MSH-10 of an outbox row's message: the same at every try, another where it is said anew; 20 letters at
    most."""
    return f"{row_id_hex[-14:]}-{edition}".upper()[:20]


def segments(message: Message, told: Told, at: datetime, control: str) -> list[str]:
    """Return the segments that say a visit of `message` back; `at` is since when it is so, aware."""
    said = [_header(message, told, at, control)]
    for segment in message.segments[1:]:
        if segment.name in SAID:
            kept = SAID[segment.name]
            said.append(_line(segment, {n: "" for n in range(1, len(segment.fields) + 1) if n not in kept}))
        elif segment.name in (*STATUS, *ACTION, "TQ1"):
            said.append(_line(segment, _changed(segment, told)))
    if message.first("RGS") is None:  # at least one is required
        said.append(message.header.delimiters.field.join(("RGS", "1", UPDATES[told.event])))
    return said


def _changed(segment: Segment, told: Told) -> dict[int, str]:
    """What is said otherwise than the EHR has it: the status where there is one, and what becomes of the segment."""
    word = told.status.replace("^", segment.delimiters.component)
    changed = {ACTION[segment.name]: UPDATES[told.event]} if segment.name in ACTION else {}
    if segment.name == "SCH":
        return {STATUS["SCH"]: word} | ({} if segment.raw(REASON) else {REASON: word})
    at = STATUS.get(segment.name)
    return changed | ({at: word} if at and segment.raw(at) else {})


def _line(segment: Segment, changed: Mapping[int, str]) -> str:
    last = max([len(segment.fields), *(number for number, value in changed.items() if value)])
    fields = [changed.get(number, segment.raw(number)).replace("\n", " ") for number in range(1, last + 1)]
    return segment.delimiters.field.join((segment.name, *fields)).rstrip(segment.delimiters.field)


def _header(message: Message, told: Told, at: datetime, control: str) -> str:
    """Sender and receiver change places; processing id, version and structure are as the EHR says them."""
    header, signs = message.header, message.header.delimiters
    kind = signs.component.join(["SIU", told.event, *(["SIU_S12"] if header.part(9, 3) else [])])
    ours = [header.raw(5) or OURSELVES, header.raw(6)]
    said = [f"{at:%Y%m%d%H%M%S}+0000", "", kind, control, header.raw(11) or "P", header.raw(12) or "2.5.1"]
    charset = ["", "", "", "", "", header.raw(18)] if header.raw(18) else []
    return signs.field.join(["MSH", signs.encoding, *ours, header.raw(3), header.raw(4), *said, *charset])


def encoded(said: Sequence[str], charset: str) -> bytes:
    """Return segments as bytes in a character set of table 0211, in UTF-8 where it is none."""
    return "".join(f"{each}\r" for each in said).encode(er7.codec_of(charset) or "utf-8", "replace")


def answered(frame: bytes) -> Answer | None:
    """Return what an acknowledgement says, None for what is none."""
    try:
        message = er7.read(frame).messages[0]
    except er7.Unreadable:
        return None
    ack = message.part("MSA", 1).upper()
    if ack not in (*GOOD, *BAD):
        return None
    return Answer(ack, _told_id(message), *_error(message))


def _told_id(message: Message) -> str:
    msa = message.first("MSA")
    return msa.raw(2).strip() if msa else ""


def _error(message: Message) -> tuple[str, str]:
    """The first error's code and place: ERR-3 and ERR-2 from version 2.5 on, ERR-1 before; MSA-6 of some engines."""
    error = message.first("ERR")
    if error is None:
        return message.part("MSA", 6), ""
    if error.part(3):
        return error.part(3), _place(error, 2)
    return error.part(1, 4), _place(error, 1)


def _place(error: Segment, field: int) -> str:
    segment, number = error.part(field, 1), error.part(field, 3)
    clean = er7.NAME.fullmatch(segment)
    return (f"{segment}-{number}" if number.isdecimal() else segment) if clean else ""
