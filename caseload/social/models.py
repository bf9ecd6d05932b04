"""The wording that a clinic has loaded, what was answered, and the needs that a person goes after."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from config import live
from config.db import Base, ClinicRow, Sealed, SealedRow


class SocialWording(ClinicRow, Base):
    """The words of the questions in a language, as a clinic has loaded them; the newest that is not retired is asked.

    `words` maps the keys of caseload.social.scoring to words. `licence` says under whose permission, and stands beneath
    the questions.
    """

    __tablename__ = "social_wording"

    language: Mapped[str] = mapped_column(String(8))
    licence: Mapped[str] = mapped_column(String(600))
    words: Mapped[dict[str, Any]]
    loaded_by: Mapped[UUID] = mapped_column(ForeignKey("staff.id"))
    loaded_at: Mapped[datetime]
    retired_at: Mapped[datetime | None]


class SocialScreen(SealedRow, live.Shown, Base):
    """What somebody answered, asked by a colleague: the JSON of caseload.social.scoring.Answers, never changed."""

    __tablename__ = "social_screen"
    __table_args__ = (Index("ix_social_screen_patient", "patient_id", "id"),)

    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"))
    wording_id: Mapped[UUID] = mapped_column(ForeignKey("social_wording.id"))
    asked_by: Mapped[UUID] = mapped_column(ForeignKey("staff.id"))
    asked_on: Mapped[date]
    made_at: Mapped[datetime]
    answers_ct: Mapped[bytes]

    answers = Sealed("answers_ct")

    def topics(self) -> Iterable[str]:
        """The patient's own page."""
        return [f"patient:{self.patient_id}"]


class SocialNeed(SealedRow, Base):
    """A need that a screen has found: its `domain`, the item of its task, and to where somebody has referred them.

    What came of it is how its task ended. The domain is sealed, as one of them is violence at home.
    """

    __tablename__ = "social_need"
    __table_args__ = (Index("ix_social_need_patient", "patient_id", "id"),)

    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"))
    screen_id: Mapped[UUID] = mapped_column(ForeignKey("social_screen.id"), index=True)
    item_id: Mapped[UUID] = mapped_column(ForeignKey("inbox_item.id"), unique=True)
    domain_ct: Mapped[bytes]
    referred_ct: Mapped[bytes | None]
    referred_at: Mapped[datetime | None]
    referred_by: Mapped[UUID | None] = mapped_column(ForeignKey("staff.id"))

    domain = Sealed("domain_ct")
    referred = Sealed("referred_ct")
