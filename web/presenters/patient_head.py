"""The head of every page about a patient: two identifiers, how they can be reached, and the parts of their page."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

from caseload import episodes
from config import clock, db
from messaging.models import Clinic, Patient
from messaging.reachable import Reach
from reminders import care_model
from web import times, words
from web.presenters import patient_view, thread_view

# Each part with its endpoint and the act it takes.
TABS = (
    ("summary", "patients.show", "patients.read"),
    ("scores", "patients.scores", "inbox.words"),
    ("messages", "firstwords.messages", "inbox.words"),
    ("team", "threads.show", "team.read"),
    ("care", "care.show", "caseload.read"),
    ("visits", "patient_visits.show", "patients.read"),
    ("consent", "phones.show", "patients.read"),
)


@dataclass(frozen=True)
class Head:
    """Who it is, in words. `tabs` are the parts that may be opened, as (key, endpoint, words);
    `in_care` that an episode is open in which the reader may work."""

    id: UUID
    name: str
    first_name: str
    facts: list[str]
    panel: str
    reach: str
    active: bool
    in_building: bool
    tab: str
    tabs: list[tuple[str, str, str]]
    pinned: list[thread_view.Fact]
    in_care: bool


def read(
    session: Session, clinic: Clinic, patient: Patient, reach: Reach, tab: str, may: Callable[[str], bool]
) -> Head:
    """Return the head of a page; `reach` says whether they may be texted, `tab` is the part that is shown, `may`
    whether the reader may do an act."""
    now = clock.now()
    db.load_keys(session, [clinic.key_id, patient.key_id])
    born = times.birth_date(patient.birth_date, now)
    said = [f"Born {born}" if born else "No birth date on file", f"record {patient.record}", patient.sex]
    return Head(
        id=patient.id,
        name=patient_view.full_name(patient),
        first_name=patient.first_name or "",
        facts=[fact for fact in (*said, words.say("languages", patient.language)) if fact],
        panel=patient.panel or "",
        reach=patient_view.reach_words(reach.facts, words.say("reach", "all")),
        active=patient.state == "active",
        in_building=patient.is_here(now),
        tab=tab,
        tabs=[
            (key, endpoint, words.say("tabs", key))
            for key, endpoint, act in TABS
            if may(act) and (key != "care" or care_model.of_clinic(clinic).registry)
        ],
        pinned=thread_view.pinned(session, clinic, patient.id) if may("team.read") else [],
        in_care=works_in_care(session, clinic, patient.id, may),
    )


def works_in_care(session: Session, clinic: Clinic, patient_id: UUID | None, may: Callable[[str], bool]) -> bool:
    """Return whether an episode of this patient is open in which the reader may work, and time it."""
    if patient_id is None or not may("caseload.work") or not care_model.of_clinic(clinic).registry:
        return False
    return episodes.open_of(session, patient_id) is not None
