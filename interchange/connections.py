"""How a feed's EHR is asked: set up, changed, paused, hurried, tried out; and what its events have told."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from config import audit, clock, db, ehr_settings, public_internet, queue, runtime
from interchange import feeds, pausing
from interchange.models import Feed, FeedConnection, FeedMessage, FeedNotice, FeedSeen
from interchange.polling import answers, keys, pacing, poller, slices
from interchange.polling.asking import Access, Asker, Trouble
from interchange.polling.events import Notice
from interchange.polling.pacing import Slice
from interchange.polling.subscriptions import Notification
from messaging.event_webhooks import guard
from messaging.event_webhooks.posting import Way
from messaging.models import Clinic

KINDS = ("fhir", "athena")
# The engine of an EHR that sends to us; it is asked nothing.
ENGINE = "hl7"
PRACTICE = re.compile(r"[0-9]{1,20}")
DAYS, PER_MINUTE = range(3, 366), range(1, 601)
DRY_SECONDS = 8.0
LATELY = timedelta(days=30)


class MayNot(ValueError):
    """A connection that is not set up: `problems` names what is wrong by field, each in one word."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


@dataclass(frozen=True)
class Wanted:
    """How an EHR is to be asked; `hub_secret` None leaves the one that is there."""

    kind: str
    base_url: str
    client_id: str
    practice: str = ""
    days_ahead: int = 60
    per_minute: int = 60
    hub_secret: str | None = None


@dataclass(frozen=True)
class Tried:
    """What asking once has shown: how many visits of the coming week there are, or why there is no answer."""

    visits: int = 0
    new: int = 0
    warns: Sequence[str] = ()
    granted: str = ""
    refused: str = ""


@dataclass(frozen=True)
class Standing:
    """How asking an EHR stands: how many days are still to be read in this pass, how many told events, and how many
    records it has not shown in the last 30 days."""

    days: int
    events: int
    restricted: int


def of(session: Session, feed: Feed, *, locked: bool = False) -> FeedConnection | None:
    """Return how a feed's EHR is asked, None where it is not."""
    own = select(FeedConnection).where(FeedConnection.feed_id == feed.id)
    return session.scalar(own.with_for_update() if locked else own)


def save(session: Session, feed: Feed, wanted: Wanted, actor: str) -> FeedConnection:
    """Set up how a feed's EHR is asked, or change it: it is then read from the beginning. Raises MayNot."""
    _check(wanted)
    row = of(session, feed, locked=True)
    if row is not None and row.kind == ENGINE:
        raise MayNot({"kind": "engine"})
    now, was = clock.now(), "set_up" if row is None else "changed"
    db.load_keys(session, [feed.key_id])
    if row is None:
        row = FeedConnection(
            clinic_id=feed.clinic_id, key_id=feed.key_id, feed_id=feed.id, state="on", cursor={}, notes={},
            failures=0, attempts=0, fence=0, created_at=now, try_after=now,
        )  # fmt: skip
        session.add(row)
    elsewhere = (row.base_url, row.client_id, row.practice) != (wanted.base_url, wanted.client_id, wanted.practice)
    row.kind, row.base_url, row.client_id = wanted.kind, wanted.base_url.rstrip("/"), wanted.client_id.strip()
    row.practice = wanted.practice.strip() if wanted.kind == "athena" else ""
    row.days_ahead, row.per_minute = wanted.days_ahead, wanted.per_minute
    if wanted.hub_secret is not None:
        row.hub_secret = wanted.hub_secret
    if elsewhere:
        row.cursor, row.token, row.token_until, row.granted = {}, "", None, None
    _hurry(session, row)
    audit.record(session, feed.clinic_id, actor, f"feeds.connection_{was}", f"feed:{feed.name}", kind=row.kind)
    return row


def _check(wanted: Wanted) -> None:
    problems: dict[str, str] = {}
    if wanted.kind not in KINDS:
        problems["kind"] = "kind"
    if not 0 < len(wanted.client_id.strip()) <= 200 or not wanted.client_id.isprintable():
        problems["client_id"] = "client_id"
    if wanted.kind == "athena" and not PRACTICE.fullmatch(wanted.practice.strip()):
        problems["practice"] = "practice"
    if wanted.days_ahead not in DAYS:
        problems["days_ahead"] = "days_ahead"
    if wanted.per_minute not in PER_MINUTE:
        problems["per_minute"] = "per_minute"
    own = ehr_settings.networks(runtime.settings().ehr_networks)
    try:
        if "?" in wanted.base_url:
            raise public_internet.Refused("form")
        guard.read(wanted.base_url, loopback=any(net.is_loopback for net in own), own=own)
    except public_internet.Refused as refused:
        problems["base_url"] = f"url_{refused.why}"
    if problems:
        raise MayNot(problems)


def _hurry(session: Session, row: FeedConnection) -> None:
    """Ask at once; what is under way is not written down."""
    pausing.hurry(row)
    queue.ring(session, poller.LANE)


def pause(session: Session, row: FeedConnection, feed: Feed, actor: str) -> None:
    """Ask nothing of an EHR until it is resumed."""
    if pausing.pause(row):
        audit.record(session, feed.clinic_id, actor, "feeds.connection_paused", f"feed:{feed.name}")


def resume(session: Session, row: FeedConnection, feed: Feed, actor: str) -> None:
    """Ask again, from where it was left."""
    if pausing.resume(row):
        queue.ring(session, poller.LANE)
        audit.record(session, feed.clinic_id, actor, "feeds.connection_resumed", f"feed:{feed.name}")


