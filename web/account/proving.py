"""Asks once more who sits there before something is changed that lets them in: a page may have been left open."""

from collections.abc import Mapping

from messaging.models import Staff
from web import sessions, words
from web.account import passwords, sign_in_limits


def asked() -> bool:
    """Whether the form is to ask for the password: not just after signing in."""
    return not sessions.fresh()


def refusal(form: Mapping[str, str], staff: Staff, *, always: bool = False) -> str:
    """Return why `form` (current) does not prove that this is `staff`, "" where it does; `always` asks at any time."""
    if sessions.fresh() and not always:
        return ""
    if staff.password_hash is None:
        return words.say("proving", "sign_in_again")
    counted = sign_in_limits.of(staff.email)
    pause = counted.take()
    if pause:
        return words.say("step", "wait", seconds=pause)
    try:
        good = passwords.fits(staff.password_hash, form.get("current", ""))
    except passwords.Busy:
        counted.not_looked_at()
        return words.say("password_problems", "busy")
    if good:
        counted.right()
    return "" if good else words.say("proving", "wrong")
