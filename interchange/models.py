"""The feeds of a clinic's EHRs, and what they said, once, word for word."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from config.db import Base, ClinicRow, Sealed, SealedRow, Work


class Feed(SealedRow, Base):
    """An EHR that may send for one clinic: the secret it signs with (Standard Webhooks), and how it is read.

    `mllp_sender` is who it names as its sender by MLLP, "APPLICATION|FACILITY" (MSH-3, MSH-4), None where it is not
    heard that way; `mllp_certificate` the name of the client certificate that may speak for it, "" for a connection of
    this machine alone. What comes while it is paused is kept and waits.
    """

    __tablename__ = "feed"
    __table_args__ = (UniqueConstraint("name"), UniqueConstraint("mllp_sender", "mllp_certificate"))

    name: Mapped[str] = mapped_column(String(30))
    secret_ct: Mapped[bytes]
    profile: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created_at: Mapped[datetime]
    mllp_sender: Mapped[str | None] = mapped_column(String(130))
    mllp_certificate: Mapped[str] = mapped_column(String(100), default="", server_default="")
    paused_at: Mapped[datetime | None]

    secret = Sealed("secret_ct")

    @property
    def source(self) -> str:
        """Under which name what it says of visits is known."""
        return f"ehr.{self.name}"


class FeedMessage(SealedRow, Work, Base):
    """One message or resource as it came, sealed before its sender is answered.

    state: received -> done | ignored (understood, and nothing to do) | held (waits for a person) | failed; refused from
    the beginning where its sender was told to mend it; paused while its feed is. A person's replay makes it received
    again, or they set it aside. Unique (feed, event): saying it twice changes nothing; `event` and `control_id` are
    digests by the clinic's key. `kind` is the event ("SIU^S12")
    or type of resource; `problems` are {"code", "where"}, never what stood there; `said_at` is when the EHR says it
    was so.
    """

    __tablename__ = "feed_message"
    __table_args__ = (
        UniqueConstraint("feed_id", "event"),
        Index("ix_feed_message_work", "state", "try_after"),
        Index("ix_feed_message_latest", "feed_id", "received_at"),
        Index("ix_feed_message_control", "feed_id", "control_id"),
    )

    feed_id: Mapped[UUID] = mapped_column(ForeignKey("feed.id"))
    event: Mapped[str] = mapped_column(String(64))
    kind: Mapped[str] = mapped_column(String(40))
    control_id: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(10), default="received")
    raw_ct: Mapped[bytes]
    problems: Mapped[list[Any]] = mapped_column(default=list)
    said_at: Mapped[datetime]
    received_at: Mapped[datetime]
    processed_at: Mapped[datetime | None]

    raw = Sealed("raw_ct")


class FeedVisit(ClinicRow, Base):
    """A feed's entry of a visit: since when the newest that it has said is so, and what it has said of the start.

    `visit` is a hash of the visit's key, `external_id` the key as the appointment has it; `claims` see
    interchange.owning; `patient_id` whose it is, once that is known; `message_id` the newest message that says it.
    """

    __tablename__ = "feed_visit"
    __table_args__ = (UniqueConstraint("feed_id", "visit"),)

    feed_id: Mapped[UUID] = mapped_column(ForeignKey("feed.id"))
    visit: Mapped[str] = mapped_column(String(64))
    external_id: Mapped[str] = mapped_column(String(80), default="", server_default="")
    said_at: Mapped[datetime]
    patient_id: Mapped[UUID | None] = mapped_column(ForeignKey("patient.id"), index=True)
    claims: Mapped[list[Any]] = mapped_column(default=list, server_default="[]")
    message_id: Mapped[UUID | None] = mapped_column(ForeignKey("feed_message.id"), index=True)


class FeedPatient(ClinicRow, Base):
    """Whom a feed means by an identifier, once that is known; `identifier_index` is blind. `reference` is how its EHR
    names them in FHIR ("Patient/123"), sealed under the patient's key `key_id`, where it has said so."""

    __tablename__ = "feed_patient"
    __table_args__ = (UniqueConstraint("feed_id", "identifier_index"),)

    feed_id: Mapped[UUID] = mapped_column(ForeignKey("feed.id"))
    identifier_index: Mapped[bytes]
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"), index=True)
    key_id: Mapped[UUID | None]
    reference_ct: Mapped[bytes | None]

    reference = Sealed("reference_ct")


