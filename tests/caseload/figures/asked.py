"""The part of a made-up half-year in which people are asked how the clinic did."""

import json
from datetime import timedelta
from typing import Any

from caseload.models import Episode, SatisfactionAsked
from intake_links.models import IntakeLink

QUESTIONS = ("0a1b2c3d", "4e5f6a7b", "8c9d0e1f")


def views(past: Any, number: int, message: Any) -> None:
    """Somebody was asked how the clinic did; each mark may be left out. `message` makes a text."""
    chance, at = past.chance, past.moment()
    episode = chance.choice(past.of(Episode))
    patient = next(each for each in past.patients if each.id == episode.patient_id)
    language = chance.choice(["en", "en", "es"])
    text = message(past, patient, at, chance.choice(["delivered", "delivered", "delivered", "sent"]))
    answered = past.later(at, 2) if chance.random() < 0.6 else None
    state = "answered" if answered else chance.choice(["open", "verified", "expired", "withdrawn", "locked"])
    link = IntakeLink(
        id=past.id(at), clinic_id=past.clinic.id, patient_id=patient.id, token_hash=f"v{number}".encode(),
        instruments=[], language=language, created_at=at, expires_at=at + timedelta(days=3), state=state, place="views",
        answered_at=answered,
    )  # fmt: skip
    past.add(link)
    said = {question: chance.randrange(1, 6) for question in QUESTIONS if chance.random() < 0.8}
    past.add(
        SatisfactionAsked(
            id=past.id(at), clinic_id=past.clinic.id, key_id=patient.key_id, episode_id=episode.id,
            occasion=f"day-{90 * number}", link_id=link.id, message_id=text.id, asked_at=at, language=language,
            answered_at=answered, answered_in=chance.choice(["en", "es"]) if answered else None,
            named=False if answered else None, spoke=False, raised=False, said=json.dumps(said) if answered else None,
        )
    )  # fmt: skip
