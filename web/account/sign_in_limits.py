"""How often a password or a code may be tried: by account and source, by account, and by source over all accounts.

A device that somebody has signed in with before is counted by itself alone, so that nobody locks an on-call person
out from elsewhere. Unknown accounts look like known ones.
"""

from dataclasses import dataclass

from flask import request

from config import client_address, devices, throttle

HALF_AN_HOUR = 1800
AT_SOURCE = throttle.Limit("signin.account_at_source", free=5, window=HALF_AN_HOUR)
AT_DEVICE = throttle.Limit("signin.account_at_device", free=5, window=HALF_AN_HOUR)
STEP_AT_SOURCE = throttle.Limit("signin.step_at_source", free=5, window=HALF_AN_HOUR)
STEP_AT_DEVICE = throttle.Limit("signin.step_at_device", free=5, window=HALF_AN_HOUR)
# A code has six digits, and three of a million are right at any moment, whoever guesses: whoever has the password and
# every address of the world tries 31 in the first hour and four in each after it, one chance in 2,700 on the first day.
STEP = throttle.Limit("signin.step", free=20, window=43_200, longest=900)
ACCOUNT = throttle.Limit("signin.account", free=50)
PASSKEY = throttle.Limit("signin.passkey", free=30, window=HALF_AN_HOUR)
PROVIDER = throttle.Limit("signin.provider", free=60, window=HALF_AN_HOUR)
# One password over many accounts: a clinic behind one address mistypes less than this.
SOURCE = throttle.Limit("signin.source", free=30)


@dataclass(frozen=True)
class Tries:
    """What a try of this request's for an account is counted in: `own` is forgotten by the right password."""

    own: throttle.Bucket
    shared: tuple[throttle.Bucket, ...]

    def take(self) -> int:
        """Count a try and return 0, or return the seconds to wait."""
        return throttle.take(self.own, *self.shared)

    def right(self) -> None:
        """The password was right."""
        throttle.forget(self.own)
        self._give_back_shared()

    def not_looked_at(self) -> None:
        """The password was not looked at."""
        throttle.give_back(self.own)
        self._give_back_shared()

    def _give_back_shared(self) -> None:
        if self.shared:
            throttle.give_back(*self.shared)


def of(account: str) -> Tries:
    """Return what this request's tries for an account, as typed, are counted in."""
    device = devices.known(request.cookies.get(devices.cookie_name()), account)
    if device is not None:
        return Tries(AT_DEVICE.of(account, device), ())
    source = client_address.source(request.environ)
    return Tries(AT_SOURCE.of(account, source), (ACCOUNT.of(account), SOURCE.of(source)))


def of_step(account: str, staff_id: str) -> Tries:
    """Return what tries at the second step are counted in: only who has the password comes so far."""
    device = devices.known(request.cookies.get(devices.cookie_name()), account)
    if device is not None:
        return Tries(STEP_AT_DEVICE.of(staff_id, device), ())
    source = client_address.source(request.environ)
    return Tries(STEP_AT_SOURCE.of(staff_id, source), (STEP.of(staff_id),))


def of_passkey() -> Tries:
    """Return what this request's tries with a passkey are counted in: nobody guesses one, but each costs us work."""
    return Tries(PASSKEY.of(client_address.source(request.environ)), ())


def of_provider() -> Tries:
    """Return what ways to an identity provider and back are counted in: each costs us requests of our own."""
    return Tries(PROVIDER.of(client_address.source(request.environ)), ())
