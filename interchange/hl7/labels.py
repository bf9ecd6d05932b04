"""Reads what a message says of its own sensitivity: that it falls under 42 CFR Part 2."""

from interchange.hl7.er7 import Message
from interchange.profiles import Profile


def is_part_two(message: Message, profile: Profile) -> bool:
    """Whether one of the profile's fields holds one of its codes, as the code itself or as its alternate (CWE)."""
    return any(_holds(message, field, profile.part_two) for field in profile.part_two_fields)


def _holds(message: Message, field: str, codes: list[str]) -> bool:
    name, _, number = field.partition("-")
    told = {
        value.part(place).upper()
        for segment in message.all(name)
        for value in segment.values(int(number))
        for place in (1, 4)
    }
    return any(code.upper() in told for code in codes)
