"""Phones to look at and type on: a wall of all of them, and one page for each."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, abort, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from simulator import clock as time
from simulator import errors, magic, numbers
from simulator.current import network
from simulator.messages import Media, Text
from simulator.webhooks import Webhook

pages = Blueprint("phones", __name__)
WALL = 48
# What a reminder asks for, one press each.
ANSWERS = ("Y", "R", "STOP")
_LINK = re.compile(r"(https?://[^\s<>\"]*[^\s<>\".,;:!?)'\]])")


class Bubble(NamedTuple):
    """A text with the webhook that carried it to the clinic, if it is one the phone sent."""

    text: Text
    webhook: Webhook | None


class Card(NamedTuple):
    """A phone on the wall: whose it is if that was said, its latest texts, and when the last of them was sent."""

    number: str
    name: str | None
    bubbles: list[Bubble]
    blocked: list[str]
    answers_to: str
    last: datetime


class Thread(NamedTuple):
    """What a phone and one clinic number said to each other."""

    other: str
    bubbles: list[Bubble]


@pages.app_template_filter("pieces")
def pieces(body: str) -> Iterator[tuple[bool, str]]:
    """Cut a body into (is a link, words)."""
    for at, piece in enumerate(_LINK.split(body)):
        if piece:
            yield at % 2 == 1, piece


@pages.app_template_filter("spoken")
def spoken(number: str) -> str:
    """A number as people write it: +1 201 555 0101."""
    match = re.fullmatch(r"\+1(\d{3})(\d{3})(\d{4})", number)
    return f"+1 {match[1]} {match[2]} {match[3]}" if match else number


@pages.app_template_filter("clock")
def clock(moment: datetime) -> str:
    """A moment by the wall clock of the zone the pages show, with the day unless it is today's."""
    zone = ZoneInfo(network().settings.zone)
    local, today = moment.astimezone(zone), time.now().astimezone(zone).date()
    shown = f"{local:%I:%M %p}".lstrip("0") + (" UTC" if zone.key == "UTC" else "")
    return shown if local.date() == today else f"{local:%b} {local.day}, {shown}"


@pages.app_template_global("why")
def why(code: int) -> str:
    """What an error code means."""
    return errors.message(code)


@pages.get("/")
def wall() -> ResponseReturnValue:
    """All phones, side by side."""
    return _page("wall.html", phones=_wall(), chosen=request.args.get("phones", ""), answers=ANSWERS)


@pages.get("/phone")
def find() -> ResponseReturnValue:
    """Go to the phone whose number was typed."""
    return redirect(url_for(".phone", number=_number(request.args.get("number", ""))))


@pages.get("/phone/<number>")
def phone(number: str) -> ResponseReturnValue:
    """One phone, with a thread for each clinic number."""
    number = _number(number)
    threads = _threads(number)
    chosen = _chosen(threads)
    facts = {"name": network().name_of(number), "blocked": network().blocked(number), "answers": ANSWERS}
    return _page("phone.html", number=number, threads=threads, chosen=chosen, **facts)


@pages.post("/phone/<number>")
def say(number: str) -> ResponseReturnValue:
    """Send what was typed and show the phone again."""
    number = _number(number)
    body, to = request.form.get("body", "")[:1600], _number(request.form.get("to", ""))
    files = [file for file in request.files.getlist("media") if file.filename]
    media = [Media(file.mimetype or "application/octet-stream", file.read()) for file in files]
    if body.strip() or media:
        network().say(number, body, to, media)
    if "wall" in request.form:
        return redirect(url_for(".wall", phones=request.form["wall"] or None, _anchor=f"p{number[1:]}"), 303)
    return redirect(url_for(".phone", number=number, clinic=to), 303)


@pages.get("/sim/help")
def manual() -> ResponseReturnValue:
    """What the simulator can do, with the table of numbers that always fail."""
    return _page("help.html", magic=sorted(magic.TABLE.items()))


def _page(template: str, **facts: object) -> Response:
    # The same page serves the script: it sends the revision it shows and gets 204 while nothing has changed.
    revision = network().revision + network().webhooks.answered
    if request.args.get("since", type=int) == revision:
        return Response(status=204)
    answer = make_response(render_template(template, revision=revision, **facts))
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _number(text: str) -> str:
    try:
        return numbers.normalise(text)
    except ValueError as error:
        abort(400, str(error))


def _wall() -> list[Card]:
    """The phones that were asked for, else those used last: the latest text first."""
    chosen = request.args.get("phones", "")
    if chosen:
        return [_card(_number(text)) for text in chosen.split(",")]
    cards = [_card(number) for number in network().phones(network().settings.keep)]
    return sorted(cards, key=lambda card: card.last, reverse=True)[:WALL]


def _card(number: str) -> Card:
    texts = network().texts(number)
    last = max((text.message.created_at for text in texts), default=datetime.min.replace(tzinfo=UTC))
    answers_to = next((text.other for text in reversed(texts)), network().settings.clinic_number)
    return Card(number, network().name_of(number), _bubbles(texts[-4:]), network().blocked(number), answers_to, last)


def _threads(number: str) -> list[Thread]:
    threads: dict[str, list[Text]] = {}
    for text in network().texts(number):
        threads.setdefault(text.other, []).append(text)
    clinic = request.args.get("clinic")
    threads.setdefault(_number(clinic) if clinic else next(iter(threads), network().settings.clinic_number), [])
    return [Thread(other, _bubbles(texts)) for other, texts in threads.items()]


def _chosen(threads: list[Thread]) -> Thread:
    clinic = request.args.get("clinic")
    wanted = _number(clinic) if clinic else None
    latest = max(threads, key=lambda thread: thread.bubbles[-1].text.message.order if thread.bubbles else 0)
    return next((thread for thread in threads if thread.other == wanted), latest)


def _bubbles(texts: list[Text]) -> list[Bubble]:
    return [Bubble(text, network().webhooks.get(text.webhook_id)) for text in texts]
