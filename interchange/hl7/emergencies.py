"""Reads ADT of patients in an emergency department: that they were there, and that this is taken back."""

from interchange import moments
from interchange.hl7 import hospital, patients, timestamps
from interchange.hl7.er7 import Message
from interchange.problems import Problems
from interchange.profiles import Profile

Act = dict[str, object]
# Registered, admitted, discharged, changed: each says that somebody is or was there.
VISITS, CANCELS = ("A01", "A03", "A04", "A08"), ("A11",)
# Events that happen when the visit begins, so that where PV1-44 is silent their own time says when.
BEGINS = ("A01", "A04")


def acts(message: Message, profile: Profile) -> list[Act]:
    """Return the act of a message about an emergency visit; none of any other.

    Whoever goes on from there to a ward is an inpatient by the same number: what is said then takes nothing back.
    """
    event, kind = message.event, message.part("PV1", 2)
    pid = message.first("PID")
    patient = patients.named(pid, profile)
    if message.header.part(9) != "ADT" or pid is None or patient is None:
        return []
    # That an admission is taken back may leave the class out; the id says whether it is a visit of ours.
    classes = [*profile.emergency, ""] if event in CANCELS else profile.emergency
    if event not in (*VISITS, *CANCELS) or kind.upper() not in classes:
        return []
    began = _began(message, profile)
    key = hospital.key(message, patient, began)
    if key is None or (began is None and event in VISITS):
        return []
    name = "emergency.cancel" if event in CANCELS else "emergency.visit"
    person = patients.person(pid, profile, Problems())
    return [{"act": name, "key": key, "at": began, "patient": patient, "person": person}]


def _began(message: Message, profile: Profile) -> str | None:
    """When it began: PV1-44, else of an event that is its beginning EVN-6, EVN-2 or MSH-7."""
    for segment, field in (("PV1", 44), *(hospital.HAPPENED if message.event in BEGINS else ())):
        text = message.part(segment, field)
        if at := moments.utc(moments.answered(timestamps.stamp(text), profile.zone)):
            return at
    return None
