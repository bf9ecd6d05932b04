"""One endpoint: what was brought there and every try, a test, another secret, paused and resumed, sent again."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from flask import abort, flash, redirect, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from config import clock, db
from messaging.event_webhooks import endpoints
from messaging.event_webhooks.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint
from messaging.inbox import snooze_times
from web import ids, layout, permissions, sessions, times, words
from web.settings import webhooks

webhook = layout.room("webhook_page", __name__)
SHOWN = 50
STATES = ("delivered", "waiting", "given_up")


@dataclass(frozen=True)
class Try:
    """One try in words."""

    when: str
    took: str
    came: str
    good: bool


@dataclass(frozen=True)
class Row:
    """One event for this endpoint, with its tries, the oldest first."""

    id: UUID
    type: str
    subject: str
    when: str
    state: str
    over: bool
    next: str
    tries: Sequence[Try]


@webhook.get("/settings/webhooks/<uuid:endpoint_id>")
@permissions.signed_in("clinic.settings")
def show(endpoint_id: UUID) -> str:
    """Show an endpoint and its newest deliveries."""
    with db.unit_of_work(sessions.clinic().id, read_only=True) as session:
        return _page(session, _the(session, endpoint_id))


@webhook.post("/settings/webhooks/<uuid:endpoint_id>")
@permissions.signed_in("clinic.settings", fresh=True)
def change(endpoint_id: UUID) -> Response | tuple[str, int]:
    """Take in another name, address or choice of kinds."""
    typed = webhooks.read(request.form)
    with db.unit_of_work(sessions.clinic().id) as session:
        endpoint = _the(session, endpoint_id, lock=True)
        try:
            endpoints.change(session, endpoint, webhooks.wanted(typed), actor=layout.the_actor())
        except endpoints.MayNot as refused:
            return _page(session, endpoint, webhooks.wrong(typed, refused)), 422
    return _back(endpoint_id, "changed")


@webhook.post("/settings/webhooks/<uuid:endpoint_id>/secret")
@permissions.signed_in("clinic.settings", fresh=True)
def rotate(endpoint_id: UUID) -> str:
    """Make another secret and show it, this once."""
    with db.unit_of_work(sessions.clinic().id) as session:
        endpoint = _the(session, endpoint_id, lock=True)
        endpoints.rotate(session, endpoint, actor=layout.the_actor())
        return _page(session, endpoint, secret=endpoint.secret or "")


@webhook.post("/settings/webhooks/<uuid:endpoint_id>/test")
@permissions.signed_in("clinic.settings")
def test(endpoint_id: UUID) -> Response:
    """Send a test event."""
    return _done(endpoint_id, "tested", endpoints.test)


@webhook.post("/settings/webhooks/<uuid:endpoint_id>/pause")
@permissions.signed_in("clinic.settings")
def pause(endpoint_id: UUID) -> Response:
    """Bring nothing there for now."""
    return _done(endpoint_id, "paused", endpoints.pause)


@webhook.post("/settings/webhooks/<uuid:endpoint_id>/resume")
@permissions.signed_in("clinic.settings")
def resume(endpoint_id: UUID) -> Response:
    """Bring events there again, with what was missed or without."""
    with db.unit_of_work(sessions.clinic().id) as session:
        endpoint = _the(session, endpoint_id, lock=True)
        missed = request.form.get("missed") != "leave"
        endpoints.resume(session, endpoint, missed=missed, actor=layout.the_actor())
    return _back(endpoint_id, "resumed")


@webhook.post("/settings/webhooks/<uuid:endpoint_id>/remove")
@permissions.signed_in("clinic.settings")
def remove(endpoint_id: UUID) -> Response:
    """Take the endpoint off the list."""
    with db.unit_of_work(sessions.clinic().id) as session:
        endpoint = _the(session, endpoint_id, lock=True)
        endpoints.remove(session, endpoint, actor=layout.the_actor())
        name = endpoint.name
    flash(words.say("webhooks", "removed", name=name))
    return redirect(url_for("webhook_list.show"), 303)


@webhook.post("/settings/webhooks/<uuid:endpoint_id>/again")
@permissions.signed_in("clinic.settings")
def again(endpoint_id: UUID) -> Response:
    """Send one event again, or all of a range."""
    actor = layout.the_actor()
    with db.unit_of_work(sessions.clinic().id) as session:
        endpoint = _the(session, endpoint_id, lock=True)
        one, failed = ids.uuid_of(request.form.get("delivery")), request.form.get("which") != "all"
        if one is not None:
            count = endpoints.resend(session, endpoint, [one], actor=actor)
        else:
            begin, end = _typed("begin"), _typed("end")
            if begin is None or end is None or begin >= end:
                flash(words.say("webhooks", "wrong_range"), "refused")
                return redirect(url_for("webhook_page.show", endpoint_id=endpoint_id) + "#again", 303)
            count = endpoints.resend_range(session, endpoint, begin, end, only_failed=failed, actor=actor)
    if count:
        return _back(endpoint_id, "again", count=count)
    flash(words.say("webhooks", _nothing(one is not None, failed)), "refused")
    return redirect(url_for("webhook_page.show", endpoint_id=endpoint_id), 303)


def _nothing(is_one: bool, failed: bool) -> str:
    return "again_waits" if is_one else "again_none" if failed else "again_none_at_all"


def _typed(field: str) -> datetime | None:
    return snooze_times.typed(request.form.get(field, "").strip(), sessions.clinic().zone)


def _done(endpoint_id: UUID, said: str, act: Callable[..., object]) -> Response:
    with db.unit_of_work(sessions.clinic().id) as session:
        act(session, _the(session, endpoint_id, lock=True), actor=layout.the_actor())
    return _back(endpoint_id, said)


def _back(endpoint_id: UUID, said: str, **filled: object) -> Response:
    flash(words.say("webhooks", said, **filled))
    return redirect(url_for("webhook_page.show", endpoint_id=endpoint_id), 303)


def _the(session: Session, endpoint_id: UUID, *, lock: bool = False) -> WebhookEndpoint:
    endpoint = endpoints.find(session, sessions.clinic().id, endpoint_id, lock=lock)
    if endpoint is None:
        abort(404)
    return endpoint


def _page(session: Session, endpoint: WebhookEndpoint, typed: webhooks.Typed | None = None, *, secret: str = "") -> str:
    zone, now = sessions.clinic().zone, clock.now()
    state, before = request.args.get("state"), ids.uuid_of(request.args.get("before"))
    chosen = state if state in STATES else None
    found = endpoints.deliveries(session, endpoint, state=chosen, before=before, limit=SHOWN + 1)
    tries = endpoints.attempts(session, [row.id for row in found[:SHOWN]])
    old_until = endpoint.old_secret_until
    return layout.page(
        session,
        "staff/webhook.html",
        here="webhooks",
        endpoint=endpoint,
        state=webhooks.state(endpoint),
        host=webhooks.host(endpoint),
        typed=typed or webhooks.Typed(endpoint.name, endpoint.url or "", tuple(endpoint.kinds)),
        problems=(typed.problems if typed else None) or {},
        kinds=webhooks.kinds(),
        secret=secret,
        old_until=times.moment(old_until, now, zone, running=True) if old_until and old_until > now else "",
        failing=times.moment(endpoint.failing_since, now, zone, running=True) if endpoint.failing_since else "",
        rows=[_row(endpoint, row, tries.get(row.id, []), now) for row in found[:SHOWN]],
        more=found[SHOWN - 1].id if len(found) > SHOWN else None,
        chosen=chosen,
        states=[(name, words.say("webhook_deliveries", name)) for name in STATES],
    )


def _row(endpoint: WebhookEndpoint, row: WebhookDelivery, tries: Sequence[WebhookAttempt], now: datetime) -> Row:
    # Whoever is paused or switched off is not tried at any time.
    waits = endpoint.state == "on" and row.state == "waiting" and row.try_after > now and row.attempts
    zone = sessions.clinic().zone
    return Row(
        id=row.id,
        type=row.type,
        subject=row.subject.partition(":")[0],
        when=times.moment(row.at, now, zone),
        state=words.say("webhook_deliveries", row.state),
        over=row.state != "waiting",
        next=times.moment(row.try_after, now, zone, running=True) if waits else "",
        tries=[_try(attempt, zone) for attempt in tries],
    )


def _try(attempt: WebhookAttempt, zone: str) -> Try:
    came = f"{attempt.status}" if attempt.status is not None else words.say("webhook_errors", attempt.error)
    good = attempt.status is not None and 200 <= attempt.status < 300
    return Try(times.exact(attempt.at, zone), f"{attempt.milliseconds / 1000:.2f} s", came, good)
