"""The addresses of a clinic's programs: made, tried out, paused, given another secret, and what was brought to them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import CursorResult, func, select, update
from sqlalchemy.orm import Session

from config import audit, clock, public_internet, queue, runtime
from messaging.event_webhooks import guard, schedule, signing
from messaging.event_webhooks.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint
from messaging.models import Clinic
from messaging.programs import events

LANE = "event_webhooks"
LONGEST_NAME, MOST_ENDPOINTS = 80, 20
TEST = "webhook.test"


class MayNot(Exception):
    """An endpoint that is not made or changed; `problems` names what is wrong by field, each in one word."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


@dataclass(frozen=True)
class Wanted:
    """What an endpoint should be called, where it is, and of which kinds of event (programs.events) it hears."""

    name: str
    url: str
    kinds: Collection[str] = events.KINDS


def make(session: Session, clinic: Clinic, wanted: Wanted, *, actor: str) -> WebhookEndpoint:
    """Make an endpoint that hears of what happens from now on, under a secret of its own. Raises MayNot."""
    _check(wanted)
    if len(of_clinic(session, clinic.id)) >= MOST_ENDPOINTS:
        raise MayNot({"name": "many"})
    now = clock.now()
    made = WebhookEndpoint(
        clinic_id=clinic.id,
        key_id=clinic.key_id,
        name=wanted.name.strip(),
        url=wanted.url.strip(),
        secret=signing.new_secret(),
        kinds=_in_order(wanted.kinds),
        state="on",
        seq=events.newest(session, clinic.id),
        hold_until=now,
        served_at=now,
        created_by=actor,
        created_at=now,
        changed_at=now,
    )
    session.add(made)
    session.flush()
    _write_down(session, made, "created", actor, kinds=",".join(made.kinds))
    return made


def change(session: Session, endpoint: WebhookEndpoint, wanted: Wanted, *, actor: str) -> None:
    """Give an endpoint another name, address or choice of kinds. Raises MayNot."""
    _check(wanted)
    endpoint.name, endpoint.url, endpoint.kinds = wanted.name.strip(), wanted.url.strip(), _in_order(wanted.kinds)
    endpoint.changed_at = clock.now()
    _write_down(session, endpoint, "changed", actor, kinds=",".join(endpoint.kinds))


def _check(wanted: Wanted) -> None:
    problems, name = {}, wanted.name.strip()
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        problems["name"] = "name"
    if not wanted.kinds or not set(wanted.kinds) <= set(events.KINDS):
        problems["kinds"] = "kinds"
    try:
        guard.read(wanted.url.strip(), loopback=runtime.settings().webhooks_to_loopback)
    except public_internet.Refused as refused:
        problems["url"] = refused.why
    if problems:
        raise MayNot(problems)


def _in_order(kinds: Collection[str]) -> list[str]:
    return [kind for kind in events.KINDS if kind in kinds]


def rotate(session: Session, endpoint: WebhookEndpoint, *, actor: str) -> None:
    """Give an endpoint another secret; the former signs as well for a while, the one before that no more."""
    now = clock.now()
    endpoint.old_secret, endpoint.old_secret_until = endpoint.secret, now + schedule.shipped().rotation
    endpoint.secret, endpoint.changed_at = signing.new_secret(), now
    _write_down(session, endpoint, "rotated", actor)


def secrets(endpoint: WebhookEndpoint, now: datetime) -> list[str]:
    """Return the secrets that sign now, the newest first."""
    old = endpoint.old_secret if endpoint.old_secret_until is not None and endpoint.old_secret_until > now else None
    return [secret for secret in (endpoint.secret, old) if secret]


def pause(session: Session, endpoint: WebhookEndpoint, *, actor: str) -> bool:
    """Bring nothing there until somebody resumes it; False if nothing was brought anyway."""
    if endpoint.state != "on":
        return False
    endpoint.state, endpoint.why, endpoint.changed_at = "paused", None, clock.now()
    _write_down(session, endpoint, "paused", actor)
    return True


def resume(session: Session, endpoint: WebhookEndpoint, *, missed: bool, actor: str) -> bool:
    """Bring events there again: also those that were `missed` meanwhile, or only what happens from now on."""
    if endpoint.state == "on":
        return False
    now = clock.now()
    waiting = update(WebhookDelivery).where(
        WebhookDelivery.endpoint_id == endpoint.id, WebhookDelivery.state == "waiting"
    )
    if missed:
        session.execute(waiting.values(try_after=now, attempts=0, first_tried_at=None))
    else:
        endpoint.seq = events.newest(session, endpoint.clinic_id)
        session.execute(waiting.values(state="given_up", ended_at=now))
    endpoint.state, endpoint.why, endpoint.changed_at, endpoint.hold_until = "on", None, now, now
    forgive(endpoint)
    _write_down(session, endpoint, "resumed", actor, missed="brought" if missed else "left")
    queue.ring(session, LANE)
    return True


def forgive(endpoint: WebhookEndpoint) -> None:
    """Count the tries in vain anew."""
    endpoint.failures, endpoint.failing_since, endpoint.notices = 0, None, 0


def switch_off(session: Session, endpoint: WebhookEndpoint, why: str) -> None:
    """Bring nothing there any more, as it is gone or has not answered for days: until a person resumes it."""
    endpoint.state, endpoint.why, endpoint.changed_at = "off", why, clock.now()
    _write_down(session, endpoint, "switched_off", audit.Actor.system("webhooks"), why=why)


