"""The days of the week as files, forms and columns write them, Monday first. Pure."""

from typing import Literal, get_args

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[str, ...] = get_args(Weekday)
# How staff read them, in the same order.
SHORT_NAMES = tuple(day.capitalize() for day in WEEKDAYS)
