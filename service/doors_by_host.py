"""Which pages answer under which name, where staff have a host name of their own (`WARMTHREAD_STAFF_URL`).

The browser then keeps the two apart: what should ever run in a patient's page reaches no page and no cookie of staff,
and a stranger who knows the address of patients' links finds no door for staff there.
"""

from urllib.parse import urlsplit

from flask import Flask, abort, request

from config import runtime


def register(app: Flask, *public: str) -> None:
    """Keep to their own name: the blueprints named, machines' doors among them, to the public one, staff's to theirs.

    What watches the service, sheets and reports of browsers answer under both. Called before all other guards.
    """
    both = {None, "web", "health", "metrics", "page_reports"}

    def only() -> None:
        settings = runtime.settings()
        if not settings.staff_url or request.blueprint in both:
            return
        theirs = settings.public_url if request.blueprint in public else settings.staff_url
        # The name alone: a proxy may leave out the port, and cookies do not know it either.
        if urlsplit(f"//{request.host}").hostname != urlsplit(theirs).hostname:
            abort(404)

    app.before_request(only)
