"""Where a clinic's programs hear of events, what is brought to each of them, and every try."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from config.db import Base, ClinicRow, Sealed, SealedRow, Work


class WebhookEndpoint(SealedRow, Base):
    """An address of a program of the clinic. Address and secrets are sealed: either may let somebody in over there.

    state: on -> paused (by a person) | off (`why`: failing, or gone where it answered 410) -> on. Whatever happens
    while it is not on waits: `seq` is the event up to which deliveries have been made. `kinds` are those of
    messaging.programs.events. `old_secret` signs as well until `old_secret_until`. `failures` counts the tries in vain
    since the last success and `failing_since` says since when; `notices` how often administrators were told of it.
    `hold_until` is until when the receiver asked to be left alone, `served_at` when something was last posted there.
    """

    __tablename__ = "webhook_endpoint"

    name: Mapped[str] = mapped_column(String(80))
    url_ct: Mapped[bytes]
    secret_ct: Mapped[bytes]
    old_secret_ct: Mapped[bytes | None]
    old_secret_until: Mapped[datetime | None]
    kinds: Mapped[list[str]]
    state: Mapped[str] = mapped_column(String(6), default="on")
    why: Mapped[str | None] = mapped_column(String(8))
    seq: Mapped[int] = mapped_column(BigInteger)
    failures: Mapped[int] = mapped_column(default=0)
    failing_since: Mapped[datetime | None]
    notices: Mapped[int] = mapped_column(default=0)
    hold_until: Mapped[datetime]
    served_at: Mapped[datetime]
    created_by: Mapped[str] = mapped_column(String(60))
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    removed_at: Mapped[datetime | None]

    url = Sealed("url_ct")
    secret = Sealed("secret_ct")
    old_secret = Sealed("old_secret_ct")


class WebhookDelivery(ClinicRow, Work, Base):
    """One event for one endpoint; its id, the same at each try, is the receiver's `webhook-id`.

    state: waiting -> delivered | given_up -> waiting (sent again by a person). `seq` is the event's number in the
    clinic's list, null for a test. What the event was is copied from the list, which never changes.
    `first_tried_at` is when the present round of tries began, `attempts` counts them.
    """

    __tablename__ = "webhook_delivery"
    __table_args__ = (
        UniqueConstraint("endpoint_id", "seq"),
        Index("ix_webhook_delivery_subject", "endpoint_id", "subject", "state", "seq"),
        Index("ix_webhook_delivery_work", "state", "endpoint_id", "try_after"),
        Index("ix_webhook_delivery_at", "endpoint_id", "at"),
        Index("ix_webhook_delivery_ended", "ended_at"),
    )

    endpoint_id: Mapped[UUID] = mapped_column(ForeignKey("webhook_endpoint.id"))
    seq: Mapped[int | None] = mapped_column(BigInteger)
    type: Mapped[str] = mapped_column(String(60))
    subject: Mapped[str] = mapped_column(String(80))
    by: Mapped[str] = mapped_column(String(20))
    at: Mapped[datetime]
    state: Mapped[str] = mapped_column(String(9), default="waiting")
    first_tried_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]


class WebhookAttempt(ClinicRow, Base):
    """One try: when it began, how long it took, what status came (null: none), and why it failed, in a word."""

    __tablename__ = "webhook_attempt"

    delivery_id: Mapped[UUID] = mapped_column(ForeignKey("webhook_delivery.id"), index=True)
    at: Mapped[datetime]
    milliseconds: Mapped[int]
    status: Mapped[int | None]
    error: Mapped[str | None] = mapped_column(String(20))
