"""Episodes of care, what was done in them, and what a consultant said of them."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from config import live
from config.db import Base, ClinicRow, Sealed, SealedRow, Work
from messaging.models import PlanVersion


class Episode(SealedRow, live.Shown, Base):
    """One course of care of one patient, from consent to discharge. A later one never overwrites it.

    phase: active -> relapse_prevention -> discharged, and back from the second to the first. Consent is `verbal` or
    `written`, with who took it, when, in which language, and that cost sharing was told. `scale` is phq9 | gad7;
    `enrolled_on` the day of the care manager's first assessment in the clinic's zone. For whoever bills: the
    `diagnosis`, and the initiating visit's day and code. `end_reason` is goals_met |
    referred | declined | lost | moved. `question` is what the manager wants to ask the consultant, and `medicines` what
    the patient takes, in words; None: nothing. `plan_on` is when the plan against a relapse was last written, here or
    by the file that the episode came with; `check_on` the day of its next check.
    `scores_ct` and `scores_of` are those of `caseload.kept_scores`: what was read of their forms, and of which.
    `imported` is the JSON of totals without a form, [[day's ordinal, total], ...]: a registry's file had them.
    """

    __tablename__ = "care_episode"
    __table_args__ = (Index("ix_care_episode_clinic_phase", "clinic_id", "phase"),)

    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"), index=True)
    phase: Mapped[str] = mapped_column(String(20), default="active")
    phase_at: Mapped[datetime]
    enrolled_on: Mapped[date]
    enrolled_by: Mapped[UUID] = mapped_column(ForeignKey("staff.id"))
    consent: Mapped[str] = mapped_column(String(10))
    consent_at: Mapped[datetime]
    consent_by: Mapped[UUID] = mapped_column(ForeignKey("staff.id"))
    consent_language: Mapped[str] = mapped_column(String(8))
    practitioner_id: Mapped[UUID] = mapped_column(ForeignKey("staff.id"))
    manager_id: Mapped[UUID] = mapped_column(ForeignKey("staff.id"), index=True)
    consultant_id: Mapped[UUID | None] = mapped_column(ForeignKey("staff.id"))
    payer: Mapped[str] = mapped_column(String(20))
    scale: Mapped[str] = mapped_column(String(20))
    plan_on: Mapped[date | None]
    check_on: Mapped[date | None]
    ended_on: Mapped[date | None]
    ended_by: Mapped[UUID | None] = mapped_column(ForeignKey("staff.id"))
    end_reason: Mapped[str | None] = mapped_column(String(20))
    initiating_on: Mapped[date | None]
    initiating_code: Mapped[str | None] = mapped_column(String(10))
    diagnosis_ct: Mapped[bytes | None]
    question_ct: Mapped[bytes | None]
    medicines_ct: Mapped[bytes | None]
    scores_ct: Mapped[bytes | None]
    scores_of: Mapped[str | None] = mapped_column(String(120))
    imported_ct: Mapped[bytes | None]
    created_at: Mapped[datetime]

    scores = Sealed("scores_ct")
    imported = Sealed("imported_ct")
    question = Sealed("question_ct")
    medicines = Sealed("medicines_ct")
    diagnosis = Sealed("diagnosis_ct")

    def topics(self) -> Iterable[str]:
        """The patient's own page."""
        return [f"patient:{self.patient_id}"]


# By its phases and not as all but one: so the index finds those in care among many more that have ended.
OPEN = Episode.phase.in_(("active", "relapse_prevention"))


class Asking(ClinicRow, Work, Base):
    """That an episode's patient is asked questionnaires by the phase of their care, looked at once a day.

    state: waiting -> over (discharged), and back where a discharge is taken back. `link_id` is the link that was last
    texted for it, `asked_at` when.
    """

    __tablename__ = "care_asking"
    __table_args__ = (UniqueConstraint("episode_id"), Index("ix_care_asking_work", "state", "try_after"))

    episode_id: Mapped[UUID] = mapped_column(ForeignKey("care_episode.id"))
    state: Mapped[str] = mapped_column(String(8), default="waiting")
    link_id: Mapped[UUID | None] = mapped_column(ForeignKey("intake_link.id"), index=True)
    asked_at: Mapped[datetime | None]


class CareEntry(ClinicRow, Base):
    """Work that a colleague did in an episode, from `starts_at` to `ends_at`. Never changed: struck, and written anew.

    `kind` is a key of [care_kinds]; `live` says that the patient was there or on the line, a contact. `made_at`
    is when it was written down: more than 72 hours after is a late entry. `source` is what it was proposed by,
    "contact:<id>", None where somebody wrote it by hand; a proposal that was declined is struck from the beginning.
    """

    __tablename__ = "care_entry"
    __table_args__ = (
        Index("ix_care_entry_episode_starts", "episode_id", "starts_at"),
        Index("ix_care_entry_staff_starts", "staff_id", "starts_at"),
        Index("ix_care_entry_clinic_starts", "clinic_id", "starts_at"),
        UniqueConstraint("episode_id", "source"),
    )

    episode_id: Mapped[UUID] = mapped_column(ForeignKey("care_episode.id"))
    staff_id: Mapped[UUID] = mapped_column(ForeignKey("staff.id"))
    kind: Mapped[str] = mapped_column(String(20))
    live: Mapped[bool]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    made_at: Mapped[datetime]
    source: Mapped[str | None] = mapped_column(String(60))
    struck_at: Mapped[datetime | None]
    struck_by: Mapped[UUID | None] = mapped_column(ForeignKey("staff.id"))


class CareTimer(ClinicRow, Base):
    """Work of a colleague in an episode that is being timed, and then proposed: nothing counts until they confirm it.

    state: running <-> paused -> proposed -> kept | declined; one at most of a colleague is running or paused.
    `stretches` are those that are over, [[start, end, why it ended], ...] in ISO 8601 UTC (caseload.timing); `since`
    when the present one began, `seen_at` when the page was last heard from, None while no script has told of it, and
    `why` for which of the same reasons it is paused.
    """

    __tablename__ = "care_timer"
    __table_args__ = (
        Index(
            "ix_care_timer_one_a_colleague",
            "staff_id",
            unique=True,
            postgresql_where=text("state IN ('running', 'paused')"),
            sqlite_where=text("state IN ('running', 'paused')"),
        ),
        Index("ix_care_timer_staff_state", "staff_id", "state"),
    )

    episode_id: Mapped[UUID] = mapped_column(ForeignKey("care_episode.id"), index=True)
    staff_id: Mapped[UUID] = mapped_column(ForeignKey("staff.id"))
    state: Mapped[str] = mapped_column(String(10))
    began_at: Mapped[datetime]
    since: Mapped[datetime | None]
    seen_at: Mapped[datetime | None]
    why: Mapped[str | None] = mapped_column(String(6))
    stretches: Mapped[list[Any]] = mapped_column(default=list)


class DueNotice(ClinicRow, Base):
    """That something has come to be due in an episode, and the inbox item that was made of it: once each time.

    `rule` is a key of caseload.registry.due.KEYS. `ended_at` is when it held no longer, `why` then over | discharged |
    switched_off; while it is None no other item is made by the same rule, whatever became of the first.
    """

    __tablename__ = "care_due_notice"
    __table_args__ = (
        Index(
            "ix_care_due_notice_standing",
            "episode_id",
            "rule",
            unique=True,
            postgresql_where=text("ended_at IS NULL"),
            sqlite_where=text("ended_at IS NULL"),
        ),
    )

    episode_id: Mapped[UUID] = mapped_column(ForeignKey("care_episode.id"))
    rule: Mapped[str] = mapped_column(String(20))
    item_id: Mapped[UUID] = mapped_column(ForeignKey("inbox_item.id"), index=True)
    began_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    why: Mapped[str | None] = mapped_column(String(12))


class DueRound(ClinicRow, Work, Base):
    """That a clinic's caseload is gone through each night, some hundred episodes at a time.

    state: waiting, for good. `after_id` is the last episode that was looked at in this night's round, None between.
    """

    __tablename__ = "care_due_round"
    __table_args__ = (UniqueConstraint("clinic_id"), Index("ix_care_due_round_work", "state", "try_after"))

    state: Mapped[str] = mapped_column(String(8), default="waiting")
    after_id: Mapped[UUID | None]


class CaseReview(SealedRow, Base):
    """What a psychiatric consultant said of one person: one row a person, never one a meeting.

    `decision` is continue | recommend; a recommendation has its words, to whom it is addressed, and the item of the
    task that it became.
    """

    __tablename__ = "case_review"
    __table_args__ = (Index("ix_case_review_episode_at", "episode_id", "at"),)

    episode_id: Mapped[UUID] = mapped_column(ForeignKey("care_episode.id"))
    by_id: Mapped[UUID] = mapped_column(ForeignKey("staff.id"))
    written_by: Mapped[UUID] = mapped_column(ForeignKey("staff.id"))
    at: Mapped[datetime]
    decision: Mapped[str] = mapped_column(String(12))
    words_ct: Mapped[bytes | None]
    to_id: Mapped[UUID | None] = mapped_column(ForeignKey("staff.id"))
    item_id: Mapped[UUID | None] = mapped_column(ForeignKey("inbox_item.id"), index=True)

    words = Sealed("words_ct")


class CareMonth(SealedRow, Base):
    """A month of an episode that a person has closed: the codes they chose, and the evidence as it was then.

    `month` is "2026-03", `codes` [{"code", "units"}], `evidence` the JSON of caseload.codes.evidence.
    """

    __tablename__ = "care_month"
    __table_args__ = (UniqueConstraint("episode_id", "month"),)

    episode_id: Mapped[UUID] = mapped_column(ForeignKey("care_episode.id"))
    month: Mapped[str] = mapped_column(String(7))
    codes: Mapped[list[Any]]
    closed_at: Mapped[datetime]
    closed_by: Mapped[UUID] = mapped_column(ForeignKey("staff.id"))
    evidence_ct: Mapped[bytes]

    evidence = Sealed("evidence_ct")


class RelapsePlan(PlanVersion, Base):
    """What was written down with a patient against a relapse; its sections are caseload.relapse_plans.SECTIONS."""

    __tablename__ = "relapse_plan"
    __table_args__ = (Index("ix_relapse_plan_patient", "patient_id", "id"),)


class SatisfactionWatch(ClinicRow, Work, Base):
    """That an episode's patient is asked how the clinic did when an occasion comes, looked at till then.

    state: waiting -> over (discharged, and no occasion is to come), and back where a discharge is taken back.
    """

    __tablename__ = "satisfaction_watch"
    __table_args__ = (UniqueConstraint("episode_id"), Index("ix_satisfaction_watch_work", "state", "try_after"))

    episode_id: Mapped[UUID] = mapped_column(ForeignKey("care_episode.id"))
    state: Mapped[str] = mapped_column(String(8), default="waiting")


class SatisfactionAsked(SealedRow, Base):
    """That somebody was asked how the clinic did, on one occasion of an episode, once; and what they answered.

    `occasion` is "discharge" or "day-90", "day-180" ..., `language` that of the text. `said` is the JSON of 1 to 5 by
    the id of the question (reminders.satisfaction.Question), `words` the free text; `spoke` is that there is one.
    `named` is what the form told them: whether their care team reads it by name. `raised` says that the words were
    put before a person by name, as a crisis or a worry.
    """

    __tablename__ = "satisfaction_asked"
    __table_args__ = (
        UniqueConstraint("episode_id", "occasion"),
        Index("ix_satisfaction_asked_clinic_at", "clinic_id", "asked_at"),
    )

    episode_id: Mapped[UUID] = mapped_column(ForeignKey("care_episode.id"))
    occasion: Mapped[str] = mapped_column(String(12))
    link_id: Mapped[UUID] = mapped_column(ForeignKey("intake_link.id"), unique=True)
    message_id: Mapped[UUID] = mapped_column(ForeignKey("message.id"), index=True)
    asked_at: Mapped[datetime]
    language: Mapped[str] = mapped_column(String(8))
    answered_at: Mapped[datetime | None]
    answered_in: Mapped[str | None] = mapped_column(String(8))
    named: Mapped[bool | None]
    spoke: Mapped[bool] = mapped_column(default=False)
    raised: Mapped[bool] = mapped_column(default=False)
    said_ct: Mapped[bytes | None]
    words_ct: Mapped[bytes | None]

    said = Sealed("said_ct")
    words = Sealed("words_ct")
