"""What an attack leaves behind: refused sign-ins, forged webhooks, refused pages and hasty ones,
what a page was forbidden to load, counted and logged.

Counted by kind (config.tallies), and each a line of the log with the source under a keyed hash: the same
source is known again, and no address stands there. Beyond a hundred lines a minute and process they are only counted.
"""

import threading

from config import clock, keys, logging, runtime, tallies

KINDS = ("sign_in_refused", "forged_webhook", "forbidden", "too_many", "form_token", "key_refused", "content_policy")
LINES_A_MINUTE = 100


class _Lines:
    """How many lines this process has written in the minute."""

    def __init__(self) -> None:
        self._lock, self._minute, self._count = threading.Lock(), 0, 0

    def may(self) -> bool:
        """Whether one more may be written."""
        minute = int(clock.monotonic() // 60)
        with self._lock:
            if minute != self._minute:
                self._minute, self._count = minute, 0
            self._count += 1
            return self._count <= LINES_A_MINUTE


def kind_of(path: str, method: str, status: int) -> str | None:
    """Return what kind of event an answer is, None for none."""
    if status == 429:
        return "too_many"
    if path.startswith("/webhooks/"):
        return "forged_webhook" if status == 403 else None
    if path.startswith("/api/") and status == 401:
        return "key_refused"
    if path.startswith(("/signin/organization/", "/signin")[method == "POST"]) and status == 401:
        return "sign_in_refused"
    return "forbidden" if status == 403 else None


def note(kind: str, source: str, *, route: str, status: int, **named: str) -> None:
    """Count an event of `kind`, and write a line about it; `source` as config.client_address has it, `named` words of
    our own that belong to it."""
    tallies.add("security", kind)
    if runtime.once("security_events.lines", _Lines).may():
        hashed = keys.token_hash(f"source:{source}").hex()[:16]
        logging.logger().warning("security event", kind=kind, source=f"h.{hashed}", route=route, status=status, **named)
