"""How many tries at each short secret somebody gets who never sleeps, and with that the chance that one is right."""

import math

import pytest

from config import throttle
from intake_links import links, tablet_codes, tablet_pages
from web.account import sign_in_limits

DAY, YEAR = 24, 365
RIGHT_OF_A_MILLION = 3  # an app's code is taken for the step before, this one and the next


def tried(limit: throttle.Limit, hours: int) -> int:
    """How many tries a bucket lets through to whoever tries as soon as they may."""
    level = last = now = 0.0
    count = 0
    while now < hours * 3600:
        left, wait = throttle.standing(limit, level, last, now)
        if wait:
            now += wait
            continue
        level, last, count = min(limit.fullest, left + 1), now, count + 1
    return count


@pytest.mark.parametrize(
    ("limit", "first_hour", "first_day"),
    [
        (tablet_pages.TRIES, 68, 1448),
        (tablet_codes.AT_DOOR, 93, 1473),
        (sign_in_limits.STEP_AT_SOURCE, 68, 1448),
        (sign_in_limits.STEP, 31, 123),
        (sign_in_limits.AT_SOURCE, 68, 1448),
        (sign_in_limits.ACCOUNT, 113, 1493),
    ],
)
def test_whoever_never_sleeps_gets_as_many_tries_as_security_says(
    limit: throttle.Limit, first_hour: int, first_day: int
) -> None:
    assert (tried(limit, 1), tried(limit, DAY)) == (first_hour, first_day)


def test_the_chance_of_a_guess_is_what_security_says() -> None:
    short, longer = 10**tablet_codes.DIGITS, 10**tablet_codes.DIGITS_UNDER_ATTACK
    fast = tried(tablet_codes.AT_DOOR, DAY) * YEAR
    assert 0.40 < 1 - math.exp(-fast / short) < 0.42  # in a year, had codes six digits always, one of them always open
    assert fast / longer < 1 / 180
    # Whoever stays unnoticed, so that codes keep six digits, has no more tries than this.
    unnoticed = tablet_codes.NOTICED.free * 86_400 / tablet_codes.NOTICED.window * YEAR
    assert unnoticed / short < 1 / 270
    codes = tried(sign_in_limits.STEP, DAY)
    assert RIGHT_OF_A_MILLION * codes / 10**6 < 1 / 2_700
    a_year = tried(sign_in_limits.STEP, 24 * YEAR)
    assert 0.09 < 1 - math.exp(-RIGHT_OF_A_MILLION * a_year / 10**6) < 0.11
    assert links.TRIES == 5  # of some 30,000 days, once a link, which then is locked
