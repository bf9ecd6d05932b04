"""Reads ADT of inpatients: when they were admitted and discharged, and that either is taken back."""

from interchange.hl7 import hospital, patients
from interchange.hl7.er7 import NULL, Message
from interchange.problems import Problems
from interchange.profiles import Profile

Act = dict[str, object]
ADMISSION, DISCHARGE = ("PV1", 44), ("PV1", 45)
BEGINS, BECOMES, ENDS, IS_OUTPATIENT, CHANGES, CANCELS, REOPENS = "A01", "A06", "A03", "A07", "A08", "A11", "A13"
EVENTS = (BEGINS, BECOMES, ENDS, IS_OUTPATIENT, CHANGES, CANCELS, REOPENS)
# These may leave the class out, and A07 says that it is another from now on; the id says whether it is a stay of ours.
CLASSLESS = (ENDS, CANCELS, REOPENS)


def acts(message: Message, profile: Profile) -> list[Act]:
    """Return the act of a message about a stay; none of any other. It holds what is told: `admitted_at`,
    `discharged_at` (None where the stay is open again), or neither where the stay is taken back."""
    event, kind, pid = message.event, message.part("PV1", 2).upper(), message.first("PID")
    patient, inside = patients.named(pid, profile), kind in profile.inpatient
    is_ours = inside or event == IS_OUTPATIENT or (event in CLASSLESS and kind in ("", NULL))
    if message.header.part(9) != "ADT" or event not in EVENTS or not is_ours or pid is None or patient is None:
        return []
    told: Act = {} if event == CANCELS else _told(message, profile, inside=inside)
    key = hospital.key(message, patient, hospital.edge(message, profile, ADMISSION))
    if key is None or (event != CANCELS and not told):
        return []
    name = "inpatient.cancel" if event == CANCELS else "inpatient.stay"
    person = patients.person(pid, profile, Problems())
    return [{"act": name, "key": key, **told, "patient": patient, "person": person}]


def _told(message: Message, profile: Profile, *, inside: bool) -> Act:
    """What a message tells of a stay's edges. Who becomes an inpatient (A06) is admitted then: PV1-44 may be when they
    came to the hospital, weeks ago."""
    told: Act = {}
    event = message.event
    begins = {BEGINS: (ADMISSION, *hospital.HAPPENED), BECOMES: hospital.HAPPENED}.get(event, (ADMISSION,))
    ends = {ENDS: (DISCHARGE, *hospital.HAPPENED), IS_OUTPATIENT: hospital.HAPPENED}.get(event, (DISCHARGE,))
    admitted_at = hospital.edge(message, profile, *begins) if inside and event != IS_OUTPATIENT else None
    if admitted_at:
        told["admitted_at"] = admitted_at
    discharged_at = hospital.edge(message, profile, *ends, ends=True)
    if event == REOPENS or message.part(*DISCHARGE) == NULL:
        told["discharged_at"] = None
    elif discharged_at:
        told["discharged_at"] = discharged_at
    return told
