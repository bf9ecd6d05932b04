"""Turns what was typed as a phone number into one we can text, or says plainly why not."""

from __future__ import annotations

import re

import phonenumbers

# +1 also reaches a dozen other countries, where a text costs more and other law applies (47 CFR 64.1200 is for the United States).
TEXTABLE_REGIONS = frozenset({"US", "CA", "PR", "VI", "GU", "AS", "MP"})
_EXTENSION = re.compile(r"(?:ext|x|#|;|,)\s*\W*\d", re.IGNORECASE)
_SHORT = 7


class NotTextable(ValueError):
    """The number cannot be texted; the message is a plain reason that may be shown to staff."""


def e164(raw: str, region: str = "US") -> str:
    """Return ``raw`` as E.164 ("+12015550123"); raises NotTextable with a plain reason.

    ``region`` is the ISO country assumed when no country code was typed. Digits of any script are understood.
    A landline cannot be told from a mobile here: only the carrier knows.
    """
    typed = raw.strip()
    _refuse_what_is_not_one_number(typed)
    try:
        number = phonenumbers.parse(typed, region)
    except phonenumbers.NumberParseException:
        raise NotTextable("this is not a phone number") from None
    if number.extension:
        raise NotTextable("a number with an extension cannot get texts")
    # A number without its area code counts as "possible, locally" for the library; it cannot be texted.
    if phonenumbers.is_possible_number_with_reason(number) != phonenumbers.ValidationResult.IS_POSSIBLE:
        raise NotTextable("this has too few or too many digits for a phone number")
    _refuse_where_we_do_not_text(number)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _refuse_what_is_not_one_number(typed: str) -> None:
    if _EXTENSION.search(typed):
        raise NotTextable("a number with an extension cannot get texts")
    if any(character.isalpha() for character in typed):
        raise NotTextable("a phone number has no letters in it")
    digits = sum(character.isdecimal() for character in typed)
    if not digits:
        raise NotTextable("this is not a phone number")
    if digits < _SHORT:
        raise NotTextable("this is a short code or service number, not a person's phone")


def _refuse_where_we_do_not_text(number: phonenumbers.PhoneNumber) -> None:
    region = phonenumbers.region_code_for_number(number)
    if region is None:
        raise NotTextable("no such phone number is in use")
    if region not in TEXTABLE_REGIONS:
        raise NotTextable("only numbers of the United States, Canada and Puerto Rico can get texts")


def mask(number: str) -> str:
    """Return the last four digits behind two dots ("··0147"), for lists and audit; never raises.

    A sender that has a name instead of a number keeps it.
    """
    digits = "".join(character for character in number if character.isdecimal())
    return f"··{digits[-4:]}" if digits or not number else number


def display(number: str) -> str:
    """Return an E.164 number as people write it ("(201) 555-0123"); what cannot be read is returned as it is."""
    try:
        parsed = phonenumbers.parse(number, "US")
    except phonenumbers.NumberParseException:
        return number
    home = parsed.country_code == 1
    style = phonenumbers.PhoneNumberFormat.NATIONAL if home else phonenumbers.PhoneNumberFormat.INTERNATIONAL
    return phonenumbers.format_number(parsed, style)
