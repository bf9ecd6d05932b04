"""Reads ORU: totals and answers of the questionnaires we know, each by its own code and range."""

from interchange import moments, scores
from interchange.hl7 import patients, timestamps
from interchange.hl7.er7 import NULL, Message, Segment
from interchange.people import Identifier
from interchange.problems import Problems
from interchange.profiles import Profile

Act = dict[str, object]
# The comparators of SN with which a number is the number.
EQUALS = ("", "=")


def acts(message: Message, profile: Profile, problems: Problems) -> list[Act]:
    """Return an act for each result that is a score of ours; a result that cannot be is refused, the others land."""
    pid = message.first("PID")
    patient = patients.named(pid, profile)
    # By a number alone somebody else may be meant: what is said of the person goes along.
    person = patients.person(pid, profile, problems) if pid else {}
    told: list[Act] = []
    ordered: Segment | None = None
    for segment in message.all("OBR", "OBX"):
        if segment.name == "OBR":
            ordered = segment
        elif named := _coded(segment):
            told += _result(segment, ordered, named, patient, profile, problems)
    if told and patient is None:
        problems.note("patient_missing", "PID-3")
        told = [unclear for act in told if (unclear := scores.unclear(act))]
        return [act | {"person": person} for act in told]
    return [act | {"person": person} for act in told] or [{"act": "ignore"}]


def _coded(obx: Segment) -> scores.Coded | None:
    """What OBX-3 names, by its code or by the other one beside it."""
    return scores.coded(obx.part(3, 1)) or scores.coded(obx.part(3, 4))


def _result(
    obx: Segment,
    ordered: Segment | None,
    named: scores.Coded,
    patient: Identifier | None,
    profile: Profile,
    problems: Problems,
) -> list[Act]:
    state = profile.results.get(obx.part(11).upper() or "F", "preliminary")
    at = _at(obx, ordered, profile, problems)
    said: Act = {"patient": patient, "loinc": obx.part(3), "state": state, "at": at}
    if state == "withdrawn":
        return [{"act": "score", "instrument": named.instrument, **said}]
    if state == "preliminary":
        return []
    where, empty = f"OBX-5({obx.part(1)})", not obx.value(5).raw.strip("^ ")
    act = scores.told(named, _value(obx, named), where, problems, empty=empty)
    return [act | said] if act else []


def _value(obx: Segment, named: scores.Coded) -> int | None:
    """A number as NM or text, as SN ("=^14"), or an answer by its LOINC code."""
    if obx.part(2) == "SN":
        plain = obx.part(5, 1) in EQUALS and not obx.part(5, 3)
        return scores.whole(obx.part(5, 2)) if plain else None
    return dict(named.answers).get(obx.part(5), scores.whole(obx.part(5)))


def _at(obx: Segment, ordered: Segment | None, profile: Profile, problems: Problems) -> str | None:
    """When it was answered: OBX-14, else OBR-7."""
    written = obx.part(14) or (ordered.part(7) if ordered else "")
    stamp = timestamps.stamp(written)
    if stamp is None and written not in ("", NULL):
        problems.note("time_unreadable", f"OBX-14({obx.part(1)})" if obx.part(14) else "OBR-7")
    return moments.utc(moments.answered(stamp, profile.zone))
