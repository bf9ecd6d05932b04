"""What an EHR says of a person, whichever way it says it: identifiers, phones, language, birth date."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from interchange.problems import Problems
from interchange.profiles import Profile
from messaging import languages, phone

Identifier = dict[str, str | None]
Person = dict[str, Any]
EARLIEST_BIRTH = 1900


def identifier(number: str, authority: str, kind: str, profile: Profile) -> Identifier:
    """Return an identifier with its authority, the feed's own where it names none."""
    named: Identifier = {"identifier": number, "authority": authority or profile.authority or None}
    return named | ({"type": kind} if kind else {})


def preferred(identifiers: Sequence[Identifier], profile: Profile) -> Identifier | None:
    """Return the identifier by which the feed knows a patient: of the first type in the profile, else the first."""
    by_type = (known for kind in profile.patient_types for known in identifiers if known.get("type") == kind)
    return next(by_type, identifiers[0] if identifiers else None)


def born(day: date | None, where: str, problems: Problems) -> str | None:
    """Return a birth date in words of ISO 8601; one that is impossible is told and left out."""
    if day is None or day.year < EARLIEST_BIRTH:
        problems.note("birth_date_unreadable", where)
        return None
    return day.isoformat()


def language(written: Sequence[str], where: str, profile: Profile, problems: Problems) -> str | None:
    """Return the code of the language that the first readable of these words names."""
    for word in filter(None, written):
        if word in profile.languages:
            return profile.languages[word]
        try:
            return languages.read(word)
        except languages.UnknownLanguage:
            continue
    problems.note("language_unknown", where)
    return None


def telephone(
    candidates: Sequence[str], kind: str | None, texts: bool | None, where: str, profile: Profile, problems: Problems
) -> dict[str, Any]:
    """Return a phone: its number as E.164, or None and as it was written where it cannot be texted.

    `candidates` are the ways the number stands there, the surest first; `texts` is what was said of texting it.
    """
    for written in filter(None, candidates):
        try:
            number = phone.e164(written, profile.country, [*profile.abroad, profile.country])
        except phone.NotTextable:
            continue
        return {"number": number, "kind": kind, "texts": texts}
    problems.note("phone_unreadable", where)
    return {"number": None, "written": next(filter(None, candidates), ""), "kind": kind, "texts": texts}
