"""What helps in a crisis: a patient's safety plan, version by version, and which lines of the protocol were done."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from config.db import Base, ClinicRow, Sealed, SealedRow


class PlanVersion(SealedRow):
    """One version of a plan in words; the newest of a patient holds, and none is ever changed.

    `sections` is the JSON of the text of each section that has one (messaging.people.plans); `shared` says that the
    patient reads it on their own page.
    """

    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"))
    staff_id: Mapped[UUID] = mapped_column(ForeignKey("staff.id"))
    sections_ct: Mapped[bytes]
    at: Mapped[datetime]
    shared: Mapped[bool] = mapped_column(default=False)

    sections = Sealed("sections_ct")


class SafetyPlan(PlanVersion, Base):
    """A patient's safety plan; its sections are messaging.people.safety_plans.SECTIONS."""

    __tablename__ = "safety_plan"
    __table_args__ = (Index("ix_safety_plan_patient", "patient_id", "id"),)


class ProtocolTick(ClinicRow, Base):
    """A line of the clinic's safety protocol that somebody has done for an item. `line` is the clinic's own words."""

    __tablename__ = "protocol_tick"
    __table_args__ = (UniqueConstraint("item_id", "line"),)

    item_id: Mapped[UUID] = mapped_column(ForeignKey("inbox_item.id"))
    line: Mapped[str] = mapped_column(String(200))
    staff_id: Mapped[UUID] = mapped_column(ForeignKey("staff.id"))
    at: Mapped[datetime]
