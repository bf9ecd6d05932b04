"""Clinics, their staff, and their patients with names and numbers."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, ForeignKey, Index, String, UniqueConstraint, select, text
from sqlalchemy.orm import InstrumentedAttribute, Mapped, mapped_column, relationship

from config import live
from config.db import Base, ClinicRow, Sealed, SealedJson, SealedRow

# Second records of somebody: few among all patients.
MERGED = text("merged_into IS NOT NULL")


class Clinic(Base):
    """A clinic: whose patients, numbers, words and rules these are. Its name and phones are public.

    `number` is the E.164 number patients text; `phone` the one they call. `rules` holds what the clinic decides:
    deadlines, escalation, quiet hours, fallback (see messaging.inbox.routing.assign.Rules). `synthetic` is None of a
    clinic of people; of one that the service checks itself with (service.self_check) it is silent (its texts end before
    the carrier) or texted (they go to a test number). Nothing counts, looks after or offers such a clinic: REAL.
    """

    __tablename__ = "clinic"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    key_id: Mapped[UUID]
    name: Mapped[str] = mapped_column(String(120))
    zone: Mapped[str] = mapped_column(String(60))
    number: Mapped[str] = mapped_column(String(20), unique=True)
    phone: Mapped[str] = mapped_column(String(20))
    messaging_service_sid: Mapped[str | None] = mapped_column(String(34))
    rules: Mapped[dict[str, Any]]
    synthetic: Mapped[str | None] = mapped_column(String(8))
    created_at: Mapped[datetime]


# Which clinics are of people; and which rows of another table are of such a clinic.
REAL = Clinic.synthetic.is_(None)


def of_people(clinic_id: InstrumentedAttribute[UUID]) -> ColumnElement[bool]:
    """Return the condition for rows whose clinic is no self-check's."""
    return clinic_id.not_in(select(Clinic.id).where(Clinic.synthetic.is_not(None)))


class Staff(SealedRow, live.Shown, Base):
    """A person who works here. `panels` are the clinicians whose patients are hers; roles as in web.permissions.
    `credential` is what stands behind the name on a claim's evidence ("LCSW"), or empty.

    `hours` maps a weekday ("mon".."sun") to ["08:00", "17:00"] in the clinic's zone; empty: always on duty. `on_call`
    has the same shape; empty: never on call. `notify` maps a kind of nudge to the ways they have chosen or not,
    {"text": true, "email": false} (messaging.inbox.staff.channels). `phone_fault` is why their phone takes no texts of
    ours (messaging.people.staff_phones), or None. `hints_closed` names the hints on pages that they want no more;
    `named_to_patients` says that a text may give a patient their first name. `sso_subject` is a keyed hash of what the
    clinic's identity provider calls them, `sso_used_at` when they last came in by it; `sso_state` None | linked |
    refused (the provider says that they have no role here) | locked (an operator lets them in by nothing).
    `settling_since` is since when they wait to count as a second person (messaging.two_person_rule), or None.
    """

    __tablename__ = "staff"
    __table_args__ = (UniqueConstraint("clinic_id", "email"), UniqueConstraint("clinic_id", "sso_subject"))

    email: Mapped[str] = mapped_column(String(254), index=True)
    name: Mapped[str] = mapped_column(String(120))
    credential: Mapped[str] = mapped_column(String(40), default="")
    role: Mapped[str] = mapped_column(String(30))
    languages: Mapped[list[str]]
    panels: Mapped[list[str]]
    hours: Mapped[dict[str, Any]]
    on_call: Mapped[dict[str, Any]] = mapped_column(default=dict)
    notify: Mapped[dict[str, Any]] = mapped_column(default=dict)
    number_ct: Mapped[bytes | None]
    phone_fault: Mapped[str | None] = mapped_column(String(20))
    hints_closed: Mapped[list[str]] = mapped_column(default=list)
    named_to_patients: Mapped[bool] = mapped_column(default=False)
    password_hash: Mapped[str | None] = mapped_column(String(200))
    sso_subject: Mapped[bytes | None]
    sso_state: Mapped[str | None] = mapped_column(String(8))
    sso_used_at: Mapped[datetime | None]
    active: Mapped[bool] = mapped_column(default=True)
    settling_since: Mapped[datetime | None]
    created_at: Mapped[datetime]

    number = Sealed("number_ct")

    @property
    def with_credential(self) -> str:
        """The name with the credential behind it, where there is one."""
        return f"{self.name}, {self.credential}" if self.credential else self.name

    @property
    def signs_in(self) -> bool:
        """Whether there is a way in of theirs: a password, or the clinic's identity provider."""
        return self.sso_state == "linked" or (self.password_hash is not None and self.sso_state != "refused")

    @property
    def locked_out(self) -> bool:
        """Whether no way of their own lets them in, though they work here: so said the operator or the provider."""
        return self.sso_state in ("locked", "refused")

    def topics(self) -> Iterable[str]:
        """What they may do may have changed."""
        return [f"staff:{self.id}"]


