"""Whether the carrier is set as the service needs it: where texts that come in go, how often they are tried, by what it
signs and by what it is asked."""

from collections.abc import Iterator
from urllib.parse import parse_qs, urldefrag, urlsplit

from sqlalchemy import select

from config import clock, db
from config.settings import Settings
from messaging.delivery import redacting
from messaging.gateways import twilio
from messaging.gateways.base import Inbound, OutcomeUnknown, Refused
from messaging.models import REAL, Clinic

PATH = "/webhooks/twilio/sms"
# Tries and what is tried again, as Twilio reads them behind the address (docs: webhooks, connection overrides).
OVERRIDES = {"rc": ["5"], "rp": ["all"]}


def problems(settings: Settings) -> list[str]:
    """Ask the carrier, and return what is wrong and what to do, a sentence each."""
    try:
        return [*_tokens(settings), *_doors(settings), *_words_kept()]
    except (OutcomeUnknown, Refused) as error:
        return [f"the carrier could not be asked how it is set ({error})"]


def _tokens(settings: Settings) -> Iterator[str]:
    """What is wrong with the tokens by which webhooks are believed, and with what the carrier is asked by."""
    if not settings.twilio_api_key:
        yield (
            "the carrier is asked with the Auth Token, which also judges webhooks: make an API key at Twilio and set"
            " TWILIO_API_KEY and TWILIO_API_KEY_SECRET"
        )
    second = settings.twilio_auth_token_secondary
    first_works = twilio.knows(settings, settings.twilio_auth_token.get_secret_value())
    second_works = second is not None and twilio.knows(settings, second.get_secret_value())
    if not first_works and second_works:
        yield (
            "TWILIO_AUTH_TOKEN is no token of the account any more and TWILIO_AUTH_TOKEN_SECONDARY is: it was promoted,"
            " so set TWILIO_AUTH_TOKEN to it"
        )
    elif not first_works:
        yield "TWILIO_AUTH_TOKEN is no token of the account: what Twilio signs is refused at our door"
    elif second is not None and not second_works:
        yield (
            "TWILIO_AUTH_TOKEN_SECONDARY is no token of the account, and webhooks signed with it are still believed:"
            " take it out"
        )


def _doors(settings: Settings) -> Iterator[str]:
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        clinics = session.execute(select(Clinic.name, Clinic.number, Clinic.messaging_service_sid).where(REAL)).all()
    for name, number, service_sid in clinics:
        try:
            inbound = twilio.gateway().inbound(number, service_sid)
        except Refused as refused:
            yield f"{name}: the carrier does not show how texts come in (status {refused.status})"
            continue
        yield from (f"{name}: {wrong}" for wrong in judged(inbound, settings.public_url))


def _words_kept() -> Iterator[str]:
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        late = redacting.overdue(session, clock.now())
    if late.since is not None:
        yield (
            f"the carrier still has the words of {late.texts} text{'s' if late.texts > 1 else ''} that should be gone"
            f" (WARMTHREAD_CARRIER_KEEPS_HOURS), the oldest from {late.since:%Y-%m-%d}: last_error in the table"
            " carrier_copy says what it answered; a backlog after an upgrade goes by itself"
        )


def judged(inbound: Inbound | None, public_url: str) -> Iterator[str]:
    """Yield what is wrong with how texts come in, in words."""
    if inbound is None:
        yield "the account has no such number"
        return
    ours = public_url.rstrip("/") + PATH
    bare, fragment = urldefrag(inbound.url)
    if bare != ours:
        yield f"texts that come in go to {_shown(bare)}; they must go to {ours}"
    if {name: values for name, values in parse_qs(fragment).items() if name in OVERRIDES} != OVERRIDES:
        yield "a text that could not be brought is tried too seldom: let the address end with #rc=5&rp=all"
    if not inbound.fallback:
        yield "there is no fallback URL: set one, at least the same address again"
    elif not urlsplit(inbound.fallback).path.endswith(PATH):
        yield f"the fallback URL leads to {_shown(inbound.fallback)}; it must end with {PATH}"


def _shown(url: str) -> str:
    """An address without what may be secret in it."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname or ''}{parts.path}" if parts.hostname else "nowhere"
