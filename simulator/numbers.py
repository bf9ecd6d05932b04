"""Phone numbers as the network writes them: E.164, with the plus sign."""

import re

_E164 = re.compile(r"\+[1-9]\d{6,14}")


def is_e164(number: str) -> bool:
    """Whether `number` is a plus sign and 7 to 15 digits."""
    return _E164.fullmatch(number) is not None


def normalise(text: str) -> str:
    """Return the number meant by `text`: "+12015550101", "12015550101" or " 12015550101" (a plus lost in a query).

    Raises ValueError when it is no number.
    """
    number = "+" + re.sub(r"[\s().+-]", "", text)
    if not is_e164(number):
        raise ValueError(f"{text!r} is not a phone number")
    return number


def address(text: str) -> str:
    """Return the number meant by `text`, or the address of an RCS agent ("rcs:agent") as it is. Raises ValueError."""
    return text if re.fullmatch(r"rcs:[a-z0-9_]{1,60}", text) else normalise(text)


def country(number: str) -> str:
    """The two-letter country the carrier would name; only +1 is known here."""
    return "US" if number.startswith("+1") else ""
