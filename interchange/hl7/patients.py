"""Reads PID and MRG: who a patient is, how they are reached, whether they have died, which records are one."""

from collections.abc import Iterator, Sequence

from interchange import people
from interchange.hl7 import timestamps
from interchange.hl7.er7 import NULL, Message, Segment, Value
from interchange.people import Identifier, Person
from interchange.problems import Problems
from interchange.profiles import Profile

Act = dict[str, object]
AT_WORK = 14
# Table 0136 and what is written in its place.
YES, NO = ("Y", "YES", "1", "TRUE"), ("N", "NO", "0", "FALSE")
# Kinds of a name (table 0200) by which nobody is called: alias, maiden, name at birth.
OTHER_NAMES = ("A", "M", "B", "C", "NAV", "NOUSE")


def identifiers(segment: Segment, fields: Sequence[int], profile: Profile) -> list[Identifier]:
    """Return the identifiers in the first of these fields that holds any, each with the authority that gave it."""
    for number in fields:
        known = [_identifier(value, profile) for value in segment.values(number) if value.part() not in ("", NULL)]
        if known:
            return known
    return []


def _identifier(value: Value, profile: Profile) -> Identifier:
    return people.identifier(value.part(), value.part(4) or value.part(4, 2), value.part(5), profile)


def of_pid(pid: Segment, profile: Profile) -> list[Identifier]:
    """Return the identifiers of a patient: PID-3, before version 2.4 also PID-2 and PID-4."""
    return identifiers(pid, (3, 2, 4), profile)


def named(pid: Segment | None, profile: Profile) -> Identifier | None:
    """Return the identifier by which the feed knows this patient."""
    return people.preferred(of_pid(pid, profile), profile) if pid else None


def person(pid: Segment, profile: Profile, problems: Problems) -> Person:
    """Return what PID says: a key that is not there changes nothing, None deletes what is known."""
    said: Person = {}
    _name(pid, said, problems)
    if pid.raw(7).strip():
        day = timestamps.day(pid.part(7))
        born = None if pid.value(7).is_null else people.born(day, "PID-7", problems)
        _say(said, "birth_date", pid.value(7), born)
    if sex := profile.sexes.get(pid.part(8).lower()):
        said["sex"] = sex
    if pid.raw(15).strip():
        words = [pid.part(15, component) for component in (1, 2, 4, 5)]
        spoken = people.language(words, "PID-15", profile, problems) if not pid.value(15).is_null else None
        _say(said, "language", pid.value(15), spoken)
    fields = (int(field.removeprefix("PID-")) for field in profile.phone_fields)
    phones = [phone for field in fields for phone in _phones(pid, field, profile, problems)]
    return said | ({"phones": phones} if phones else {})


def _say(said: Person, name: str, value: Value, read: str | None) -> None:
    """What could be read is said, and what is to be deleted; what could not be read changes nothing."""
    if read is not None or value.is_null:
        said[name] = read


def _name(pid: Segment, said: Person, problems: Problems) -> None:
    names = pid.values(5)
    called = next((name for name in names if name.part(7) not in OTHER_NAMES), names[0] if names else None)
    if called is None or called.part() == NULL:
        problems.note("name_missing", "PID-5")
        return
    said["last_name"], said["first_name"] = called.part(1), called.part(2)


def _phones(pid: Segment, field: int, profile: Profile, problems: Problems) -> Iterator[Person]:
    otherwise = "work" if field == AT_WORK else None
    for place, value in enumerate(pid.values(field), 1):
        words = [value.part(component).lower() for component in (2, 3, 4)]
        kind = _kind(words, otherwise, profile)
        if value.is_null:
            problems.note("phone_deleted", f"PID-{field}({place})")
            yield {"number": None, "kind": kind, "deleted": True}
        elif kind not in ("mail", "fax", "pager") and "@" not in value.part():
            consent = value.part(profile.consent_component) if profile.consent_component else ""
            texts = {"Y": True, "N": False}.get(consent.upper())
            where = f"PID-{field}({place})"
            yield people.telephone(_written(value), kind, texts, where, profile, problems)