class Patient(SealedRow, Base):
    """A person the clinic cares for; every word about them is sealed under a key of their own.

    state: active -> inactive | deceased (both silence everything). `panel` names the clinician whose patient it is;
    `privacy` is generic | place | details (what a text may say); `record_index` finds the clinic's record number.
    `here_until` is until when somebody who has arrived is taken to be in the building. `wishes` is what they said for
    themselves, and no file of the clinic takes back: {"language", "hours": ["09:00", "18:00"]}, each optional.
    `merged_into` is whose record this was found to be a second one of: it holds nothing any more (reminders.merging).
    `details_by` is the colleague (an actor) who wrote address and emergency contact, None while files keep them.
    Under legal hold (`legal_hold_at`) nothing of it is destroyed or emptied; `shredded_at` is when all of it was
    (reminders.shredding).
    """

    __tablename__ = "patient"
    __table_args__ = (
        UniqueConstraint("clinic_id", "record_index"),
        # Who is still to be indexed (messaging.people.name_search): nearly always nobody, asked for every second.
        Index(
            "ix_patient_names_owed",
            "created_at",
            sqlite_where=text("names_indexed = 0"),
            postgresql_where=text("NOT names_indexed"),
        ),
        Index("ix_patient_merged_into", "merged_into", sqlite_where=MERGED, postgresql_where=MERGED),
    )

    record_index: Mapped[bytes]
    record_ct: Mapped[bytes]
    first_name_ct: Mapped[bytes]
    last_name_ct: Mapped[bytes]
    birth_date_ct: Mapped[bytes | None]
    address_ct: Mapped[bytes | None]
    emergency_name_ct: Mapped[bytes | None]
    emergency_relation_ct: Mapped[bytes | None]
    emergency_phone_ct: Mapped[bytes | None]
    details_by: Mapped[str | None] = mapped_column(String(60))
    language: Mapped[str] = mapped_column(String(8))
    zone: Mapped[str | None] = mapped_column(String(60))
    panel: Mapped[str | None] = mapped_column(String(120))
    sex_ct: Mapped[bytes | None]
    privacy: Mapped[str] = mapped_column(String(10), default="place")
    state: Mapped[str] = mapped_column(String(10), default="active")
    state_by: Mapped[str | None] = mapped_column(String(60))  # an actor; null where nobody has said so
    privacy_by: Mapped[str | None] = mapped_column(String(60))
    names_indexed: Mapped[bool] = mapped_column(default=False)
    merged_into: Mapped[UUID | None] = mapped_column(ForeignKey("patient.id"))
    here_until: Mapped[datetime | None]
    wishes_ct: Mapped[bytes | None]
    legal_hold_at: Mapped[datetime | None]
    shredded_at: Mapped[datetime | None]
    created_at: Mapped[datetime]

    record = Sealed("record_ct")
    first_name = Sealed("first_name_ct")
    last_name = Sealed("last_name_ct")
    birth_date = Sealed("birth_date_ct")
    address = Sealed("address_ct")
    sex = Sealed("sex_ct")
    wishes = SealedJson("wishes_ct", dict)
    emergency_name = Sealed("emergency_name_ct")
    emergency_relation = Sealed("emergency_relation_ct")
    emergency_phone = Sealed("emergency_phone_ct")
    numbers: Mapped[list["PatientNumber"]] = relationship(back_populates="patient", order_by="PatientNumber.id")

    def is_here(self, now: datetime) -> bool:
        """Whether they are taken to be in the building."""
        return self.here_until is not None and self.here_until > now


class PatientNumber(SealedRow, Base):
    """A telephone number of a patient; several patients may share one, and one may have several.

    line: unknown | mobile | landline | dead | wrong_person. Only unknown and mobile are texted.
    """

    __tablename__ = "patient_number"
    __table_args__ = (
        UniqueConstraint("patient_id", "number_index"),
        Index("ix_patient_number_clinic_number", "clinic_id", "number_index"),
    )

    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"))
    number_index: Mapped[bytes]
    number_ct: Mapped[bytes]
    line: Mapped[str] = mapped_column(String(14), default="unknown")

    number = Sealed("number_ct")
    patient: Mapped[Patient] = relationship(back_populates="numbers")


class PatientName(ClinicRow, Base):
    """A blind index of one word of a patient's name, or of its first letters, so that a name can be searched for.

    See messaging.people.name_search; the words themselves stand nowhere unsealed.
    """

    __tablename__ = "patient_name"
    __table_args__ = (
        UniqueConstraint("patient_id", "token"),
        Index("ix_patient_name_token", "clinic_id", "token", "patient_id"),
    )

    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id", ondelete="CASCADE"))
    token: Mapped[bytes]
