"""Where a person comes back to after an act, with what to say about it there and a way to take it back."""

from urllib.parse import parse_qsl, urlencode, urlsplit
from uuid import UUID

from flask import flash, redirect, request, url_for
from werkzeug.wrappers import Response

from messaging.inbox import views
from messaging.inbox.models import ItemEvent
from web import words
from web.inbox import inbox_page

# What a page may ask to keep as it was: nothing else of an address is carried on.
HOME = "/inbox"


def back() -> str:
    """Return the page that was left (`back`), a path of the inbox on this host; else the view."""
    wanted = request.form.get("back", "")
    parts = urlsplit(wanted)
    odd = parts.scheme or parts.netloc or "\\" in wanted or any(ord(character) < 33 for character in wanted)
    ours = parts.path == HOME or parts.path.startswith(f"{HOME}/")
    return url_for("inbox.show", view=inbox_page.the_view()) if odd or not ours or ".." in wanted else wanted


def to_case(item_id: UUID, notice: str, act: ItemEvent | str | None, **facts: object) -> Response:
    """Go to a case, in the view and filters of the page that was left.

    With `act`, or the address that takes it back, it can be taken back there.
    """
    return _go(url_for("inbox.case", item_id=item_id), words.say("notices", notice, **facts), act)


def to_list(notice: str, act: ItemEvent | str | None, **facts: object) -> Response:
    """Go to the list, in the view and with the filters of the page that was left."""
    return to_list_saying(words.say("notices", notice, **facts), act)


def to_list_saying(notice: str, act: ItemEvent | str | None) -> Response:
    """Do what `to_list` does, with words that are whole."""
    return _go(url_for("inbox.show"), notice, act)


def to_page(table: str, key: str, **facts: object) -> Response:
    """Go back to the very page that was left; what stands in the table of refusals is said as one."""
    flash(words.say(table, key, **facts), "refused" if table == "refusals" else "said")
    return redirect(back(), 303)


def _go(path: str, notice: str, act: ItemEvent | str | None) -> Response:
    flash(notice, f"undo {act.id if isinstance(act, ItemEvent) else act}" if act else "said")
    return redirect(f"{path}?{urlencode(_kept())}", 303)


def view() -> str:
    """Return the view of the page that was left."""
    wanted = dict(parse_qsl(urlsplit(back()).query)).get("view", "")
    return wanted if wanted in views.VIEWS else inbox_page.the_view()


def _kept() -> list[tuple[str, str]]:
    # `after` and `item` belong to the page that was left, not to where one goes.
    pairs = parse_qsl(urlsplit(back()).query)
    return [("view", view()), *(pair for pair in pairs if pair[0] not in ("view", "after", "item"))]
