"""Asks an EHR: a token by SMART Backend Services first, then resources; what it refuses is told by code (no database).

The assertion is signed anew each time, lives four minutes and goes in the body; the token is opaque, and is given up a
little before its time. Nothing leads away from the EHR's own address: a further page elsewhere is not followed.
"""

import json
import re
import secrets
import time
import tomllib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache
from importlib import resources
from typing import Any
from urllib.parse import urlencode

import jwt

from config import clock
from interchange.fhir.values import objects, text
from messaging.event_webhooks import posting
from messaging.event_webhooks.posting import Answer, Way

ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ASSERTION_LIVES = timedelta(minutes=4)
# A token is given up this much before its time: what is under way with it must still arrive.
MARGIN = timedelta(seconds=20)
SHORTEST_TOKEN = timedelta(seconds=5)
MOST_BYTES = 8 * 1024 * 1024
REQUEST_SECONDS = 20.0
SCOPES = "system/Appointment.rs system/Patient.rs"
# Asked for beside them; an EHR that does not grant it is asked without.
ENCOUNTERS = "system/Encounter.rs"
# Why an EHR cannot be asked that a person must put right, here or over there; the rest passes.
STUCK = ("token_refused", "not_authorised", "configuration", "elsewhere", "address", "key_missing")


class Trouble(Exception):
    """The EHR could not be asked. `why` is a word for the connection's page, `retry_after` its own wish in seconds."""

    def __init__(self, why: str, retry_after: int | None = None) -> None:
        super().__init__(why)
        self.why, self.retry_after = why, retry_after

    @property
    def stuck(self) -> bool:
        """Whether it stays so until a person puts it right."""
        return self.why in STUCK


@dataclass(frozen=True)
class Access:
    """Where an EHR is and as whom it is asked; `private` is a key in PEM. `also` are scopes that it may refuse."""

    base_url: str
    configuration_url: str
    client_id: str
    kid: str
    algorithm: str
    private: str = field(repr=False)
    scopes: str = SCOPES
    also: str = ""


@dataclass(frozen=True)
class Token:
    """What lets us in: until when, and for what, as the EHR says it."""

    value: str = field(repr=False)
    until: datetime
    granted: str


@dataclass(frozen=True)
class Heard:
    """What was answered: a resource or another object of JSON, and the codes that came with it or in its place."""

    status: int
    body: Any
    codes: frozenset[str]
    location: str = ""

    def means(self, *meanings: str) -> bool:
        """Whether one of the codes means this."""
        return any(meaning(code) in meanings for code in self.codes)


@cache
def _codes() -> dict[str, dict[str, str]]:
    return tomllib.loads(resources.files("interchange").joinpath("polling", "refusals.toml").read_text("utf-8"))


def meaning(code: str) -> str:
    """Return what an EHR's code means; "" where it is none that we know."""
    return _codes().get(code, {}).get("means", "")


def grants(granted: str, kind: str) -> bool:
    """Whether scopes (SMART 1 or 2) let a kind of resource be searched; an EHR that names none grants what was asked
    for (RFC 6749, 5.1)."""
    may = re.compile(rf"system/({kind}|\*)\.(read|\*|c?r?u?d?s)(\?.*)?")
    return not granted or any(may.fullmatch(scope) for scope in granted.split())


