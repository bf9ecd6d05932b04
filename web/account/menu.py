"""Every way from here as one page: what stands beside the pages on a desk, for whoever holds a phone."""

from config import db
from web import layout, permissions, sessions, words

menu = layout.room("menu", __name__)


@menu.get("/menu")
@permissions.signed_in("self")
def show() -> str:
    """Show who one is here, and every page that is open to them."""
    with db.unit_of_work(sessions.clinic().id, read_only=True) as session:
        role = words.say("roles", layout.the_staff().role)
        return layout.page(session, "staff/menu.html", here="menu", role=role)
