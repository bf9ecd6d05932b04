"""How an open page learns that something has changed and who else is here: a poll that mostly answers 304."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl
from uuid import UUID

from flask import request
from sqlalchemy import select
from werkzeug.http import parse_cookie
from werkzeug.wrappers import Response

from config import db
from config import live as bulletin
from messaging.inbox.models import InboxItem, ItemEvent
from messaging.models import Clinic, Conversation, Message, Staff
from web import layout, permissions, sessions
from web.inbox import presence

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

live = layout.room("live", __name__)


@dataclass(frozen=True)
class Place:
    """Where a page is: its thread (InboxItem.thread), its item and its conversation; "" where there is none."""

    thread: str = ""
    item: str = ""
    conversation: str = ""

    def topics(self) -> list[str]:
        """Return what changes the open case: its item, its texts, what is noted about its thread."""
        named = (("inbox_item", self.item), ("conversation", self.conversation))
        return [self.thread, *(f"{name}:{row_id}" if row_id else "" for name, row_id in named)]


@dataclass(frozen=True)
class News:
    """What a page compares: `list` is another once the lists are, `talk` once the open case is; `marks` of others."""

    place: Place
    clinic_id: UUID
    staff_id: UUID
    list: str
    talk: str
    marks: Sequence[str]

    @property
    def etag(self) -> str:
        """One short name for all of it. What comes from Redis is hashed: it goes into a header."""
        state = "\n".join([self.list, self.talk, *self.marks])
        return hashlib.blake2b(state.encode(), digest_size=12).hexdigest()

    def near(self) -> "News":
        """Return the same with the marks of this page's own thread only.

        In a large clinic somebody opens a case each second: pages ask who is in the rows now and then, and each second
        only who is here.
        """
        return replace(self, marks=[mark for mark in self.marks if f"|{self.place.thread}|" in mark])

    def here(self) -> dict[str, str]:
        """Return by thread, in words, which colleagues are there."""
        return presence.said(self.marks, self.clinic_id)


@live.get("/inbox/poll")
@permissions.signed_in("inbox.read")
def poll() -> Response:
    """Answer a poll like Watching, but ask the guard who it is: for who types, and for who is to be turned away."""
    staff = layout.the_staff()
    news, _ = _hear(staff.clinic_id, staff.id, request.args)
    if news.etag in request.if_none_match:
        return Response(status=304)
    response = Response(_told(news, request.args), mimetype="application/json")
    response.set_etag(news.etag)
    return response


class Watching:
    """Answers the polls of pages that nobody touches, before anything else of the application is set in motion.

    Hundreds of pages poll each second, and most of what a request costs is the frame around it. Only who is known to be
    signed in and allowed is answered here; everybody else meets the guard at the same address. Asks Redis alone, unless
    Redis is silent.
    """

    def __init__(self, application: "WSGIApplication") -> None:
        self._application = application

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer 304 while nothing has changed, else what has."""
        query = environ.get("QUERY_STRING", "")
        polls = environ["PATH_INFO"] == "/inbox/poll" and environ["REQUEST_METHOD"] == "GET"
        answer = self._answer(environ, dict(parse_qsl(query))) if polls and "unattended=" in query else None
        if answer is None:
            return self._application(environ, start_response)
        etag, body = answer
        headers = [
            ("ETag", f'"{etag}"'),
            ("Cache-Control", "no-store"),
            ("X-Content-Type-Options", "nosniff"),
        ]
        if body is None:
            start_response("304 Not Modified", headers)
            return []
        headers += [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
        start_response("200 OK", headers)
        return [body]

    def _answer(self, environ: "WSGIEnvironment", args: Mapping[str, str]) -> tuple[str, bytes | None] | None:
        watcher = sessions.watcher(parse_cookie(environ).get(sessions.cookie_name(), ""))
        if watcher is None or not permissions.may(watcher.role, "inbox.read"):
            return None
        news, version = _hear(watcher.clinic_id, watcher.staff_id, args)
        if version is not None and not sessions.still(watcher, version):
            return None
        same = f'"{news.etag}"' in environ.get("HTTP_IF_NONE_MATCH", "")
        return news.etag, None if same else _told(news, args)


def _hear(clinic_id: UUID, staff_id: UUID, args: Mapping[str, str]) -> tuple[News, str | None]:
    """Return the news for the place that polls, and the version of the topic of this person's sessions and rights."""
    place = Place(*(args.get(name, "")[:60] for name in ("thread", "item", "conversation")))
    marks = presence.marks(staff_id, place.thread, args.get("mode", "viewing"))
    seen = bulletin.look(clinic_id, [f"staff:{staff_id}", "list", *place.topics()], marks)
    news = _news(clinic_id, staff_id, place, seen)
    return news if "rows" in args else news.near(), seen.versions[0] if seen else None


def _told(news: News, args: Mapping[str, str]) -> bytes:
    payload = {
        "list": news.list,
        "talk": news.talk,
        "here": news.here(),
        "rows": "rows" in args,
        "me": str(news.staff_id),
    }
    return json.dumps(payload).encode()


def arrive(clinic: Clinic, staff: Staff, item: InboxItem | None, conversation: Conversation | None) -> News:
    """Return the news as of now for a page about to be drawn, and say that `staff` has opened the item, which speaks
    of `conversation`.

    Asked before anything else is read: what happens meanwhile is then news to the page.
    """
    place = Place(item.thread, str(item.id), str(conversation.id) if conversation else "") if item else Place()
    watched = "unattended" in request.args  # a page that redraws itself says by its polls that it is looked at
    marks = {} if watched else presence.marks(staff.id, place.thread, "viewing", presence.OPENED)
    seen = bulletin.look(clinic.id, [f"staff:{staff.id}", "list", *place.topics()], marks)
    return _news(clinic.id, staff.id, place, seen)


def _news(clinic_id: UUID, staff_id: UUID, place: Place, seen: bulletin.Seen | None) -> News:
    if seen is None:
        return _asked_the_database(clinic_id, staff_id, place)
    _, lists, *talk = seen.versions
    return News(place, clinic_id, staff_id, lists, ".".join(talk), presence.others(seen.marks, staff_id))


def _asked_the_database(clinic_id: UUID, staff_id: UUID, place: Place) -> News:
    """While Redis is silent: what happened last to any item, and what was said last. Nobody is seen meanwhile."""
    events = select(ItemEvent.id).where(ItemEvent.clinic_id == clinic_id)
    messages = select(Message.id, Message.state).where(Message.clinic_id == clinic_id)
    with db.unit_of_work(clinic_id, read_only=True) as session:
        newest = session.scalar(events.order_by(ItemEvent.id.desc()).limit(1))
        last = None
        if _is_id(place.conversation):
            ours = messages.where(Message.conversation_id == UUID(place.conversation))
            last = session.execute(ours.order_by(Message.created_at.desc(), Message.id.desc()).limit(1)).first()
    return News(place, clinic_id, staff_id, f"event {newest}", f"message {last and tuple(map(str, last))}", [])


def _is_id(text: str) -> bool:
    try:
        return bool(UUID(text))
    except ValueError:
        return False
