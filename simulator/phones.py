"""Phones to look at and type on: a wall of all of them, and one page for each."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from flask import Blueprint, Response, abort, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from simulator import errors, magic, numbers
from simulator.current import network
from simulator.messages import Media, Text
from simulator.webhooks import Webhook

pages = Blueprint("phones", __name__)
WALL = 24
_LINK = re.compile(r"(https?://[^\s<>\"]*[^\s<>\".,;:!?)'\]])")


class Bubble(NamedTuple):
    """A text with the webhook that carried it to the clinic, if it is one the phone sent."""

    text: Text
    webhook: Webhook | None


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


@pages.app_template_global("why")
def why(code: int) -> str:
    """What an error code means."""
    return errors.message(code)


@pages.get("/")
def wall() -> ResponseReturnValue:
    """All phones, side by side."""
    return _page("wall.html", phones=_wall())


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
    return _page("phone.html", number=number, threads=threads, chosen=chosen, blocked=network().blocked(number))


@pages.post("/phone/<number>")
def say(number: str) -> ResponseReturnValue:
    """Send what was typed and show the phone again."""
    number = _number(number)
    body, to = request.form.get("body", "")[:1600], _number(request.form.get("to", ""))
    files = [file for file in request.files.getlist("media") if file.filename]
    media = [Media(file.mimetype or "application/octet-stream", file.read()) for file in files]
    if body.strip() or media:
        network().say(number, body, to, media)
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


def _wall() -> list[tuple[str, list[Bubble], list[str]]]:
    chosen = request.args.get("phones", "")
    shown = [_number(text) for text in chosen.split(",")] if chosen else network().phones(WALL)
    return [(number, _bubbles(network().texts(number)[-4:]), network().blocked(number)) for number in shown]


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
