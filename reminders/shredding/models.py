"""Which records were asked to be destroyed, and which were."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from config.db import Base, ClinicRow


class Shredding(ClinicRow, Base):
    """That a record is to be destroyed, or was.

    asked (`asked_by`, an actor) -> done (`done_at`, and `agreed_by` where a second administrator had to agree); taken
    back, the row is gone. `mark` is the keyed hash of the patient's id, by which a restored database finds them
    again; `patient_id` is null where a list named a record that this database never had.
    """

    __tablename__ = "shredding"
    __table_args__ = (UniqueConstraint("clinic_id", "mark"),)

    mark: Mapped[bytes]
    patient_id: Mapped[UUID | None] = mapped_column(ForeignKey("patient.id"), index=True)
    asked_by: Mapped[str] = mapped_column(String(60))
    asked_at: Mapped[datetime]
    agreed_by: Mapped[str | None] = mapped_column(String(60))
    done_at: Mapped[datetime | None]
