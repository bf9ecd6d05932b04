"""Who is signed in, and the one-time links that let them in."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from config.db import Base, ClinicRow


class StaffSession(ClinicRow, Base):
    """A signed-in browser: fifteen idle minutes, twelve hours at most, ended at once by revocation."""

    __tablename__ = "staff_session"

    staff_id: Mapped[UUID] = mapped_column(ForeignKey("staff.id"), index=True)
    token_hash: Mapped[bytes] = mapped_column(unique=True)
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class SignInLink(ClinicRow, Base):
    """A one-time link: kind invite (choose a password) or once (come in, as the demo prints it)."""

    __tablename__ = "sign_in_link"

    staff_id: Mapped[UUID] = mapped_column(ForeignKey("staff.id"), index=True)
    token_hash: Mapped[bytes] = mapped_column(unique=True)
    kind: Mapped[str] = mapped_column(String(8))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
