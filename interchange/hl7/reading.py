"""What one HL7 v2 message says, as acts, and what was wrong with it."""

import re
from dataclasses import dataclass

from interchange import labels as sensitivity
from interchange.hl7 import emergencies, labels, patients, scores, stays, visits
from interchange.hl7.er7 import Message
from interchange.problems import Problems, waiting
from interchange.profiles import Profile

Act = dict[str, object]
TYPES = {"SIU": "S", "ADT": "A", "ORU": "R"}
LOCAL = "Z"  # events that a feed and its profile have agreed upon
VERSION = re.compile(r"2\.[1-9](\.\d)?", re.ASCII)


@dataclass(frozen=True)
class Reading:
    """What a message says: its acts in order, and its problems."""

    acts: list[Act]
    problems: Problems


def read(message: Message, profile: Profile) -> Reading:
    """Return what a message says. Nothing is raised, whatever it holds."""
    problems = Problems()
    happening = _happening(message, profile, problems)
    if happening is None:
        return Reading([], problems)
    if not message.control_id.strip():
        problems.note("control_id_missing", "MSH-10")
        return Reading([], problems)
    beside = [*emergencies.acts(message, profile), *stays.acts(message, profile)]
    acts = [*_acts(message, happening, profile, problems), *beside]
    if labels.is_part_two(message, profile):
        acts += sensitivity.acts(acts)
    return Reading(waiting(acts, problems), problems)


def _acts(message: Message, happening: str, profile: Profile, problems: Problems) -> list[Act]:
    if happening == "ignore":
        return [{"act": "ignore"}]
    if happening == "score":
        return scores.acts(message, profile, problems)
    if happening == "patient.update":
        return patients.acts_of_update(message, profile, problems)
    if happening == "patient.merge":
        return patients.acts_of_merge(message, profile, problems)
    return visits.acts(message, happening, profile, problems)


def _happening(message: Message, profile: Profile, problems: Problems) -> str | None:
    """What the event means to us; None where MSH-9, 11 or 12 is not ours."""
    header = message.header
    letter = TYPES.get(header.part(9))
    happening = profile.events.get(message.event) if message.event[:1] in (letter, LOCAL) else None
    if letter is None:
        problems.note("type_unsupported", "MSH-9.1")
    elif happening is None:
        problems.note("event_unsupported", "MSH-9.2")
    if header.part(11) and header.part(11) not in profile.processing:
        problems.note("processing_unsupported", "MSH-11")
    if header.part(12) and not VERSION.fullmatch(header.part(12)):
        problems.note("version_unsupported", "MSH-12")
    return None if problems else happening
