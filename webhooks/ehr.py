"""The door for EHRs: an HL7 v2 message is answered with its acknowledgement, a FHIR resource with an OperationOutcome,
once what it says is kept."""

import json
from collections.abc import Sequence

from flask import Blueprint, Response, request
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.exceptions import RequestEntityTooLarge

from config import clock, db, strict_json
from interchange import accepting, connections, feeds
from interchange.accepting import Sender
from interchange.fhir import reading as resources
from interchange.models import Feed, FeedConnection
from interchange.polling import events, keys, subscriptions
from interchange.problems import Problem
from messaging.models import Clinic
from webhooks import senders, signatures
from webhooks.problems import problem

LARGEST_BODY = 256 * 1024
LONGEST_ID = 200
BOM = b"\xef\xbb\xbf"
# A message, or a file or batch of them, also in a frame, by the letters of UTF-16 as well.
HL7_BEGINS = (b"MSH", b"FHS", b"BHS", b"\x0b", b"\xff\xfe", b"\xfe\xff")
# Who tells events signs them in a header of its own.
EVENTS = "X-Hub-Signature"
ER7, FHIR = "application/hl7-v2", "application/fhir+json"

door = Blueprint("ehr", __name__)


@door.post("/webhooks/ehr/<source>")
def ehr(source: str) -> Response:
    """Keep what an EHR says and answer it in its own terms; 403 for whoever has not signed it."""
    request.max_content_length = LARGEST_BODY
    try:
        body = request.get_data(cache=False)
    except RequestEntityTooLarge:
        return _too_large()
    sender = senders.sender(
        "webhooks.feeds",
        source,
        secrets=lambda session: _secrets(session, source),
        signed=lambda secrets: _signed(secrets, body),
        find=lambda session: _sender(session, source),
    )
    if sender is None:
        return problem(403, "the signature does not fit")
    if EVENTS in request.headers:
        return _events(sender, body)
    return _resource(sender, body) if _is_resource(body) else _messages(sender, body)


def _too_large() -> Response:
    """Refuse what is not read: whether it was signed, nobody knows, so nothing of it is kept."""
    problems = [Problem("body_too_large", "/")]
    if request.mimetype.endswith("json"):
        return _outcome(413, problems)
    return Response(accepting.acknowledgement(None, "AR", problems), status=413, content_type=f"{ER7}; charset=utf-8")


def _is_resource(body: bytes) -> bool:
    """Whether it is to be answered as FHIR: by its first letter, where that is none of HL7's by what it is called."""
    begins = body.removeprefix(BOM).lstrip()
    named = request.mimetype.endswith(("json", "xml")) and not begins.startswith(HL7_BEGINS)
    return begins[:1] == b"{" or named


def _secrets(session: Session, name: str) -> senders.Secrets | None:
    asked = select(Feed, FeedConnection).outerjoin(FeedConnection, FeedConnection.feed_id == Feed.id)
    row = session.execute(asked.where(Feed.name == (name if name.isprintable() else ""))).first()
    return (row[0].secret or "", (row[1].hub_secret or "") if row[1] else "") if row else None


def _sender(session: Session, name: str) -> tuple[senders.Secrets, Sender]:
    feed = session.scalars(select(Feed).where(Feed.name == name)).one()
    clinic = session.get_one(Clinic, feed.clinic_id)
    asked = session.scalar(select(FeedConnection).where(FeedConnection.feed_id == feed.id))
    secrets = (feed.secret or "", (asked.hub_secret or "") if asked else "")
    whose, profile = feeds.whose(session, feed, clinic), feeds.profile_of(feed.profile, clinic.zone)
    return secrets, Sender(whose, profile, *secrets, asked.practice if asked else "")


@door.get("/webhooks/ehr/<source>/jwks.json")
def jwks(source: str) -> Response:
    """Serve what an EHR checks our signatures with; anybody may read it."""
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        feed = session.scalar(select(Feed).where(Feed.name == source)) if source.isprintable() else None
        # No such feed looks like one that signs nothing.
        served = Response(
            json.dumps(keys.jwks(session, feed) if feed else {"keys": []}), content_type="application/json"
        )
    served.headers["Cache-Control"] = "public, max-age=300"
    return served


def _events(sender: Sender, body: bytes) -> Response:
    """Keep what an event platform tells by ids alone, and let it be read soon; it wants its answer within 2 seconds."""
    if not sender.practice:
        return _resource(sender, body)
    try:
        notices = events.read(json.loads(body), sender.practice)
    except (ValueError, RecursionError):
        return _outcome(422, [Problem("resource_malformed", "/")])
    with accepting.kept(sender) as (session, _, feed):
        connections.heard(session, feed, notices)
    return _outcome(200, [])


def _signed(secrets: senders.Secrets, body: bytes) -> bool:
    own, hub = secrets
    if EVENTS in request.headers:
        return events.is_signed(hub, request.headers[EVENTS], body)
    message_id = request.headers.get("webhook-id", "")
    return 0 < len(message_id) <= LONGEST_ID and signatures.by_standard(
        own,
        message_id,
        request.headers.get("webhook-timestamp", ""),
        body,
        request.headers.get("webhook-signature", ""),
        clock.now().timestamp(),
    )


def _messages(sender: Sender, body: bytes) -> Response:
    """Answer with the acknowledgements; what wants none gets none, and HTTP's own says that it arrived."""
    answer = accepting.accept(sender, body)
    text = b"".join(answer.acknowledgements)
    return Response(text, status=200 if text else 204, content_type=f"{ER7}; charset={answer.codec}")


def _resource(sender: Sender, body: bytes) -> Response:
    """Keep a FHIR resource or bundle; 422 where nothing of it can be taken."""
    try:
        resource = strict_json.loaded(body)
    except ValueError:
        return _malformed(sender, body)
    read = resources.read(resource, sender.profile)
    told = subscriptions.read(resource)
    kind = str(resource.get("resourceType", "")) + (f", {told.type}" if told and told.type else "")
    said = feeds.Said(body.decode("utf-8-sig", "replace"), "fhir", "", kind, None, feeds.tell_scores(read.acts))
    refusing = [] if read.taken else list(read.problems)
    with accepting.kept(sender) as (session, clinic, feed):
        if told is not None and not connections.notified(session, feed, told) and told.by_id:
            refusing = [*refusing, Problem("told_by_id", "/entry/0/resource")]
        feeds.keep(session, clinic, feed, said, refusing)
    return _outcome(200 if read.taken else 422, list(read.problems))


def _malformed(sender: Sender, body: bytes) -> Response:
    """Refuse what is no resource at all; the clinic's administrator can see it, as with what is no HL7 message."""
    problems = [Problem("resource_malformed", "/")]
    with accepting.kept(sender) as (session, clinic, feed):
        feeds.keep(session, clinic, feed, feeds.Said(body.decode("latin-1"), "fhir", "", "unreadable"), problems)
    return _outcome(422, problems)


def _outcome(status: int, problems: Sequence[Problem]) -> Response:
    """Say how it went in FHIR's own terms, without a word of what was sent."""
    severities = {"rejected": "error", "error": "error", "held": "warning", "warning": "warning"}
    issues = [
        {
            "severity": severities[problem.weight],
            "code": "processing",
            "details": {"text": problem.words},
            "expression": [problem.where],
        }
        for problem in problems
    ]
    fine = {"severity": "information", "code": "informational", "details": {"text": "Taken."}}
    outcome = {"resourceType": "OperationOutcome", "issue": issues or [fine]}
    return Response(json.dumps(outcome), status=status, content_type=FHIR)
