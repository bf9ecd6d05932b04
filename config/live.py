"""What open pages ask Redis each second: has anything changed, and who else is here. Forgetting it all loses nothing.

A topic of a clinic, such as "conversation:<id>", has a version that is another after each commit that touched it;
beside them each clinic has marks that fade after some seconds: who looks at what. Rows carry the truth, this saves
asking them.
"""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from redis import Redis
from sqlalchemy import event
from sqlalchemy.orm import Session

from config import clock, db, queue

A_DAY = 24 * 3600
# One question and two lines of answer: two hundred pages ask it each second, and reading a long answer costs the most.
# KEYS: the marks, then the topics. ARGV: now, then for each mark to leave until when, and the mark.
_LOOK = """
for i = 2, #ARGV, 2 do redis.call('ZADD', KEYS[1], ARGV[i], ARGV[i + 1]) end
if #ARGV > 1 then redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[1]) end
local versions = redis.call('MGET', unpack(KEYS, 2))
for i = 1, #versions do versions[i] = versions[i] or '' end
local marks = redis.call('ZRANGEBYSCORE', KEYS[1], ARGV[1], '+inf')
return {table.concat(versions, '\\n'), table.concat(marks, '\\n')}
"""


class Shown:
    """A row that open pages show: writing one tells those who look at any of its topics, after the commit."""

    clinic_id: Any

    def topics(self) -> Iterable[str]:
        """Return the topics that are another once this row has changed; ids only."""
        raise NotImplementedError


@dataclass(frozen=True)
class Seen:
    """What Redis said: the version of each topic asked for ("" if it knows none), and the clinic's marks."""

    versions: list[str]
    marks: list[str]


@event.listens_for(Session, "after_flush")
def _notice(session: Session, _context: Any) -> None:
    for row in (*session.new, *session.dirty, *session.deleted):
        if isinstance(row, Shown) and (row not in session.dirty or session.is_modified(row)):
            bump(session, row.clinic_id, *row.topics())


def bump(session: Session, clinic_id: UUID, *topics: str) -> None:
    """Give `topics` new versions after the outermost commit; failing is forgotten: pages also look by themselves."""
    changed: set[str] = session.info.setdefault("live", set())
    changed.update(_key(clinic_id, topic) for topic in topics)
    if changed:
        db.on_commit(session, "live", partial(_tell, changed))


def _tell(keys: set[str]) -> None:
    queue.ask(partial(_renew, sorted(keys)))


def _renew(keys: Sequence[str], redis: Redis) -> None:
    # Random and not counted: a Redis that has forgotten must never come to a version that a page already has.
    version = secrets.token_urlsafe(9)
    for start in range(0, len(keys), 500):
        pipe = redis.pipeline(transaction=False)
        for key in keys[start : start + 500]:
            pipe.set(key, version, ex=A_DAY)
        pipe.execute()


def look(clinic_id: UUID, topics: Sequence[str], leaving: Mapping[str, float]) -> Seen | None:
    """Return the versions of `topics` and the clinic's marks, in one round trip; None when Redis does not answer.

    `leaving` maps marks to leave to the seconds after which they fade.
    """
    now = clock.now().timestamp()
    keys = [f"warmthread:here:{clinic_id}", *(_key(clinic_id, topic) for topic in topics)]
    until = [part for mark, seconds in leaving.items() for part in (now + seconds, mark)]
    answer = queue.ask(lambda redis: redis.eval(_LOOK, len(keys), *keys, now, *until))
    if answer is None:
        return None
    versions, marks = answer
    return Seen(versions.decode().split("\n"), sorted(marks.decode("utf-8", "replace").split("\n")) if marks else [])


def _key(clinic_id: UUID, topic: str) -> str:
    return f"warmthread:live:{clinic_id}:{topic}"