class FeedConnection(SealedRow, Work, Base):
    """How a feed's EHR is reached by us: where, as whom, how far it has been read, and what it refused last.

    kind: fhir (Appointment of FHIR R4 by slices of dates, Patient and Encounter beside) | athena (a queue of changed
    visits, one visit by its id) | hl7 (the interface engine of an EHR that sends to us: it is asked nothing, and told
    by MLLP; `certificate` proves us to it and `authorities` prove it, both PEM). state: on | paused.

    `cursor` is how far it has been read (interchange.polling.pacing); `notes` since when the EHR warns of what, by its
    code; `refused` is why it could not be asked the last time, null where it could.
    `complete_at` is when all days were last read through. `granted` is what the EHR lets us do, as it says it.
    `hub_secret` signs its events; the token is kept until `token_until`.
    """

    __tablename__ = "feed_connection"
    __table_args__ = (UniqueConstraint("feed_id"), Index("ix_feed_connection_work", "state", "try_after"))

    feed_id: Mapped[UUID] = mapped_column(ForeignKey("feed.id"))
    kind: Mapped[str] = mapped_column(String(6))
    base_url: Mapped[str] = mapped_column(String(500))
    client_id: Mapped[str] = mapped_column(String(200))
    practice: Mapped[str] = mapped_column(String(20), default="")
    days_ahead: Mapped[int] = mapped_column(default=60)
    per_minute: Mapped[int] = mapped_column(default=60)
    state: Mapped[str] = mapped_column(String(6), default="on")
    cursor: Mapped[dict[str, Any]] = mapped_column(default=dict)
    notes: Mapped[dict[str, Any]] = mapped_column(default=dict)
    granted: Mapped[str | None] = mapped_column(String(500))
    token_ct: Mapped[bytes | None]
    token_until: Mapped[datetime | None]
    hub_secret_ct: Mapped[bytes | None]
    certificate_ct: Mapped[bytes | None]
    authorities_ct: Mapped[bytes | None]
    heard_at: Mapped[datetime | None]
    complete_at: Mapped[datetime | None]
    refused: Mapped[str | None] = mapped_column(String(30))
    refused_at: Mapped[datetime | None]
    failures: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]

    token = Sealed("token_ct")
    hub_secret = Sealed("hub_secret_ct")
    certificate = Sealed("certificate_ct")
    authorities = Sealed("authorities_ct")


class FeedKey(SealedRow, Base):
    """A key that signs for a connection: `public` is its half in our JWKS, from when it was made until
    `published_until`; it signs from `signs_from`, the newest that may. `origin` is made (by us) | file (brought)."""

    __tablename__ = "feed_key"
    __table_args__ = (UniqueConstraint("feed_id", "kid"),)

    feed_id: Mapped[UUID] = mapped_column(ForeignKey("feed.id"))
    kid: Mapped[str] = mapped_column(String(64))
    algorithm: Mapped[str] = mapped_column(String(5))
    origin: Mapped[str] = mapped_column(String(4))
    public: Mapped[dict[str, Any]] = mapped_column(default=dict)
    private_ct: Mapped[bytes]
    created_at: Mapped[datetime]
    signs_from: Mapped[datetime]
    published_until: Mapped[datetime | None]

    private = Sealed("private_ct")


class FeedSeen(ClinicRow, Base):
    """What was last read of one resource: a digest of it, and how often it was another. What stands as it stood is told
    once. `resource` is a digest of its name, both by the clinic's key; `number` and `starts_at` are a visit's alone,
    and only while it is to come.
    """

    __tablename__ = "feed_seen"
    __table_args__ = (UniqueConstraint("feed_id", "resource"), Index("ix_feed_seen_starts", "feed_id", "starts_at"))

    feed_id: Mapped[UUID] = mapped_column(ForeignKey("feed.id"))
    resource: Mapped[str] = mapped_column(String(64))
    number: Mapped[str] = mapped_column(String(80), default="")
    digest: Mapped[str] = mapped_column(String(64))
    times: Mapped[int] = mapped_column(default=1)
    starts_at: Mapped[datetime | None]
    seen_at: Mapped[datetime]


class FeedNotice(ClinicRow, Base):
    """An event that an EHR has told with an id alone, once however often it is told: which visit is to be read."""

    __tablename__ = "feed_notice"
    __table_args__ = (UniqueConstraint("feed_id", "event"), Index("ix_feed_notice_open", "feed_id", "done_at"))

    feed_id: Mapped[UUID] = mapped_column(ForeignKey("feed.id"))
    event: Mapped[str] = mapped_column(String(64))
    number: Mapped[str] = mapped_column(String(80))
    received_at: Mapped[datetime]
    done_at: Mapped[datetime | None]
