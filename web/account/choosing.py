"""A new password as it was typed twice: taken, or refused in words that say why."""

from collections.abc import Mapping

from messaging.models import Clinic, Staff
from web import words
from web.account import passwords


def chosen(form: Mapping[str, str], staff: Staff, clinic: Clinic, *, second_factor: bool) -> tuple[str | None, str]:
    """Return the hash of the password in `form` (password, again) and "", or None and what is wrong with it."""
    password = form.get("password", "")
    if password != form.get("again", ""):
        return None, words.say("password_problems", "differ")
    near = passwords.near_words(clinic.name, staff.name, staff.email)
    try:
        return passwords.hashed(password, near, second_factor=second_factor), ""
    except passwords.Refused as refused:
        count = passwords.shortest(second_factor=second_factor)
        return None, words.say("password_problems", refused.why, count=count, word=refused.word)
    except passwords.Busy:
        return None, words.say("password_problems", "busy")
