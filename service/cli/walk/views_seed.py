"""What people of the made-up clinic said of it after their care had ended, and a timer of work that waits.

The texts and links of weeks ago are written as they would stand there by now; nothing of it is sent.
"""

from collections.abc import Callable, Mapping, Sequence
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

DAY = timedelta(days=1)
Form = Callable[[Session, str, int], None]


def seed(clinic_id: UUID, now: datetime, past: Sequence[Mapping[str, Any]], body: str, keep: Form) -> int:
    """Let the episodes of `past` in morning.toml have been, and ask who was in them; return how many answered.

    `keep` keeps a form of a record with a total, at whatever time it is then; `body` is the text that they had.
    """
    answering.be_ready()
    with db.unit_of_work(clinic_id) as session, day.at(now - 200 * DAY):
        _decide(session, session.get_one(Clinic, clinic_id))
    for person in past:
        with db.unit_of_work(clinic_id) as session:
            clinic = session.get_one(Clinic, clinic_id)
            episode = caseload_seed.begin(session, clinic, now, person)
            for weeks, total in person["scores"]:
                with day.at(now - weeks * 7 * DAY):
                    keep(session, person["record"], total)
            with day.at(now - person["ended"] * DAY):
                manager = session.get_one(Staff, episode.manager_id)
                episodes.discharge(session, clinic, manager, episode, "goals_met")
            with day.at(now - (person["ended"] - satisfaction.Terms().after_days) * DAY):
                _ask(session, clinic, episode, body, person)
    return sum("marks" in person for person in past)


def _decide(session: Session, clinic: Clinic) -> None:
    decided = satisfaction.Terms(asks=True).model_dump(mode="json")
    actor = audit.Actor.staff(caseload_seed.of_role(session, clinic, "clinic_admin").id)
    draft = publishing.save(session, clinic, satisfaction.SATISFACTION, decided, edit=0, actor=actor)
    publishing.publish(session, clinic, satisfaction.SATISFACTION, edit=draft.edit, actor=actor)


def _ask(session: Session, clinic: Clinic, episode: Episode, body: str, person: Mapping[str, Any]) -> None:
    """A link that was texted and arrived; who answered did so three hours later, in their language."""
    patient = session.get_one(Patient, episode.patient_id)
    db.load_keys(session, [patient.key_id, clinic.key_id])
    link, _ = links.issue(session, clinic, patient, [], leads_to=VIEWS)
    text = _text(session, clinic, patient, link, body)
    asked = {"episode_id": episode.id, "occasion": "discharge", "link_id": link.id, "message_id": text.id}
    session.add(
        SatisfactionAsked(
            clinic_id=clinic.id, key_id=patient.key_id, asked_at=clock.now(), language=patient.language, **asked
        )
    )
    session.flush()
    if "marks" not in person:
        return
    questions = satisfaction.of_clinic(clinic).questions
    said = {question.id: mark for question, mark in zip(questions, person["marks"], strict=True)}
    with day.at(clock.now() + timedelta(hours=3)):
        words = person.get("words", "")
        answering.take(session, clinic, link, answering.Given(said, words, patient.language, named=False))


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
