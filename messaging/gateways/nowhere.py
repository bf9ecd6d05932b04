"""The end of a self-check's text: taken by nobody, so that the whole way can be tried out and costs nothing."""

from uuid import uuid4

from messaging.gateways.base import Outgoing


def send(_text: Outgoing) -> str:
    """Let the text end here; the id that is returned is none that a carrier gives."""
    return f"NW{uuid4().hex}"
