"""Browsers that somebody has come in with before: a cookie that opens nothing, and keeps its own way to the door.

The cookie names the device and carries one keyed mark for each account that came in with it. Who attacks an account
from elsewhere has no such mark, so what is counted against the attacker is not counted against the device.
"""

import base64
import hmac
import re
from typing import Any

from config import clock, keys, runtime

LASTS_DAYS = 180
REMEMBERED = 8
_COOKIE = re.compile(rf"(?P<day>[0-9]{{1,6}})-(?P<id>[\w-]{{22}})(?P<marks>(\.[\w-]{{22}}){{1,{REMEMBERED}}})", re.A)


def of_this_host(name: str) -> str:
    """Return a cookie's name with the prefix that makes browsers refuse it from other hosts and without https."""
    return f"__Host-{name}" if runtime.settings().secure else name


def cookie_name() -> str:
    """Return the name of the cookie by which a device is known."""
    return of_this_host("wt_device")


def known(cookie: str | None, account: str) -> str | None:
    """Return the id of the device if `account` came in with it in the last half year, else None."""
    read = _read(cookie)
    return read[0] if read and any(hmac.compare_digest(_mark(read[0], account), mark) for mark in read[1]) else None


def remember(response: Any, cookie: str | None, account: str) -> None:
    """Let the browser that gets this response (werkzeug's) keep its own way in for an account that has just come in."""
    response.set_cookie(
        cookie_name(),
        with_account(cookie, account),
        max_age=LASTS_DAYS * 86_400,
        httponly=True,
        secure=runtime.settings().secure,
        samesite="Lax",
        path="/",
    )


def with_account(cookie: str | None, account: str) -> str:
    """Return the cookie for a device that `account` has just come in with; accounts of half its age begin anew."""
    device, marks = _read(cookie, LASTS_DAYS // 2) or (f"{_today()}-{keys.new_token()}", [])
    mark = _mark(device, account)
    return ".".join([device, *[other for other in marks if other != mark][-REMEMBERED + 1 :], mark])


def _read(cookie: str | None, oldest: int = LASTS_DAYS) -> tuple[str, list[str]] | None:
    match = _COOKIE.fullmatch(cookie or "")
    # A day to come is no forgery, the mark covers it: a clock that was ahead must keep nobody out.
    if match is None or _today() - int(match["day"]) > oldest:
        return None
    return f"{match['day']}-{match['id']}", match["marks"].split(".")[1:]


def _mark(device: str, account: str) -> str:
    secret = runtime.once("devices.secret", lambda: keys.ring().secret("devices"))
    code = hmac.digest(secret, f"{device}\n{account}".encode("utf-8", "replace"), "sha256")[:16]
    return base64.urlsafe_b64encode(code).decode().rstrip("=")


def _today() -> int:
    return int(clock.now().timestamp()) // 86_400
