"""The second reader: how much a text is like an invented crisis, beside the rules and never instead of them. Pure."""

from messaging.reading.likeness.reading import Likeness, check, nearest, read, version, weighed_most

__all__ = ["Likeness", "check", "nearest", "read", "version", "weighed_most"]