def _kind(words: Sequence[str], otherwise: str | None, profile: Profile) -> str | None:
    """What kind of phone it is: its equipment says more than what it is used for, a mobile of the home is a mobile."""
    kinds = [profile.phone_kinds[word] for word in words if word in profile.phone_kinds]
    first = ("mail", "fax", "pager", "mobile")
    return next((kind for kind in first if kind in kinds), next(iter(kinds), otherwise))


def _written(value: Value) -> list[str]:
    """The places where a number stands in XTN: .12 as it is dialled, .5 to .7 in parts, .1 and .4 as text."""
    country, area, local = (value.part(component) for component in (5, 6, 7))
    abroad = f"+{country}" if country not in ("", "1") else ""
    parts = f"{abroad}{area}{local}" if area and local else ""
    return [value.part(), parts, value.part(12), value.part(4)]


def deceased(pid: Segment, problems: Problems) -> Act | None:
    """Return the act that a patient has died: PID-30 says so, or there is a date of death and PID-30 is silent."""
    says, at = pid.part(30).upper(), pid.part(29)
    dated = at not in ("", NULL)
    if says in NO and dated:
        problems.note("death_contradicts", "PID-30")
        return None
    if says not in YES and not (dated and says in ("", NULL)):
        return None
    day = timestamps.day(at) if dated else None
    return {"act": "patient.deceased", "on": day.isoformat() if day else None}


def acts_of_update(message: Message, profile: Profile, problems: Problems) -> list[Act]:
    """Return what an ADT message says of its patient."""
    pid = message.first("PID")
    patient = named(pid, profile)
    if pid is None or patient is None:
        problems.note("patient_missing", "PID-3")
        return []
    update: Act = {"act": "patient.update", "patient": patient, "identifiers": of_pid(pid, profile)}
    return [update | {"person": person(pid, profile, problems)}, *death_of(pid, patient, problems)]


def death_of(pid: Segment | None, patient: Identifier | None, problems: Problems) -> list[Act]:
    """Return the act that this patient has died, where PID says so."""
    act = deceased(pid, problems) if pid and patient else None
    return [act | {"patient": patient}] if act else []


def acts_of_merge(message: Message, profile: Profile, problems: Problems) -> list[Act]:
    """Return a merge for each pair of PID and MRG (A34, A40), in their order: a chain is followed as it stands."""
    acts: list[Act] = []
    survivor: Segment | None = None
    waiting = False
    for segment in message.all("PID", "MRG"):
        if segment.name == "PID":
            if waiting:
                problems.note("merge_incomplete", "MRG-1")
            survivor, waiting = segment, True
        else:
            acts += _merge(survivor, segment, profile, problems)
            waiting = False
    if waiting or not message.first("MRG"):
        problems.note("merge_incomplete", "MRG-1")
    return acts


def _merge(pid: Segment | None, mrg: Segment, profile: Profile, problems: Problems) -> list[Act]:
    stays = named(pid, profile)
    gone = _same_authority(identifiers(mrg, (1, 4, 2), profile), stays)
    if pid is None or stays is None or gone is None:
        problems.note("merge_incomplete", "MRG-1" if stays else "PID-3")
        return []
    if (gone["identifier"], gone["authority"]) == (stays["identifier"], stays["authority"]):
        problems.note("merge_with_itself", "MRG-1")
        return []
    if not (stays["authority"] and gone["authority"]):
        problems.note("merge_without_authority", "MRG-1")
    merge: Act = {"act": "patient.merge", "patient": stays, "merged": gone, "identifiers": of_pid(pid, profile)}
    return [merge | {"person": person(pid, profile, problems)}, *death_of(pid, stays, problems)]


def _same_authority(gone: Sequence[Identifier], stays: Identifier | None) -> Identifier | None:
    alike = (known for known in gone if stays and known["authority"] == stays["authority"])
    return next(alike, gone[0] if gone else None)
