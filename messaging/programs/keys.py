"""Makes, lists and revokes the keys of a clinic's programs, and says whose a token is."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from config import audit, clock, db, keys
from messaging.models import Clinic, Staff
from messaging.programs import scopes
from messaging.programs.models import ApiKey

# By which scanners of code know that somebody has published a key.
PREFIX = "wtk_"
LONGEST_TOKEN = 100
LONGEST_NAME = 80
LONGEST_LIFE = 366
# Written down no more often: the row is read with each request.
USE_SHOWN = timedelta(minutes=1)


class MayNot(ValueError):
    """No key is made. `problems` says by field which rule is broken: name | scopes | days | staff."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__(", ".join(problems))
        self.problems = dict(problems)


@dataclass(frozen=True)
class Wanted:
    """A key to be made: its name, what it may, for how many days, and in whose name it acts (None: nobody's)."""

    name: str
    scopes: Collection[str]
    days: int
    staff: Staff | None = None


@dataclass(frozen=True)
class Program:
    """Whoever presents a key that is good: whose it is, what it may, and in whose name it acts."""

    key_id: UUID
    clinic_id: UUID
    scopes: frozenset[str]
    staff_id: UUID | None


def make(session: Session, clinic: Clinic, wanted: Wanted, *, actor: str) -> tuple[ApiKey, str]:
    """Make a key and return it with its token: the only time that it is known. Raises MayNot."""
    _check(clinic, wanted)
    token, now = PREFIX + keys.new_token(), clock.now()
    made = ApiKey(
        clinic_id=clinic.id,
        name=wanted.name.strip(),
        token_hash=keys.token_hash(token),
        scopes=[scope for scope in scopes.ALL if scope in wanted.scopes],
        staff_id=wanted.staff.id if wanted.staff else None,
        created_by=actor,
        created_at=now,
        expires_at=now + timedelta(days=wanted.days),
    )
    session.add(made)
    session.flush()
    acts_as = str(wanted.staff.id) if wanted.staff else None
    audit.record(
        session, clinic.id, actor, "api_key.created", f"api_key:{made.id}", scopes=",".join(made.scopes), staff=acts_as
    )
    return made, token


def _check(clinic: Clinic, wanted: Wanted) -> None:
    name, staff = wanted.name.strip(), wanted.staff
    broken = {
        "name": not name or len(name) > LONGEST_NAME or not name.isprintable(),
        "scopes": not wanted.scopes or not set(wanted.scopes) <= set(scopes.ALL),
        "days": not 1 <= wanted.days <= LONGEST_LIFE,
        "staff": staff is not None and (staff.clinic_id != clinic.id or not may_be_named(staff)),
    }
    if any(broken.values()):
        raise MayNot({field: field for field, wrong in broken.items() if wrong})


def may_be_named(staff: Staff) -> bool:
    """Whether a program may act in the name of this colleague."""
    return staff.active and not staff.locked_out and staff.role in scopes.ROLES


def of_clinic(session: Session, clinic: Clinic) -> list[ApiKey]:
    """Return every key that was ever made here, the newest first."""
    made = select(ApiKey).where(ApiKey.clinic_id == clinic.id)
    return list(session.scalars(made.order_by(ApiKey.created_at.desc(), ApiKey.id.desc())))


def state(key: ApiKey, now: datetime) -> str:
    """Return how a key stands: open | expired | revoked."""
    if key.revoked_at is not None:
        return "revoked"
    return "expired" if key.expires_at <= now else "open"


def revoke(session: Session, key: ApiKey, *, actor: str) -> bool:
    """Let nobody in by this key from now on; False if it was revoked before."""
    if key.revoked_at is not None:
        return False
    key.revoked_at, key.revoked_by = clock.now(), actor
    audit.record(session, key.clinic_id, actor, "api_key.revoked", f"api_key:{key.id}")
    return True


def revoke_in_name_of(session: Session, staff: Staff, *, actor: str) -> None:
    """Let nobody in by any key that acts in the name of this colleague."""
    for key in session.scalars(select(ApiKey).where(ApiKey.staff_id == staff.id, ApiKey.revoked_at.is_(None))):
        revoke(session, key, actor=actor)


def program_of(token: str) -> Program | None:
    """Return whose token it is; None for one that is unknown, expired or revoked, or whose colleague is gone."""
    if not token.startswith(PREFIX) or len(token) > LONGEST_TOKEN:
        return None
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        key = session.scalar(select(ApiKey).where(ApiKey.token_hash == keys.token_hash(token)))
        if key is None or state(key, clock.now()) != "open":
            return None
        if key.staff_id is not None and not may_be_named(session.get_one(Staff, key.staff_id)):
            return None
        return Program(key.id, key.clinic_id, frozenset(key.scopes), key.staff_id)


def used(session: Session, key_id: UUID) -> None:
    """Note that a key is in use."""
    key, now = session.get_one(ApiKey, key_id), clock.now()
    if key.last_used_at is None or key.last_used_at < now - USE_SHOWN:
        key.last_used_at = now