def poll_now(session: Session, row: FeedConnection, feed: Feed, actor: str) -> None:
    """Read every day anew, beginning now."""
    row.cursor = {name: value for name, value in pacing.at_once(row.cursor).items() if name != "due"}
    _hurry(session, row)
    audit.record(session, feed.clinic_id, actor, "feeds.polled_now", f"feed:{feed.name}")


def read_anew(session: Session, row: FeedConnection, feed: Feed, actor: str) -> None:
    """Read everything as if it had never been read: also whom the EHR has refused to show, once opened there."""
    for seen in session.scalars(select(FeedSeen).where(FeedSeen.feed_id == feed.id)):
        seen.digest = ""
    poll_now(session, row, feed, actor)


def heard(session: Session, feed: Feed, notices: Sequence[Notice]) -> int:
    """Keep what events have told, each once, and have it read soon; return how many were new."""
    kept, now = 0, clock.now()
    for notice in notices:
        facts = {"feed_id": feed.id, "event": feeds.digest(notice.event), "number": notice.number}
        if session.scalar(select(FeedNotice.id).filter_by(feed_id=feed.id, event=facts["event"])):
            continue
        try:
            with session.begin_nested():
                done_at = None if notice.number else now
                session.add(FeedNotice(clinic_id=feed.clinic_id, **facts, received_at=now, done_at=done_at))
        except IntegrityError:  # told twice at this very moment
            continue
        kept += 1
    row = of(session, feed)
    if kept and row is not None and row.state == "on":
        row.try_after = min(row.try_after, now)
        queue.ring(session, poller.LANE)
    return kept


def notified(session: Session, feed: Feed, told: Notification) -> bool:
    """Have what a Subscription has told of read soon, and every day anew where an event before it was never told; False
    where this EHR is not asked by FHIR."""
    row = of(session, feed)
    if row is None or row.kind != "fhir":
        return False
    digests = {feeds.digest(event) for event in told.before}
    before = select(FeedNotice.event).where(FeedNotice.feed_id == feed.id, FeedNotice.event.in_(digests))
    is_gap = len(session.scalars(before).all()) < len(digests)
    heard(session, feed, told.events)
    # Each gap once: heartbeats go on counting an event that is never told, and a replay brings its gap again. Under a
    # name of its own: what is told late after all is still read by its id.
    gap = [Notice(f"{event} untold", "") for event in sorted(told.before)]
    if is_gap and heard(session, feed, gap) and row.state == "on":
        poll_now(session, row, feed, audit.Actor.system(f"ehr.{feed.name}"))
    return True


def waiting(session: Session, feed: Feed) -> int:
    """Return how many events have been told whose visit was not read yet."""
    return len(session.scalars(select(FeedNotice.id).filter_by(feed_id=feed.id, done_at=None)).all())


def standing(session: Session, row: FeedConnection, feed: Feed) -> Standing:
    """Return how asking an EHR stands."""
    days = sum(len(pacing.left(row.cursor, name)) for name in pacing.EVERY) if row.kind == "fhir" else 0
    lately = FeedMessage.received_at > clock.now() - LATELY
    held = select(FeedMessage.problems).where(FeedMessage.feed_id == feed.id, FeedMessage.state == "held", lately)
    told = [{problem["code"] for problem in problems} for problems in session.scalars(held)]
    return Standing(days, waiting(session, feed), sum("restricted" in codes for codes in told))


@dataclass(frozen=True)
class Trial:
    """What asking once needs, so that no transaction is open meanwhile; `access` None where no key signs yet."""

    access: Access | None
    base_url: str
    practice: str
    zone: str
    known: frozenset[str]
    digest_key: bytes = field(repr=False)


def trial(session: Session, row: FeedConnection, feed: Feed) -> Trial:
    """Return what asking an EHR once needs."""
    clinic = session.get_one(Clinic, feed.clinic_id)
    db.load_keys(session, [row.key_id])
    key = keys.signing(session, feed)
    access = poller.access_of(row, key) if key else None
    known = frozenset(session.scalars(select(FeedSeen.resource).where(FeedSeen.feed_id == feed.id)))
    zone, digest_key = poller.zone_of(feed, clinic).key, feeds.digest_key(session, feed.key_id)
    return Trial(access, row.base_url, row.practice, zone, known, digest_key)


def tried(what: Trial) -> Tried:
    """Ask an EHR once about the coming week, and keep nothing; a queue keeps what it has."""
    if what.access is None:
        return Tried(refused="key_missing")
    asker, now, warns = Asker(what.access, None, _hasty()), clock.now(), frozenset[str]()
    try:
        if what.practice:
            found = _queued(asker, what)
        else:
            week = Slice(now, now + timedelta(days=7))
            page = slices.days(asker, slices.Source(what.base_url, what.zone), week)
            found, warns = page.visits, page.warns
    except Trouble as trouble:
        return Tried(refused=trouble.why)
    new = sum(feeds.keyed(what.digest_key, feeds.digest(each.name)) not in what.known for each in found)
    return Tried(len(found), new, sorted(warns), asker.token.granted if asker.token else "")


def _hasty() -> Way:
    return replace(poller.the_way(), seconds=DRY_SECONDS)


def _queued(asker: Asker, what: Trial) -> list[answers.Visit]:
    """What waits in a queue of changes, left there."""
    address = f"{what.base_url}/v1/{what.practice}/appointments/changed"
    told = asker.get(address, [("leaveunprocessed", "true")])
    if told.status != 200 or not isinstance(told.body, dict):
        raise Trouble("answer")
    rows = told.body.get("appointments") or []
    made = [answers.of_row(each, what.practice) for each in rows if isinstance(each, dict)]
    return [answers.visit(resource, what.zone) for resource in made if resource is not None]
