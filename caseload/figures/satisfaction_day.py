"""What patients said of the clinic, of those asked on a day: how many answered, in which language, and their marks."""

import json
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from caseload.figures.days import Day
from caseload.models import SatisfactionAsked
from config import clock, db, keys
from intake_links import links
from intake_links.models import IntakeLink
from messaging.models import Clinic, Message

Asked = Row[SatisfactionAsked, str, datetime, str]


def count(session: Session, clinic: Clinic, day: Day) -> Counter[str]:
    """Count who was asked on a day, and what they have said of it since."""
    asked: Sequence[Asked] = session.execute(
        select(SatisfactionAsked, IntakeLink.state, IntakeLink.expires_at, Message.state)
        .join(IntakeLink, IntakeLink.id == SatisfactionAsked.link_id)
        .join(Message, Message.id == SatisfactionAsked.message_id)
        .where(
            SatisfactionAsked.clinic_id == clinic.id,
            SatisfactionAsked.asked_at >= day.begins,
            SatisfactionAsked.asked_at < day.ends,
        )
    ).all()
    db.load_keys(session, {row.key_id for row, *_ in asked})
    counts: Counter[str] = Counter()
    for row, link, expires_at, text in asked:
        counts += _answered(row) if row.answered_at else Counter(_unanswered(row, link, expires_at, text))
    return counts


def _unanswered(row: SatisfactionAsked, link: str, expires_at: datetime, text: str) -> list[str]:
    if text != "delivered":
        return ["views.undelivered"]
    if link == "withdrawn":
        return ["views.withdrawn"]
    if link in links.LIVE and expires_at > clock.now():
        return ["views.open"]
    return ["views.unanswered", f"views.language.{row.language}.unanswered"]


def _answered(row: SatisfactionAsked) -> Counter[str]:
    """Whoever answered was reached, whatever the carrier said; marks count under the id of the question's words."""
    names = ["views.answered", f"views.language.{row.language}.answered", f"views.said.{row.answered_in}"]
    counts = Counter([*names, *(["views.words"] if row.spoke else [])])
    marks: dict[str, int] = {}
    with suppress(keys.WrongKey):
        marks = json.loads(row.said or "{}")
    for question, mark in marks.items():
        counts.update({f"views.question.{question}.sum": mark, f"views.question.{question}.count": 1})
    return counts
