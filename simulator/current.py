"""The network of the running app."""

from flask import current_app

from simulator.network import Network


def network() -> Network:
    """Return the network that this app shows to the world."""
    found: Network = current_app.extensions["network"]
    return found
