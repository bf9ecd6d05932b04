"""Turns what was typed as a phone number into one we can text, or says plainly why not."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from contextlib import suppress
from functools import cache

import phonenumbers

# +1 also reaches a dozen other countries, where a text costs more and other law applies (47 CFR 64.1200 is for the
# United States).
TEXTABLE_REGIONS = frozenset({"US", "CA", "PR", "VI", "GU", "AS", "MP"})
_EXTENSION = re.compile(r"(?:ext|x|#|;|,)\s*\W*\d", re.IGNORECASE)
_SHORT = 7
# Area code and exchange as the North American plan forms them; new area codes come faster than any list of them.
_NORTH_AMERICAN = re.compile(r"[2-9](?!11|9)\d\d[2-9](?!11)\d{6}")
_MOBILES = (phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE)
# Where one cell of a file holds several numbers. A comma before few digits is an extension's.
_BETWEEN = re.compile(
    r"\s*(?:[/|;&\n]|,(?=\D*(?:\d\D*){7})|\b(?:or|and|o|y)\b|(?<=[a-z.]\))\s(?=[\d(+])|(?<=\d)\s+(?=[^\W\d_]+:))\s*",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W\d_]+")
_LABEL = re.compile(r"[(\[]*[^\W\d_]+[\s.:)\]-]*")
_MOBILE_WORDS = frozenset(
    [
        "c",
        "m",
        "cell",
        "cells",
        "cellular",
        "cellphone",
        "mobile",
        "mob",
        "cel",
        "celular",
        "movil",
        "text",
        "texts",
        "sms",
        "wireless",
    ]
)
_PHONE_WORDS = frozenset(
    ["phone", "tel", "telephone", "telefono", "ph", "number", "no", "num", "primary", "preferred", "contact"]
)


class NotTextable(ValueError):
    """The number cannot be texted; the message is a plain reason that may be shown to staff."""


def e164(raw: str, region: str = "US", abroad: Collection[str] = ()) -> str:
    """Return ``raw`` as E.164 ("+12015550123"); raises NotTextable with a plain reason.

    ``region`` is the ISO country assumed when no country code was typed; ``abroad`` are those beyond ours whose mobiles
    may be texted. Digits of any script are understood.
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
    _refuse_where_we_do_not_text(number, abroad)
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


def _refuse_where_we_do_not_text(number: phonenumbers.PhoneNumber, abroad: Collection[str]) -> None:
    region = _region(number)
    if region is None:
        raise NotTextable("no such phone number is in use")
    if region in TEXTABLE_REGIONS:
        return
    if region not in abroad:
        raise NotTextable("only numbers of the United States, Canada and Puerto Rico can get texts")
    if phonenumbers.number_type(number) not in _MOBILES:
        raise NotTextable("abroad only a mobile can get texts")


def _region(number: phonenumbers.PhoneNumber) -> str | None:
    """The country of a number; +1 is ours unless the area code is known to be of another country."""
    if number.country_code != 1:
        return phonenumbers.region_code_for_number(number)
    national = phonenumbers.national_significant_number(number)
    if not _NORTH_AMERICAN.fullmatch(national):
        return None
    return next((region for region, codes in _area_codes() if codes.match(national)), "US")


@cache
def _area_codes() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """The countries that share +1, each with a pattern of its area codes where those tell it from ours."""
    regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE[1]
    metadata = [(region, phonenumbers.PhoneMetadata.metadata_for_region(region)) for region in regions]
    told = ((region, data.leading_digits) for region, data in metadata if data and data.leading_digits)
    return tuple((region, re.compile(digits)) for region, digits in told)


def of_cell(written: str, abroad: Collection[str] = ()) -> str:
    """Return the number that stands in a cell of somebody's file as E.164: "(201) 555-0123 (cell)", one of several
    where it alone is marked as the mobile. Raises NotTextable."""
    parts = [part for part in _BETWEEN.split(written) if any(character.isdecimal() for character in part)]
    if len(parts) < 2 or any(sum(character.isdecimal() for character in part) < _SHORT for part in parts):
        return _labelled(written, abroad)[0]
    numbers = []
    for part in parts:
        with suppress(NotTextable):
            numbers.append(_labelled(part, abroad))
    mobiles = {number for number, is_mobile in numbers if is_mobile}
    wanted = mobiles or {number for number, _ in numbers}
    if len(wanted) != 1 or not (mobiles or len(numbers) == len(parts)):
        raise NotTextable("more than one number stands there, and none alone is marked as the mobile")
    return wanted.pop()


def _labelled(written: str, abroad: Collection[str]) -> tuple[str, bool]:
    """The number beside which nothing stands but what kind of phone it is, and whether it is said to be a mobile."""
    spread = unicodedata.normalize("NFKD", written.casefold())
    words = set(_WORD.findall("".join(character for character in spread if not unicodedata.combining(character))))
    if not words or not words <= _MOBILE_WORDS | _PHONE_WORDS or _EXTENSION.search(written):
        return e164(written, abroad=abroad), False
    bare = _LABEL.sub(" ", written).strip(" ,;|/:-\t\n")
    return e164(bare, abroad=abroad), bool(words & _MOBILE_WORDS)


def countries(codes: Collection[str]) -> tuple[str, ...]:
    """Return the ISO codes of countries in capitals, in their order and once each; ours are always among those that may
    be texted and are left out. Raises ValueError for what is no country."""
    upper = dict.fromkeys(code.strip().upper() for code in codes)
    unknown = [code for code in upper if code not in phonenumbers.SUPPORTED_REGIONS]
    if unknown:
        raise ValueError(f"{unknown[0][:20]!r} is no country: two letters each, such as MX or GT")
    return tuple(code for code in upper if code not in TEXTABLE_REGIONS)


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
