"""What `warmthread explain hl7` and `explain fhir` answer: what would be done, and nothing is kept."""

from collections.abc import Mapping
from typing import Any

from interchange import labels, profiles, scores
from interchange.fhir import reading as resources
from interchange.hl7 import acknowledging, er7, reading
from interchange.problems import Problem, Problems
from interchange.profiles import Profile

# The answer to several messages at once is the worst of theirs.
WORST_FIRST = ("AR", "CR", "AE", "CE", "AA", "CA", None)


def hl7(record: Mapping[str, Any]) -> dict[str, Any]:
    """{"message", "profile"?} -> {"ack", "control_id", "acts", "problems"}, or {"error": why}; never raises.

    "ack" is the first answer that the sender gets, null where it wants none.
    """
    profile = _profile(record, "message", str)
    if isinstance(profile, str):
        return {"error": profile}
    try:
        transmission = er7.read(record["message"], profile.charset)
    except er7.Unreadable as unreadable:
        return _hl7("AR", "", [], [Problem(str(unreadable), "MSH")])
    problems = Problems(transmission.problems)
    acts: list[dict[str, object]] = []
    acks = []
    for message in transmission.messages:
        read = reading.read(message, profile)
        acks.append(acknowledging.code(message, read.problems))
        acts += read.acts
        problems += read.problems
    ack = min(acks, key=WORST_FIRST.index)
    return _hl7(ack, transmission.messages[0].control_id, acts, problems)


def _hl7(ack: str | None, control_id: str, acts: list[dict[str, object]], problems: list[Problem]) -> dict[str, Any]:
    return {"ack": ack, "control_id": control_id} | _told(acts, problems)


def _told(acts: list[dict[str, object]], problems: list[Problem]) -> dict[str, Any]:
    """The acts and problems; "attention" is what cannot be filed as a score and is put before a person, "emergency"
    what is only kept of a visit to an emergency department, "inpatient" of a stay in a hospital, "sensitivity" whose
    records fall under 42 CFR Part 2."""
    beside = {
        "attention": [act for act in acts if act["act"] == scores.UNCLEAR],
        "emergency": [act for act in acts if str(act["act"]).startswith("emergency.")],
        "inpatient": [act for act in acts if str(act["act"]).startswith("inpatient.")],
        "sensitivity": [act for act in acts if act["act"] == labels.PART_TWO],
    }
    done = [act for act in acts if all(act not in others for others in beside.values())]
    told = {"acts": done, "problems": [problem.told() for problem in problems]}
    return told | {name: others for name, others in beside.items() if others}


def fhir(record: Mapping[str, Any]) -> dict[str, Any]:
    """{"resource", "profile"?} -> {"ack", "acts", "problems"}, or {"error": why}; never raises."""
    profile = _profile(record, "resource", dict)
    if isinstance(profile, str):
        return {"error": profile}
    read = resources.read(record["resource"], profile)
    return {"ack": "ok" if read.taken else "refused"} | _told(read.acts, read.problems)


def _profile(record: Mapping[str, Any], needed: str, kind: type) -> Profile | str:
    """The profile to read by, or in words what is wrong with the line."""
    if not isinstance(record.get(needed), kind) or set(record) - {needed, "profile"}:
        what = "a string" if kind is str else "an object"
        return f"{needed} must be {what}, profile may be there; nothing else is read"
    try:
        return profiles.read(record.get("profile"))
    except profiles.BadProfile as bad:
        return f"profile: {bad}"
