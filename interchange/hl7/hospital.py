"""What a hospital says by ADT of a visit's id and times, be it to its emergency department or a stay."""

from interchange import moments
from interchange.hl7 import timestamps
from interchange.hl7.er7 import NULL, Message
from interchange.people import Identifier
from interchange.profiles import Profile

# When an event happened, as it says itself: the first that is filled.
HAPPENED = (("EVN", 6), ("EVN", 2), ("MSH", 7))


def key(message: Message, patient: Identifier, began: str | None) -> str | None:
    """Return the visit's id: PV1-19 or PV1-50 with who sends it, else whose it is and when it began (PV1-44). What is
    the patient's own number would make all their visits one."""
    own = {value.part() for pid in message.all("PID") for field in (2, 3, 4, 18) for value in pid.values(field)}
    for field in (19, 50):
        number = message.part("PV1", field)
        if number not in ("", NULL, *own):
            authority = message.part("PV1", field, 4)
            return f"{message.sender}|{number}" + (f"^{authority}" if authority else "")
    if message.part("PV1", 44) in ("", NULL) or began is None:
        return None
    return f"{message.sender}|{patient['authority'] or ''}|{patient['identifier']}|{began}"


def edge(message: Message, profile: Profile, *fields: tuple[str, int], ends: bool = False) -> str | None:
    """Return when a stay begins, or ends, by the first of these fields that says so."""
    read = (timestamps.stamp(message.part(segment, field)) for segment, field in fields)
    edges = (moments.utc(moments.edge(stamp, profile.zone, ends=ends)) for stamp in read)
    return next(filter(None, edges), None)
