"""A POST is done once, however often it is sent: the answer is kept for a day, sealed, and given again.

By draft-ietf-httpapi-idempotency-key-header: 400 without a key, 409 while the first runs, 422 for another request.
"""

import hmac
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from api.models import ApiAnswer
from api.operations import Answer, Operation
from api.problems import Problem
from config import clock, db, keys
from messaging.models import Clinic
from messaging.programs.keys import Program

KEPT = timedelta(hours=24)
# No request runs for longer; who stopped in the middle has done nothing, and may be followed.
LEASE = timedelta(seconds=60)
KEY = re.compile(r'"([\x20-\x21\x23-\x7e]{1,255})"|([\x21\x23-\x7e]{1,255})')
BATCH = 500


@dataclass(frozen=True)
class Asked:
    """A POST: which operation at which path, by whom, under which key, and the JSON it carries."""

    program: Program
    operation: Operation
    path: str
    key: str
    content: str

    @property
    def token_hash(self) -> bytes:
        """What is kept of the Idempotency-Key."""
        return keys.token_hash(self.key)

    @property
    def fingerprint(self) -> bytes:
        """What tells this request from another, whatever spaces it was written with."""
        same = f"{self.path}\n{self.content}".encode("utf-8", "surrogatepass")
        return hmac.digest(keys.ring().secret("api.fingerprints"), same, "sha256")


@dataclass(frozen=True)
class Given:
    """An answer as it is sent, for the first time or again."""

    status: int
    text: str
    replayed: bool


def key_of(header: str | None) -> str:
    """Return the key that a header names, quoted or bare. Raises Problem."""
    match = KEY.fullmatch((header or "").strip())
    if match is None:
        raise Problem("key_missing")
    return match[1] or match[2]


def done(asked: Asked, act: Callable[[Session, UUID], Answer]) -> Given:
    """Do it, unless it was done before: then return that answer. Raises Problem, and has done nothing then."""
    begun = _begin(asked)
    if isinstance(begun, Given):
        return begun
    answer_id, claim = begun
    try:
        with db.unit_of_work(asked.program.clinic_id) as session:
            answer = act(session, answer_id)
            return _keep(session, answer_id, claim, answer)
    except BaseException:
        _give_up(asked, claim)
        raise


def _begin(asked: Asked) -> Given | tuple[UUID, UUID]:
    with db.unit_of_work(asked.program.clinic_id) as session:
        try:
            with session.begin_nested():
                before = _before(session, asked)
                return _new(session, asked) if before is None else _again(asked, before)
        except IntegrityError:  # another one began at this very moment
            raise Problem("running", headers={"Retry-After": "1"}) from None


def _before(session: Session, asked: Asked) -> ApiAnswer | None:
    same = select(ApiAnswer).where(
        ApiAnswer.api_key_id == asked.program.key_id,
        ApiAnswer.operation == asked.operation.name,
        ApiAnswer.token_hash == asked.token_hash,
    )
    before = session.scalar(same.with_for_update())
    if before is not None and before.created_at < clock.now() - KEPT:
        session.delete(before)
        session.flush()
        return None
    return before


def _new(session: Session, asked: Asked) -> tuple[UUID, UUID]:
    now, clinic = clock.now(), session.get_one(Clinic, asked.program.clinic_id)
    fresh = ApiAnswer(
        clinic_id=clinic.id,
        key_id=clinic.key_id,
        api_key_id=asked.program.key_id,
        operation=asked.operation.name,
        token_hash=asked.token_hash,
        fingerprint=asked.fingerprint,
        claim=db.new_id(),
        lease_until=now + LEASE,
        created_at=now,
    )
    session.add(fresh)
    session.flush()
    return fresh.id, fresh.claim


def _again(asked: Asked, before: ApiAnswer) -> Given | tuple[UUID, UUID]:
    if not hmac.compare_digest(before.fingerprint, asked.fingerprint):
        raise Problem("key_reused")
    if before.status is not None:
        return Given(before.status, before.body or "", replayed=True)
    now = clock.now()
    if before.lease_until > now:
        raise Problem("running", headers={"Retry-After": "1"})
    before.claim, before.lease_until = db.new_id(), now + LEASE
    return before.id, before.claim


def _keep(session: Session, answer_id: UUID, claim: UUID, answer: Answer) -> Given:
    """Keep the answer in the transaction of the act: neither is there without the other."""
    mine = select(ApiAnswer).where(ApiAnswer.id == answer_id, ApiAnswer.claim == claim, ApiAnswer.status.is_(None))
    row = session.scalar(mine.with_for_update())
    if row is None:
        raise Problem("conflict")
    row.status, row.body = answer.status, text_of(answer)
    return Given(answer.status, row.body or "", replayed=False)


def text_of(answer: Answer) -> str:
    """Return an answer as JSON; a page that ends says nothing of a next one."""
    body = answer.body.model_dump(mode="json")
    absent = [name for name in ("next", "last") if name in body and body[name] is None and "items" in body]
    return json.dumps({name: value for name, value in body.items() if name not in absent}, ensure_ascii=False)


def _give_up(asked: Asked, claim: UUID) -> None:
    """Nothing was done: the key is free again, for the same request or a mended one."""
    with db.unit_of_work(asked.program.clinic_id) as session:
        session.execute(delete(ApiAnswer).where(ApiAnswer.claim == claim, ApiAnswer.status.is_(None)))


def drain() -> int:
    """Forget answers that are a day old; return how many."""
    with db.unit_of_work(db.EVERY) as session:
        old = session.scalars(select(ApiAnswer.id).where(_over(clock.now())).limit(BATCH)).all()
        session.execute(delete(ApiAnswer).where(ApiAnswer.id.in_(old)))
    return len(old)


def oldest(session: Session, now: datetime) -> datetime | None:
    """Return since when an answer should be forgotten."""
    made = session.scalar(select(func.min(ApiAnswer.created_at)).where(_over(now)))
    return made + KEPT if made else None


def _over(now: datetime) -> ColumnElement[bool]:
    return ApiAnswer.created_at < now - KEPT
