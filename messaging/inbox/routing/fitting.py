"""Who fits an item best, and in which words of reasons: panel, language, reach, load. Pure.

Of what must be read or said the language comes before the panel: who cannot read a patient's words can do nothing with
them, and the reasons say whose panel was passed over, or that nobody who reads the language is there.
"""

from collections.abc import Collection, Sequence
from uuid import UUID

from messaging.inbox.routing.clinic_rules import OWNERS, WORKERS, Member, Need

IN_THEIR_LANGUAGE = ("safety", "reply")


def fitness(need: Need, member: Member) -> tuple[bool, bool, bool, int, str]:
    """Return what to sort by: who fits best comes first."""
    # False sorts first: panel, language, who can be reached, load; the name so that equal facts give the same answer.
    no_panel, cannot_read = not (need.panel and need.panel in member.panels), _cannot_read(need, member)
    first, second = (cannot_read, no_panel) if need.kind in IN_THEIR_LANGUAGE else (no_panel, cannot_read)
    return (
        first,
        second,
        not member.reachable,
        member.open_items,
        member.name,
    )


def _cannot_read(need: Need, member: Member) -> bool:
    return bool(need.language) and need.language not in member.languages


def who_cannot_read(language: str | None, team: Sequence[Member]) -> set[UUID]:
    """Return who cannot read words in this language while a colleague on duty can; nobody where no one can."""
    readers = [each for each in _on_duty(team) if language in each.languages]
    return {each.id for each in team if language not in each.languages} if language and readers else set()


def _on_duty(team: Sequence[Member]) -> list[Member]:
    return [each for each in team if each.role in OWNERS and each.on_duty and not each.away]


def _of_the_language(need: Need, member: Member, team: Sequence[Member]) -> list[str]:
    """What the language decided: whose panel it is that cannot read it, or that nobody who can is here."""
    if need.kind not in IN_THEIR_LANGUAGE or not need.language:
        return []
    here = _on_duty(team)
    if _cannot_read(need, member):
        return [] if any(not _cannot_read(need, each) for each in here) else [f"no_reader:{need.language}"]
    passed_over = [each.name for each in here if need.panel in each.panels and _cannot_read(need, each)]
    return [f"panel_cannot_read:{passed_over[0]}"] if passed_over and need.panel not in member.panels else []


def why(need: Need, member: Member, fallback: Collection[str], team: Sequence[Member]) -> tuple[str, ...]:
    """Return why an item goes to this member: names of reasons with their value, such as "panel:Dr Lindqvist"."""
    said = []
    if need.panel and need.panel in member.panels:
        said.append(f"panel:{need.panel}")
    if need.language and need.language in member.languages:
        said.append(f"language:{need.language}")
    said += _of_the_language(need, member, team)
    covered = next(
        (colleague for colleague in team if colleague.email == member.email and colleague.id != member.id), None
    )
    if covered is not None:
        said.append(f"covering:{covered.name}")
    if member.away:
        said.append("away")
    elif member.role in OWNERS and member.on_duty:
        said.append("on_duty")
    elif member.on_call:
        said.append("on_call")
    elif member.email in fallback:
        said.append("fallback")
    elif member.role in WORKERS and member.on_duty:
        said.append("on_duty")
    else:
        said.append("off_duty")
    return tuple(said)