class Asker:
    """Asks one EHR, at most `per_minute` times a minute; `token` is the one in use, a new one once it is worth nothing.

    `asked` counts the requests, those for tokens as well.
    """

    def __init__(self, access: Access, token: Token | None, way: Way, gap: timedelta = timedelta(0)) -> None:
        self.access, self.token, self.asked = access, token, 0
        self._way, self._gap, self._last = replace(way, seconds=way.seconds or REQUEST_SECONDS), gap, 0.0

    def get(self, url: str, parameters: Sequence[tuple[str, str]] = ()) -> Heard:
        """Return what an address of the EHR says. Raises Trouble where nothing can be done with the answer."""
        address = f"{url}?{urlencode(parameters)}" if parameters else url
        heard = self._authorised("GET", address)
        if heard.means("refused") or (heard.status == 403 and not heard.codes):
            raise Trouble("not_authorised")
        return heard

    def may_search(self, kind: str) -> bool:
        """Whether the token in use lets a kind of resource be searched."""
        return self.token is not None and grants(self.token.granted, kind)

    def post(self, url: str, kind: str, body: bytes) -> Heard:
        """Return what the EHR says to a body of this media type; a refusal is its answer. Raises Trouble where it is
        not known whether the EHR has taken it, or could not have been asked at all."""
        return self._authorised("POST", url, {"Content-Type": kind}, body)

    def put(self, url: str, kind: str, body: bytes) -> Heard:
        """Return what the EHR says to a body that replaces what is at this address; raises as `post` does."""
        return self._authorised("PUT", url, {"Content-Type": kind}, body)

    def _authorised(
        self, method: str, address: str, headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> Heard:
        if not address.startswith(self.access.base_url.rstrip("/") + "/"):
            raise Trouble("elsewhere")
        heard = self._with_token(method, address, headers or {}, body)
        if heard.status == 401:  # it has expired before its time, or was taken back: once with a new one
            self.token = None
            heard = self._with_token(method, address, headers or {}, body)
        if heard.status == 401:
            raise Trouble("unauthorised")
        return heard

    def _with_token(self, method: str, address: str, headers: Mapping[str, str], body: bytes | None) -> Heard:
        if self.token is None or clock.now() >= self.token.until:
            self.token = self._new_token()
        own = {"Authorization": f"Bearer {self.token.value}", "Accept": "application/fhir+json, application/json"}
        return _understood(self._ask(method, address, {**own, **headers}, body))

    def _ask(self, method: str, address: str, headers: Mapping[str, str], body: bytes | None = None) -> Answer:
        wait = self._last + self._gap.total_seconds() - time.monotonic()
        if wait > 0 and self.asked:
            time.sleep(wait)
        self._last, self.asked = time.monotonic(), self.asked + 1
        answer = posting.ask(method, address, {"Connection": "close", **headers}, body, self._way, MOST_BYTES)
        if answer.error == "refused_resolve":  # no name server may answer for a while
            raise Trouble("connect")
        if answer.error:
            raise Trouble("address" if answer.error.startswith("refused_") else answer.error)
        if answer.status == 429:
            raise Trouble("busy", answer.retry_after)
        if answer.status is not None and answer.status >= 500:
            raise Trouble("failing", answer.retry_after)
        return answer

    def _new_token(self) -> Token:
        configuration = _understood(self._ask("GET", self.access.configuration_url, {"Accept": "application/json"}))
        endpoint = text(configuration.body, "token_endpoint")
        if not endpoint:
            raise Trouble("configuration")
        now = clock.now()
        heard = self._asked_for_token(endpoint, now, f"{self.access.scopes} {self.access.also}".strip())
        if self.access.also and text(heard.body, "error") == "invalid_scope":
            heard = self._asked_for_token(endpoint, now, self.access.scopes)
        value = text(heard.body, "access_token")
        if heard.status != 200 or not value:
            raise Trouble("token_refused")
        return Token(value, now + _lives(heard.body), text(heard.body, "scope"))

    def _asked_for_token(self, endpoint: str, now: datetime, scopes: str) -> Heard:
        form = {
            "grant_type": "client_credentials",
            "scope": scopes,
            "client_assertion_type": ASSERTION,
            "client_assertion": assertion(self.access, endpoint, now),
        }
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        return _understood(self._ask("POST", endpoint, headers, urlencode(form).encode()))


def _lives(body: Mapping[str, Any]) -> timedelta:
    seconds = body.get("expires_in")
    lives = timedelta(seconds=seconds if type(seconds) is int and 0 < seconds < 86_400 else 60)
    return max(lives - MARGIN, min(lives, SHORTEST_TOKEN))


def assertion(access: Access, endpoint: str, now: datetime) -> str:
    """Return who we are, signed for this very token endpoint and for this once."""
    claims = {
        "iss": access.client_id,
        "sub": access.client_id,
        "aud": endpoint,
        "iat": int(now.timestamp()),
        "exp": int((now + ASSERTION_LIVES).timestamp()),
        "jti": secrets.token_urlsafe(24),
    }
    return jwt.encode(claims, access.private, access.algorithm, headers={"kid": access.kid, "typ": "JWT"})


def _understood(answer: Answer) -> Heard:
    """What was answered, as JSON; some gateways answer 404 in plain text."""
    try:
        body = json.loads(answer.body) if answer.body else {}
    except (ValueError, RecursionError):
        if answer.status is not None and answer.status < 300:
            raise Trouble("answer") from None
        body = {}
    return Heard(answer.status or 0, body, _codes_in(body), answer.location)


def _codes_in(body: object) -> frozenset[str]:
    """The codes of every OperationOutcome in an answer, be it the answer itself or an entry."""
    outcomes = [body, *(entry.get("resource") for entry in objects(body, "entry"))]
    told: Collection[str] = {
        text(coding, "code")
        for outcome in outcomes
        if text(outcome, "resourceType") == "OperationOutcome"
        for issue in objects(outcome, "issue")
        for coding in objects(issue, "details", "coding")
    }
    return frozenset(told)
