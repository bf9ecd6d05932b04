"""What people of the made-up clinic said of it after their care had ended, and a timer of work that waits.

The texts and links of weeks ago are written as they would stand there by now; nothing of it is sent.
"""

import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from caseload import episodes, timers
from caseload.models import Episode, SatisfactionAsked
from caseload.satisfaction import answering
from config import audit, clock, db
from intake_links import links
from intake_links.models import VIEWS, IntakeLink
from messaging import conversations
from messaging.models import Clinic, Message, Patient, Staff
from messaging.people import directory
from messaging.versions import publishing
from reminders import satisfaction
from service.cli.walk import caseload_seed, day

DAY, ASKED_FIRST = timedelta(days=1), 90
LANGUAGES = ("en", "es")
# Of each language's askings one half and one more were answered: no number of either kind is a small one.
ANSWERED_TOO = 1


def people(former: Mapping[str, Any]) -> list[day.Visitor]:
    """Return the made-up patients whose care has ended, as [former] of morning.toml has them."""
    names = [(first, last) for last in former["last"] for first in former["first"]][: former["many"]]
    return [
        day.Visitor(
            record=f"30{number:02}", first=first, last=last, number=f"+120255501{number + 10}",
            birth=f"{1950 + 2 * number}-0{1 + number % 9}-15", language=LANGUAGES[number % 2],
            panel=("Dr Lindqvist", "Dr Okafor")[number // 2 % 2], after=DAY,
        )
        for number, (first, last) in enumerate(names)
    ]  # fmt: skip


def seed(clinic_id: UUID, now: datetime, former: Mapping[str, Any]) -> int:
    """Let the care of these people have been, and ask them twice how the clinic did; return how often they answered."""
    answering.be_ready()
    answered = 0
    with db.unit_of_work(clinic_id) as session, day.at(now - 400 * DAY):
        _decide(session, session.get_one(Clinic, clinic_id))
    for number, person in enumerate(people(former)):
        with db.unit_of_work(clinic_id) as session:
            clinic = session.get_one(Clinic, clinic_id)
            episode, ended = _was_in_care(session, clinic, now, former, number), former["ended"] + number % 14
            occasions = (("day-90", 7 * former["weeks"] - ASKED_FIRST), ("discharge", ended - 7))
            for turn, (occasion, days_ago) in enumerate(occasions):
                place = number // 2 + turn * former["many"] // 2
                does = place % 2 == 0 or place == ANSWERED_TOO
                with day.at(now - days_ago * DAY):
                    row = _ask(session, clinic, episode, former["text"], occasion)
                    if does:
                        _answer(session, clinic, row, former, place, person.language)
                answered += does
    return answered


def _was_in_care(session: Session, clinic: Clinic, now: datetime, former: Mapping[str, Any], number: int) -> Episode:
    """An episode with its first and last total, as they came with the clinic's spreadsheet, and its end."""
    record, weeks = f"30{number:02}", former["weeks"]
    episode = caseload_seed.begin(session, clinic, now, {"record": record, "weeks": weeks})
    ended = former["ended"] + number % 14
    first, last = former["totals"][number % len(former["totals"])]
    days = (episode.enrolled_on, episode.enrolled_on + timedelta(weeks=12))
    db.load_keys(session, [episode.key_id])
    episode.imported = json.dumps([[on.toordinal(), total] for on, total in zip(days, (first, last), strict=True)])
    with day.at(now - ended * DAY):
        episodes.discharge(session, clinic, session.get_one(Staff, episode.manager_id), episode, "goals_met")
    return episode


def _decide(session: Session, clinic: Clinic) -> None:
    decided = satisfaction.Terms(asks=True).model_dump(mode="json")
    actor = audit.Actor.staff(caseload_seed.of_role(session, clinic, "clinic_admin").id)
    draft = publishing.save(session, clinic, satisfaction.SATISFACTION, decided, edit=0, actor=actor)
    publishing.publish(session, clinic, satisfaction.SATISFACTION, edit=draft.edit, actor=actor)


def _ask(session: Session, clinic: Clinic, episode: Episode, body: str, occasion: str) -> SatisfactionAsked:
    """A link that was texted and arrived."""
    patient = session.get_one(Patient, episode.patient_id)
    db.load_keys(session, [patient.key_id, clinic.key_id])
    link, _ = links.issue(session, clinic, patient, [], leads_to=VIEWS)
    row = SatisfactionAsked(
        clinic_id=clinic.id,
        key_id=patient.key_id,
        episode_id=episode.id,
        occasion=occasion,
        link_id=link.id,
        message_id=_text(session, clinic, patient, link, body).id,
        asked_at=clock.now(),
        language=patient.language,
    )
    session.add(row)
    session.flush()
    return row


def _answer(
    session: Session, clinic: Clinic, row: SatisfactionAsked, former: Mapping[str, Any], place: int, language: str
) -> None:
    """Three hours later they answered, some of them in their own words."""
    marks, words = former["marks"][place % len(former["marks"])], former["words"][language]
    said = {each.id: mark for each, mark in zip(satisfaction.of_clinic(clinic).questions, marks, strict=True)}
    spoken = words[place // 6] if place % 6 == 0 else ""
    with day.at(clock.now() + timedelta(hours=3)):
        link = session.get_one(IntakeLink, row.link_id)
        answering.take(session, clinic, link, answering.Given(said, spoken, language, named=False))


def _text(session: Session, clinic: Clinic, patient: Patient, link: IntakeLink, body: str) -> Message:
    now, conversation = clock.now(), conversations.of_number(session, clinic, patient.numbers[0].number or "")
    text = Message(
        clinic_id=clinic.id,
        key_id=conversation.key_id,
        conversation_id=conversation.id,
        patient_id=patient.id,
        direction="out",
        kind="automatic",
        programme="screening",
        state="delivered",
        body=body,
        dedupe=f"history:{link.id}",
        created_at=now,
        try_after=now,
        sent_at=now,
        delivered_at=now,
    )
    session.add(text)
    session.flush()
    return text


def time_work(clinic_id: UUID, now: datetime, timed: Mapping[str, Any]) -> None:
    """Let a care manager have timed work this morning, with a pause in it, that they have not confirmed yet."""
    with db.unit_of_work(clinic_id) as session:
        clinic = session.get_one(Clinic, clinic_id)
        patient = directory.find_by_record(session, clinic, timed["record"])
        episode = session.scalars(select(Episode).where(Episode.patient_id == patient.id)).one() if patient else None
        if episode is None:
            raise LookupError(f"no episode of {timed['record']} in the demonstration")
        manager = session.get_one(Staff, episode.manager_id)
        acts: dict[str, Callable[[], object]] = {
            "start": lambda: timers.start(session, manager, episode),
            "pause": lambda: timers.pause(session, manager, "idle"),
            "resume": lambda: timers.resume(session, manager),
            "stop": lambda: timers.stop(session, manager),
        }
        for act, minutes in timed["acts"]:
            with day.at(now - timedelta(minutes=minutes)):
                acts[act]()
