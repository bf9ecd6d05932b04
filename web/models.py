"""Who is signed in and by what they prove themselves, the links that let them in, and what each keeps: drafts, filters,
what they have read."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from config import live
from config.db import Base, ClinicRow, Sealed, SealedJson, SealedRow


class StaffSession(ClinicRow, live.Shown, Base):
    """A signed-in browser: fifteen idle minutes, twelve hours at most, ended at once by revocation.

    `how` somebody came in: password | passkey | invite | reset | once | demo | sso; `factor` what they proved beside
    it: code | passkey | recovery, provider where the identity provider asked for it, reset where two administrators let
    them in without, None for nothing. `browser` as
    web.account.browsers names it; `recovery_id` the AccessRecovery that nobody has confirmed yet. All None in sessions
    from before they were kept. `proved_at` is when they last proved who they are beside signing in. `provider_session`
    is a keyed hash of what the identity provider calls its own session, None where it says nothing.
    """

    __tablename__ = "staff_session"

    staff_id: Mapped[UUID] = mapped_column(ForeignKey("staff.id"), index=True)
    token_hash: Mapped[bytes] = mapped_column(unique=True)
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    how: Mapped[str | None] = mapped_column(String(8))
    factor: Mapped[str | None] = mapped_column(String(8))
    browser: Mapped[str | None] = mapped_column(String(60))
    recovery_id: Mapped[UUID | None]
    proved_at: Mapped[datetime | None]
    provider_session: Mapped[bytes | None] = mapped_column(index=True)

    def topics(self) -> Iterable[str]:
        """Whoever polls as this person is to be asked again who they are."""
        return [f"staff:{self.staff_id}"]


class SignInLink(ClinicRow, Base):
    """A one-time link: kind invite or reset (choose a password), or once (come in, as the demo prints it).

    `used_at` is when it stopped letting anybody in; `revoked_at` the same moment where nobody had come in by it.
    """

    __tablename__ = "sign_in_link"

    staff_id: Mapped[UUID] = mapped_column(ForeignKey("staff.id"), index=True)
    token_hash: Mapped[bytes] = mapped_column(unique=True)
    kind: Mapped[str] = mapped_column(String(8))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class CodeDevice(SealedRow, Base):
    """An app that shows codes (TOTP, RFC 6238): one for each person, good once a code of it has confirmed it.

    `last_step` is the newest step of thirty seconds that a code was taken of: none of it or before is taken again.
    """

    __tablename__ = "code_device"
    __table_args__ = (UniqueConstraint("staff_id"),)

    staff_id: Mapped[UUID] = mapped_column(ForeignKey("staff.id"))
    secret_ct: Mapped[bytes]
    last_step: Mapped[int] = mapped_column(BigInteger, default=0)
    made_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]

    secret = Sealed("secret_ct")


class LogoutToken(ClinicRow, Base):
    """A keyed hash of the id of a logout token that an identity provider sent: none is taken twice."""

    __tablename__ = "logout_token"
    __table_args__ = (UniqueConstraint("clinic_id", "token"),)

    token: Mapped[bytes]
    used_at: Mapped[datetime]


class ProviderSecret(SealedRow, Base):
    """What the clinic proves itself by to its identity provider (web.account.sso_client): one, and the newest."""

    __tablename__ = "provider_secret"
    __table_args__ = (UniqueConstraint("clinic_id"),)

    secret_ct: Mapped[bytes]
    changed_by: Mapped[str] = mapped_column(String(60))
    changed_at: Mapped[datetime]

    secret = Sealed("secret_ct")


class RecoveryCode(ClinicRow, Base):
    """A code for whoever has lost what they prove themselves by, shown once and good once; only a hash is kept."""

    __tablename__ = "recovery_code"
    __table_args__ = (UniqueConstraint("code_hash"),)

    staff_id: Mapped[UUID] = mapped_column(ForeignKey("staff.id"), index=True)
    code_hash: Mapped[bytes]
    used_at: Mapped[datetime | None]


class Passkey(ClinicRow, Base):
    """A WebAuthn credential, with which somebody comes in without a password: the device asks who holds it.

    `sign_count` is the device's own count of uses; `used_at` is also how an older question of ours is known for one.
    """

    __tablename__ = "passkey"
    __table_args__ = (UniqueConstraint("credential_id"),)

    staff_id: Mapped[UUID] = mapped_column(ForeignKey("staff.id"), index=True)
    credential_id: Mapped[bytes]
    public_key: Mapped[bytes]
    sign_count: Mapped[int] = mapped_column(BigInteger)
    name: Mapped[str] = mapped_column(String(60))
    made_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class AccessRecovery(ClinicRow, Base):
    """Two administrators let a colleague in who has lost phone and codes; a third look confirms that it was them.

    asked -> agreed by another within a day -> used within a day after that -> confirmed. What the colleague does
    between being used and being confirmed is marked in the audit.
    """

    __tablename__ = "access_recovery"

    staff_id: Mapped[UUID] = mapped_column(ForeignKey("staff.id"), index=True)
    asked_by: Mapped[UUID] = mapped_column(ForeignKey("staff.id"))
    asked_at: Mapped[datetime]
    agreed_by: Mapped[UUID | None] = mapped_column(ForeignKey("staff.id"))
    agreed_at: Mapped[datetime | None]
    used_at: Mapped[datetime | None]
    confirmed_by: Mapped[UUID | None] = mapped_column(ForeignKey("staff.id"))
    confirmed_at: Mapped[datetime | None]


class AccessRequest(SealedRow, Base):
    """An administrator's wish that somebody read patients' words or decide here, which a second person agrees to.

    `what` is invite | change | return | link, `staff_id` whom it concerns (None until an invitation is agreed to), and
    `role` what they would be. `facts` has name, email, languages, panels and number as they were asked for, in `was`
    how the colleague stood then, and in `nobody` whether nobody here could agree; gone once the request has ended.
    `outcome` is None | agreed | waited (nobody could agree, and nobody said no for three days) | refused | withdrawn |
    replaced; `ended_by` an actor. One older than web.settings.access_requests.VALID waits no more.
    """

    __tablename__ = "access_request"

    what: Mapped[str] = mapped_column(String(8))
    staff_id: Mapped[UUID | None] = mapped_column(ForeignKey("staff.id"), index=True)
    role: Mapped[str] = mapped_column(String(30))
    facts_ct: Mapped[bytes | None]
    asked_by: Mapped[UUID] = mapped_column(ForeignKey("staff.id"))
    asked_at: Mapped[datetime]
    outcome: Mapped[str | None] = mapped_column(String(10))
    ended_by: Mapped[str | None] = mapped_column(String(60))
    ended_at: Mapped[datetime | None]

    facts = SealedJson("facts_ct", dict)


class AccountChange(ClinicRow, Base):
    """Something about how a colleague signs in that was new to them: what (a key of [account_changes]) and who did it.

    `actor` is as audit lines have it.
    """

    __tablename__ = "account_change"
    __table_args__ = (Index("ix_account_change_staff_at", "staff_id", "at"),)

    staff_id: Mapped[UUID] = mapped_column(ForeignKey("staff.id"))
    at: Mapped[datetime]
    what: Mapped[str] = mapped_column(String(20))
    actor: Mapped[str] = mapped_column(String(60))


class Draft(SealedRow, Base):
    """What somebody has begun to write to a patient: one for each person and thread, cleared by nobody but its author.

    `thread` is as InboxItem.thread says it. `seen_id` is the last text the author
    had before their eyes; `compose_id` makes the text one text, however often it is sent.
    """

    __tablename__ = "draft"
    __table_args__ = (UniqueConstraint("staff_id", "thread"),)

    staff_id: Mapped[UUID] = mapped_column(ForeignKey("staff.id"))
    thread: Mapped[str] = mapped_column(String(60))
    body_ct: Mapped[bytes]
    compose_id: Mapped[UUID]
    seen_id: Mapped[UUID | None]
    updated_at: Mapped[datetime]

    body = Sealed("body_ct")


class ReadingMark(ClinicRow, Base):
    """When somebody last had a thread before their eyes; `thread` is as InboxItem.thread says it, or "inbox_item:<id>"
    where they saw that item and not the rest of its thread."""

    __tablename__ = "reading_mark"
    __table_args__ = (UniqueConstraint("staff_id", "thread"),)

    staff_id: Mapped[UUID] = mapped_column(ForeignKey("staff.id"))
    thread: Mapped[str] = mapped_column(String(60))
    at: Mapped[datetime]


class SavedFilter(SealedRow, Base):
    """A way of looking at the list that somebody has named; `query` as web.presenters.filters reads it.

    Both are sealed under the clinic's key, so that web.inbox.saved_filters sees to it that no name stands there twice.
    """

    __tablename__ = "saved_filter"

    staff_id: Mapped[UUID] = mapped_column(ForeignKey("staff.id"), index=True)
    name_ct: Mapped[bytes]
    query_ct: Mapped[bytes]
    created_at: Mapped[datetime]

    name = Sealed("name_ct")
    query = SealedJson("query_ct", dict)


class DutyFeed(ClinicRow, Base):
    """An address by which a colleague's own calendar reads their duty (web.account.duty_feed); revoked, it is gone."""

    __tablename__ = "duty_feed"
    __table_args__ = (UniqueConstraint("staff_id"),)

    staff_id: Mapped[UUID] = mapped_column(ForeignKey("staff.id"))
    token_hash: Mapped[bytes] = mapped_column(unique=True)
    made_at: Mapped[datetime]
    read_at: Mapped[datetime | None]


class EmergencyAccess(SealedRow, Base):
    """One patient opened, to be read for a limited time, by somebody whose role does not reach them ("break-glass").

    `why` is a key of [emergency_reasons], `reason` what they wrote themselves; it is over at `ends_at`, or at
    `ended_at` where they closed it before. Somebody else looks at it afterwards: `finding` in_order | follow_up, with
    their `note`.
    """

    __tablename__ = "emergency_access"
    __table_args__ = (
        Index("ix_emergency_access_staff_patient", "staff_id", "patient_id"),
        Index("ix_emergency_access_clinic_began", "clinic_id", "began_at"),
    )

    staff_id: Mapped[UUID] = mapped_column(ForeignKey("staff.id"))
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"), index=True)
    why: Mapped[str] = mapped_column(String(20))
    reason_ct: Mapped[bytes]
    began_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    reviewed_by: Mapped[UUID | None] = mapped_column(ForeignKey("staff.id"))
    reviewed_at: Mapped[datetime | None]
    finding: Mapped[str | None] = mapped_column(String(10))
    note_ct: Mapped[bytes | None]

    reason = Sealed("reason_ct")
    note = Sealed("note_ct")
