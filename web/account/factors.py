"""What somebody proves themselves by beside a password: an app that shows codes, and codes for whoever has lost it.

Nobody but the person sets or removes any of it. A code is one of thirty seconds (TOTP, RFC 6238), of this step or the
one before or after it, and each step is good once.
"""

import hmac
import secrets
from uuid import UUID

import pyotp
import segno
from sqlalchemy import delete, exists, func, select, update
from sqlalchemy.orm import Session

from config import clock, keys
from messaging.models import Clinic, Staff
from web.models import CodeDevice, Passkey, RecoveryCode

STEP_SECONDS = 30
ISSUER = "Warmthread"
CODES, GROUPS, GROUP = 10, 4, 4
# Without letters and digits that are taken for each other: 80 bits in sixteen.
LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"


def has(session: Session, staff_id: UUID) -> bool:
    """Whether somebody has anything to prove themselves by beside a password."""
    app = select(CodeDevice.id).where(CodeDevice.staff_id == staff_id, CodeDevice.confirmed_at.is_not(None))
    passkey = select(Passkey.id).where(Passkey.staff_id == staff_id)
    return bool(session.scalar(select(exists(app) | exists(passkey))))


def device(session: Session, staff_id: UUID) -> CodeDevice | None:
    """Return somebody's app, also one that no code has confirmed yet."""
    return session.scalar(select(CodeDevice).where(CodeDevice.staff_id == staff_id))


def begin(session: Session, staff: Staff) -> bool:
    """Make a secret for an app anew; False where a confirmed one is there, which has to be removed first."""
    session.get_one(Staff, staff.id, with_for_update=True)
    app = device(session, staff.id)
    if app is None:
        app = CodeDevice(clinic_id=staff.clinic_id, staff_id=staff.id, key_id=staff.key_id)
        session.add(app)
    elif app.confirmed_at is not None:
        return False
    app.secret, app.made_at, app.last_step = pyotp.random_base32(), clock.now(), 0
    session.flush()
    return True


def address(app: CodeDevice, staff: Staff, clinic: Clinic) -> str:
    """Return what an app reads: the secret, whose it is, and what for."""
    totp = pyotp.TOTP(app.secret or "")
    return totp.provisioning_uri(name=f"{staff.email} ({clinic.name})", issuer_name=ISSUER)


def picture(text: str) -> str:
    """Return a QR code as SVG that stands in the page itself: the secret is asked for nowhere else."""
    return segno.make(text, error="m").svg_inline(omitsize=True, border=2, svgclass="qr", lineclass=None)


def confirm(session: Session, staff: Staff, typed: str) -> bool:
    """Take somebody's app as theirs by a code of it."""
    app = device(session, staff.id)
    if app is None or app.confirmed_at is not None or not _take_step(session, app, typed):
        return False
    app.confirmed_at = clock.now()
    return True


def take(session: Session, staff_id: UUID, typed: str) -> str | None:
    """Spend a code as typed; return what it was, "code" or "recovery", or None where it is not good."""
    plain = "".join(typed.split()).replace("-", "").lower()
    if plain.isascii() and plain.isdecimal() and len(plain) == 6:
        app = device(session, staff_id)
        good = app is not None and app.confirmed_at is not None and _take_step(session, app, plain)
        return "code" if good else None
    spent = update(RecoveryCode).where(
        RecoveryCode.staff_id == staff_id,
        RecoveryCode.code_hash == keys.token_hash(plain),
        RecoveryCode.used_at.is_(None),
    )
    row = session.execute(spent.values(used_at=clock.now()).returning(RecoveryCode.id)).first()
    return "recovery" if row else None


def _take_step(session: Session, app: CodeDevice, typed: str) -> bool:
    totp, now = pyotp.TOTP(app.secret or ""), int(clock.now().timestamp()) // STEP_SECONDS
    given = typed.strip().encode("utf-8", "replace")
    near = (now - 1, now, now + 1)
    fitting = [step for step in near if hmac.compare_digest(totp.generate_otp(step).encode(), given)]
    if not fitting:
        return False
    # Of two that come with the same code at once, the database lets one pass.
    taken = update(CodeDevice).where(CodeDevice.id == app.id, CodeDevice.last_step < fitting[0])
    return session.execute(taken.values(last_step=fitting[0]).returning(CodeDevice.id)).first() is not None


def new_codes(session: Session, staff: Staff) -> list[str]:
    """Make ten recovery codes in place of those there were; they are returned this once."""
    session.execute(delete(RecoveryCode).where(RecoveryCode.staff_id == staff.id))
    codes = ["".join(secrets.choice(LETTERS) for _ in range(GROUPS * GROUP)) for _ in range(CODES)]
    for code in codes:
        row = RecoveryCode(clinic_id=staff.clinic_id, staff_id=staff.id, code_hash=keys.token_hash(code))
        session.add(row)
    session.flush()
    return ["-".join(code[at : at + GROUP] for at in range(0, len(code), GROUP)) for code in codes]


def codes_left(session: Session, staff_id: UUID) -> int:
    """Return how many recovery codes somebody has not used."""
    unused = select(func.count()).where(RecoveryCode.staff_id == staff_id, RecoveryCode.used_at.is_(None))
    return session.scalar(unused) or 0


def remove_app(session: Session, staff_id: UUID) -> None:
    """Let somebody's app prove nothing any more."""
    session.execute(delete(CodeDevice).where(CodeDevice.staff_id == staff_id))
    forget_codes(session, staff_id)


def forget_codes(session: Session, staff_id: UUID) -> None:
    """Let nobody keep recovery codes who has nothing they could be used in place of."""
    session.flush()
    if not has(session, staff_id):
        session.execute(delete(RecoveryCode).where(RecoveryCode.staff_id == staff_id))
