"""The address of the page that is read, for acts that lead back to it."""

from urllib.parse import urlencode

from flask import request

# What a page adds to its address where it redraws itself, or a part of itself: nobody has gone there.
OF_REDRAWING = ("unattended", "seen")


def address() -> str:
    """Return path and query of this page, as its reader has gone to it."""
    asked = [(name, value) for name, value in request.args.items(multi=True) if name not in OF_REDRAWING]
    return f"{request.path}?{urlencode(asked)}" if asked else request.path