def remove(session: Session, endpoint: WebhookEndpoint, *, actor: str) -> None:
    """Take an endpoint off the list: nothing is brought there any more, its secrets are kept no longer."""
    now = clock.now()
    endpoint.state, endpoint.why, endpoint.removed_at, endpoint.changed_at = "off", None, now, now
    endpoint.secret, endpoint.old_secret, endpoint.old_secret_until, endpoint.url = "", None, None, ""
    waiting = WebhookDelivery.endpoint_id == endpoint.id, WebhookDelivery.state == "waiting"
    session.execute(update(WebhookDelivery).where(*waiting).values(state="given_up", ended_at=now))
    _write_down(session, endpoint, "removed", actor)


def test(session: Session, endpoint: WebhookEndpoint, *, actor: str) -> WebhookDelivery:
    """Bring a made-up event there, once and in whatever state it is."""
    now = clock.now()
    sent = WebhookDelivery(
        clinic_id=endpoint.clinic_id,
        endpoint_id=endpoint.id,
        type=TEST,
        subject=f"webhook_endpoint:{endpoint.id}",
        by=audit.Actor(actor).kind,
        at=now,
        state="waiting",
        try_after=now,
    )
    session.add(sent)
    session.flush()
    _write_down(session, endpoint, "tested", actor)
    queue.ring(session, LANE)
    return sent


def resend(session: Session, endpoint: WebhookEndpoint, deliveries: Collection[UUID], *, actor: str) -> int:
    """Bring these deliveries again that are over; return how many."""
    return _again(session, endpoint, actor, WebhookDelivery.id.in_(deliveries))


def resend_range(
    session: Session, endpoint: WebhookEndpoint, begin: datetime, end: datetime, *, only_failed: bool, actor: str
) -> int:
    """Bring again what happened from `begin` to before `end` and is over; return how many deliveries that is."""
    failed = [WebhookDelivery.state == "given_up"] if only_failed else []
    return _again(session, endpoint, actor, WebhookDelivery.at >= begin, WebhookDelivery.at < end, *failed)


def _again(session: Session, endpoint: WebhookEndpoint, actor: str, *which: object) -> int:
    over = update(WebhookDelivery).where(
        WebhookDelivery.endpoint_id == endpoint.id,
        WebhookDelivery.state != "waiting",
        *which,  # type: ignore[arg-type]
    )
    fresh = over.values(state="waiting", try_after=clock.now(), attempts=0, first_tried_at=None, ended_at=None)
    done: CursorResult[object] = session.execute(fresh)  # type: ignore[assignment]
    if done.rowcount:
        _write_down(session, endpoint, "sent_again", actor, count=done.rowcount)
        queue.ring(session, LANE)
    return done.rowcount


def of_clinic(session: Session, clinic_id: UUID) -> Sequence[WebhookEndpoint]:
    """Return the clinic's endpoints, the oldest first."""
    there = select(WebhookEndpoint).where(WebhookEndpoint.clinic_id == clinic_id, WebhookEndpoint.removed_at.is_(None))
    return session.scalars(there.order_by(WebhookEndpoint.id)).all()


def find(session: Session, clinic_id: UUID, endpoint_id: UUID, *, lock: bool = False) -> WebhookEndpoint | None:
    """Return the clinic's endpoint of this id, None where there is none."""
    wanted = select(WebhookEndpoint).where(
        WebhookEndpoint.clinic_id == clinic_id,
        WebhookEndpoint.id == endpoint_id,
        WebhookEndpoint.removed_at.is_(None),
    )
    return session.scalar(wanted.with_for_update() if lock else wanted)


def counts(session: Session, endpoint_ids: Collection[UUID]) -> dict[UUID, dict[str, int]]:
    """Return for each endpoint how many of its deliveries are in which state."""
    found: dict[UUID, dict[str, int]] = {}
    grouped = select(WebhookDelivery.endpoint_id, WebhookDelivery.state, func.count()).where(
        WebhookDelivery.endpoint_id.in_(endpoint_ids)
    )
    for endpoint_id, state, count in session.execute(
        grouped.group_by(WebhookDelivery.endpoint_id, WebhookDelivery.state)
    ):
        found.setdefault(endpoint_id, {})[state] = count
    return found


def deliveries(
    session: Session, endpoint: WebhookEndpoint, *, state: str | None, before: UUID | None, limit: int
) -> Sequence[WebhookDelivery]:
    """Return the endpoint's newest deliveries made before the one of this id, the newest first."""
    wanted = select(WebhookDelivery).where(WebhookDelivery.endpoint_id == endpoint.id)
    if state is not None:
        wanted = wanted.where(WebhookDelivery.state == state)
    if before is not None:
        wanted = wanted.where(WebhookDelivery.id < before)
    return session.scalars(wanted.order_by(WebhookDelivery.id.desc()).limit(limit)).all()


def attempts(session: Session, delivery_ids: Collection[UUID]) -> dict[UUID, list[WebhookAttempt]]:
    """Return every try of these deliveries, the oldest first."""
    found: dict[UUID, list[WebhookAttempt]] = {}
    made = select(WebhookAttempt).where(WebhookAttempt.delivery_id.in_(delivery_ids))
    for attempt in session.scalars(made.order_by(WebhookAttempt.id)):
        found.setdefault(attempt.delivery_id, []).append(attempt)
    return found


def _write_down(session: Session, endpoint: WebhookEndpoint, act: str, actor: str, **detail: str | int) -> None:
    about = f"webhook_endpoint:{endpoint.id}"
    audit.record(session, endpoint.clinic_id, actor, f"webhook_endpoint.{act}", about, **detail)
