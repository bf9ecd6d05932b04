"""Reads SIU: which visit of whom was booked, moved, changed, cancelled or missed."""

from collections.abc import Iterator

from interchange import moments
from interchange.hl7 import patients, starts
from interchange.hl7.er7 import NULL, Message, Segment
from interchange.people import Identifier
from interchange.problems import Problem, Problems
from interchange.profiles import Profile

Act = dict[str, object]
BOOKS = ("visit.book", "visit.move")
ENDS = ("visit.cancel", "visit.no_show", "visit.arrived")
# What the status may be without saying something else than the event.
FITS = {
    "visit.book": ("booked", "pending"),
    "visit.move": ("booked", "pending"),
    "visit.cancel": ("cancelled",),
    "visit.no_show": ("no_show",),
    "visit.arrived": ("arrived",),
    "visit.change": ("booked", "pending", "arrived"),
}
# A change (S14) may be of the status alone. For the others the event is what happened, whatever SCH-25 says.
BY_STATUS = {"arrived": "visit.arrived", "cancelled": "visit.cancel", "no_show": "visit.no_show"}
WORSE = ("rejected", "error")


def acts(message: Message, happening: str, profile: Profile, problems: Problems) -> list[Act]:
    """Return the visit's act and, where PID says so, that its patient has died; none where the sender must mend it."""
    if happening != "visit.arrived" and message.first("SCH") is None:
        problems.note("segment_missing", "SCH")
        return []
    patient = _patient(message, happening, profile, problems)
    shifted = starts.is_shifted(message)
    if shifted:
        problems.note("fields_shifted", "SCH-11")
    act = _after_status(happening, "" if shifted else message.part("SCH", 25), profile, problems)
    _resources(message, act, profile, problems)
    visit = {
        "act": act,
        "key": _key(message, profile, problems),
        **_when(message, act, profile, problems),
        "minutes": starts.minutes(message, profile, problems, shifted=shifted),
        "patient": patient,
        **_where_and_whom(message),
    }
    if any(problem.weight in WORSE for problem in problems):
        return []
    pid = message.first("PID")
    return [visit | _person(pid, patient, profile, problems), *patients.death_of(pid, patient, problems)]


def _person(pid: Segment | None, patient: Identifier | None, profile: Profile, problems: Problems) -> Act:
    if pid is None or patient is None:
        return {}
    return {"identifiers": patients.of_pid(pid, profile), "person": patients.person(pid, profile, problems)}


def _patient(message: Message, happening: str, profile: Profile, problems: Problems) -> Identifier | None:
    known = [patients.named(pid, profile) for pid in message.all("PID")]
    if len({str(patient) for patient in known}) > 1:
        problems.note("several_patients", "PID-3")
        return None
    patient = known[0] if known else None
    if patient is None and happening in BOOKS:
        problems.note("patient_missing", "PID-3")
    return patient


def _after_status(happening: str, word: str, profile: Profile, problems: Problems) -> str:
    """What happened: the event, and for a change the status it changes to."""
    status = meaning(word, profile)
    if word and status is None:
        problems.note("status_unknown", "SCH-25")
    if status is None or status in FITS[happening]:
        return BY_STATUS.get(status or "", happening) if happening == "visit.change" else happening
    problems.note("status_contradicts", "SCH-25")
    return BY_STATUS.get(status, happening) if happening == "visit.change" else happening


def meaning(word: str, profile: Profile) -> str | None:
    """Return what a word of the feed for a status means, None where it is not known."""
    return profile.statuses.get("".join(letter for letter in word.lower() if letter.isalnum()))


def _resources(message: Message, act: str, profile: Profile, problems: Problems) -> None:
    """A service or a person booked may have a status of its own; where it says something else it is told."""
    for name, field in (("AIS", 10), ("AIP", 12)):
        for segment in message.all(name):
            status = meaning(segment.part(field), profile)
            if status is not None and status not in FITS[act]:
                problems.note("status_contradicts", f"{name}-{field}")


def _key(message: Message, profile: Profile, problems: Problems) -> str | None:
    """The visit's id among those of all feeds: who sends, and the first field of the profile that holds one."""
    taken = ""
    patients_own = {text for pid in message.all("PID") for text in _numbers_of(pid)}
    for field in profile.key:
        name, _, number = field.partition("-")
        value = segment.value(int(number)) if (segment := message.first(name)) else None
        if value is None or value.part() in ("", NULL):
            continue
        if value.part() in patients_own:
            taken = field
            continue
        authority = value.part(4) if name == "PV1" else value.part(2) or value.part(3)
        return f"{message.sender}|{value.part()}" + (f"^{authority}" if authority else "")
    problems.note("key_is_the_patient" if taken else "key_missing", taken or profile.key[0])
    return None


def _numbers_of(pid: Segment) -> Iterator[str]:
    return (value.part() for field in (2, 3, 4, 18) for value in pid.values(field))


def _when(message: Message, act: str, profile: Profile, problems: Problems) -> Act:
    own = Problems()
    start = starts.start(message, profile, own)
    if start.local is None and act in BOOKS:
        _no_start(own)
    for problem in own:
        # A cancellation whose start is not clear is as good as any other: it is never kept waiting for that.
        unclear = problem.weight == "held" and act in ENDS
        problems.note("start_unclear" if unclear else problem.code, problem.where)
    return {"start": moments.utc(start.at), "local": start.local}


def _no_start(problems: Problems) -> None:
    """A booking without a start is wrong, unless the reason why there is none is for a person to settle."""
    codes = {problem.code for problem in problems}
    if "time_unreadable" in codes:
        # What is refused was not left out: each place says once that it holds no time.
        told = [
            Problem("start_unreadable", each.where) if each.code == "time_unreadable" else each for each in problems
        ]
        problems[:] = told
    elif not codes & {"start_times_differ", "start_without_hour"}:
        problems.note("start_missing", "SCH-11.4")


def _where_and_whom(message: Message) -> Act:
    """Place, clinician and kind of the visit, as far as they are named."""
    named = {
        "place": message.part("AIL", 3) or message.part("AIL", 3, 4) or message.part("PV1", 3),
        "clinician": _clinician(message),
        "kind": message.part("SCH", 8, 2) or message.part("SCH", 8) or message.part("SCH", 7, 2),
    }
    return {name: text for name, text in named.items() if text not in ("", NULL)}


def _clinician(message: Message) -> str:
    for name, field in (("AIP", 3), ("PV1", 7)):
        words = (message.part(name, field, component) for component in (3, 2))
        if full := " ".join(word for word in words if word not in ("", NULL)):
            return full
    return ""
