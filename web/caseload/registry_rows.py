"""The rows of the registry as they stand on its page: each is made once of what was read for it, and then remembered.

A caseload is looked at many times a day, and of most people nothing has changed since. A row is known by everything
that it is made of, so that nothing has to be told when something does: the standing of the episode today, which is
another one as soon as anything that it was read from is, the names of who cares for them, and how the clinic writes
days.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from flask import current_app, url_for
from markupsafe import Markup
from sqlalchemy.orm import Session

from caseload.standing import Standing
from config import db, runtime
from config.remembered import Remembered
from messaging.models import Staff
from web import times
from web.presenters import care_view

# No longer than keys: a name stands in a row.
REMEMBERED, SECONDS = 5_000, 300
NOBODY = UUID(int=0)
People = Mapping[UUID | None, Staff]


def lines(session: Session, of: Sequence[Standing], people: People) -> list[care_view.Line]:
    """Return each in words."""
    db.load_keys(session, (each.named.key_id for each in of))
    return [care_view.line(each, people) for each in of]


def rows(session: Session, of: Sequence[Standing], people: People) -> Markup:
    """Return all as the rows of the table, in one piece: a template that puts in a thousand looks at each anew."""
    known, names = _known(), {staff_id.int: person.name for staff_id, person in people.items() if staff_id}
    style = times.style()
    shown, changed = list[Markup](), list[tuple[int, tuple[Any, ...]]]()
    for place, each in enumerate(of):
        facts = (each, style, names.get(each.manager_id.int), names.get(each.practitioner_id.int))
        kept = known.get(each.id.int)
        if kept is not None and kept[0] == facts:
            shown.append(kept[1])
        else:
            shown.append(Markup())
            changed.append((place, facts))
    row, address = _template(), _Addresses()
    for (place, facts), line in zip(changed, lines(session, [of[place] for place, _ in changed], people), strict=True):
        shown[place] = row(line, address)
        known.put(line.id.int, (facts, shown[place]))
    return Markup("\n".join(shown))  # noqa: S704 - each is a row that its template has made


def _template() -> Callable[[care_view.Line, "_Addresses"], Markup]:
    module: Any = current_app.jinja_env.get_template("staff/_registry_row.html").module
    row: Callable[[care_view.Line, _Addresses], Markup] = module.row
    return row


def _known() -> Remembered[tuple[tuple[Any, ...], Markup]]:
    return runtime.once("web.registry_rows", lambda: Remembered(REMEMBERED, SECONDS))


class _Addresses:
    """`url_for` of pages about one patient or episode, each page asked for once: a row has half a dozen of them."""

    def __init__(self) -> None:
        self._pages: dict[str, list[str]] = {}

    def __call__(self, endpoint: str, **about: UUID) -> str:
        [(name, which)] = about.items()
        if endpoint not in self._pages:
            nobodys: dict[str, Any] = {name: NOBODY}
            self._pages[endpoint] = url_for(endpoint, **nobodys).split(str(NOBODY))
        return str(which).join(self._pages[endpoint])
