"""Whose page a request comes from: what its form is bound to comes first, then what the browser's cookie holds."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import Blueprint, g, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from config import devices, runtime
from intake_links import binding, links
from intake_links.models import IntakeLink

# A parent may fill in the forms of several children on one phone.
HELD = 5


def whose(session: Session, *, acting: bool) -> tuple[IntakeLink | None, links.OpenedLink | None]:
    """Return the link this request is about, and as it stands opened where this browser may go on with it at once.

    What is posted goes by the form's own mark and never by the cookie alone: on a shared phone another patient may have
    opened a link since. Pages are shown for the link that was used last; where several patients use this browser
    the address says which link it means, and one that says none, or another's, shows nothing.
    """
    opened_links = binding.held(session, tokens())
    wanted, sure = _wanted(opened_links)
    g.bound, g.several = wanted, binding.are_several(opened_links)
    token = next((opened.token for opened in opened_links if opened.link_id == wanted), None)
    link = session.get(IntakeLink, wanted) if wanted else None
    if not sure or token is None:
        return link, None
    opened = links.opened(session, token, acting=acting)
    return link, opened if opened is not None and opened.fresh else None


def _wanted(opened_links: Sequence[binding.Held]) -> tuple[UUID | None, bool]:
    """Return which link is meant, and whether that is sure enough to act, or to show anything, without a birth date."""
    last = opened_links[0].link_id if opened_links else None
    if request.method == "POST":
        made_for = binding.read(request.form.get(binding.FIELD, ""))
        if made_for is None or made_for[1] != (request.view_args or {}).get("part", made_for[1]):
            return last, False
        return made_for[0], True
    named = request.args.get("of", type=UUID)
    if named is None:
        return (None, False) if binding.are_several(opened_links) else (last, True)
    return (named, named == last) if any(opened.link_id == named for opened in opened_links) else (None, False)


def may_return(link: IntakeLink, _now: datetime) -> bool:
    """Whether a birth date may be tried by who still holds a page of the form,
    whatever has become of its link since."""
    return link.tries < links.TRIES and not links.on_tablet(link)


def name_the_link(blueprint: Blueprint) -> None:
    """Have every address of the blueprint's pages say whose it is, where several patients use this browser."""

    @blueprint.url_defaults
    def add(endpoint: str, values: dict[str, Any]) -> None:
        if g.get("several") and g.get("bound") and not endpoint.endswith(".static"):
            values.setdefault("of", g.bound)


def begin(session: Session, link: IntakeLink, token: str, *, alone: bool = False) -> None:
    """Remember the link just opened, before any address is built; with `alone`, it is the only one from now on."""
    others = [] if alone else [opened for opened in binding.held(session, tokens()) if opened.link_id != link.id]
    here = binding.Held(token, link.id, link.patient_id)
    g.bound, g.several = link.id, binding.are_several([here, *others])
    g.tokens = [token, *(opened.token for opened in others)][:HELD]


def holds_another(session: Session, link: IntakeLink) -> bool:
    """Whether this browser is being used for another form than this one."""
    return any(opened.link_id != link.id for opened in binding.held(session, tokens()))


def put_first(session: Session, opened: links.OpenedLink) -> None:
    """Have the pages that follow be those of the link that was just used."""
    opened_links = binding.held(session, tokens())
    ours = [other.token for other in opened_links if other.link_id == opened.link.id]
    if ours and opened_links[0].link_id != opened.link.id:
        g.tokens = [*ours, *(other.token for other in opened_links if other.token not in ours)]


def remember(response: Response) -> Response:
    """Give the browser the tokens of its opened links, until it is closed; not where it was told to forget them."""
    if g.get("tokens") and "Clear-Site-Data" not in response.headers:
        response.set_cookie(
            cookie(),
            ".".join(g.tokens),
            httponly=True,
            samesite="Strict",
            secure=runtime.settings().secure,
            path="/",
        )
    return response


def tokens() -> list[str]:
    """Return the tokens of the links this browser has opened, the one used last first."""
    return [token for token in request.cookies.get(cookie(), "").split(".") if token][:HELD]


def cookie() -> str:
    """Return the name of the cookie of the links this browser has opened."""
    # __Host-: this host alone can set it, so no neighbour can put a patient into another's form. It needs path "/".
    return devices.of_this_host("wt_links")
