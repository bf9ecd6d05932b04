"""The last screens of several patients at a glance: instrument and total, and whether it is positive."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from config import clock, db
from intake_links import scoring
from intake_links.models import Screen
from messaging.models import Patient
from web import times, words
from web.presenters import screen_history

# What is older says little of how somebody comes in today.
LATELY = timedelta(days=30)
EACH = 4
# The colour and shape of each state; its words stand in [screen_glance].
LOOKS = {"alert": ("safety", "▲"), "positive": ("soon", "◆"), "negative": ("calm", "✓"), "open": ("plain", "○")}


@dataclass(frozen=True)
class Glance:
    """A screen in a few words, "PHQ-9 14", as a mark, and the day it was handed in."""

    mark: times.Mark
    day: str


def latest(session: Session, patient_ids: Collection[UUID], zone: str) -> dict[UUID, list[Glance]]:
    """Return by patient the last screen of each instrument, positive ones first; two queries.

    For who may read what patients answered.
    """
    if not patient_ids:
        return {}
    lately = select(Screen).where(
        Screen.patient_id.in_(patient_ids), Screen.submitted_at > clock.now() - LATELY, Screen.state != "started"
    )
    rows = session.scalars(lately.order_by(Screen.submitted_at.desc(), Screen.id.desc())).all()
    people = {
        patient.id: patient
        for patient in session.scalars(select(Patient).where(Patient.id.in_({row.patient_id for row in rows})))
    }
    db.load_keys(session, (row.key_id for row in rows))
    newest: dict[tuple[UUID, str], screen_history.Taken] = {}
    for row in rows:
        if row.instrument in scoring.instruments() and (row.patient_id, row.instrument) not in newest:
            taken = screen_history.take(row, people[row.patient_id])
            # Other answers to a form already handed in are no screen of their own, unless somebody must follow them up.
            if not taken.again or taken.score.alerts:
                newest[row.patient_id, row.instrument] = taken
    glances: dict[UUID, list[tuple[bool, Glance]]] = {}
    for (patient_id, _), taken in newest.items():
        glances.setdefault(patient_id, []).append((not _rings(taken.score), _glance(taken, zone)))
    return {
        patient_id: [glance for _, glance in sorted(some, key=lambda each: each[0])[:EACH]]
        for patient_id, some in glances.items()
    }


def _rings(score: scoring.Score) -> bool:
    return bool(score.positive or score.alerts)


def _glance(taken: screen_history.Taken, zone: str) -> Glance:
    definition, score = scoring.instrument(taken.screen.instrument), taken.score
    said = definition.title if score.total is None else f"{definition.title} {score.total}"
    state = "alert" if score.alerts else {True: "positive", False: "negative", None: "open"}[score.positive]
    mark = times.Mark(*LOOKS[state], words.say("screen_glance", state, said=said))
    return Glance(mark, times.day(taken.at, clock.now(), zone))
