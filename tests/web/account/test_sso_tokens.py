"""What an identity provider sends back, and every way in which it must not be taken: each lets nobody in."""

from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from sqlalchemy import select

from config import clock, db, runtime
from messaging.models import Staff
from service import tables
from tests.web.account.provider import CLIENT_ID, SECRET, Provider
from tests.web.account.sso_place import ROSA, acts, at, begin, comes, decide, here, kept_out
from tests.web.account.test_second_step import a_colleague


@pytest.mark.parametrize(
    ("claims", "why"),
    [
        ({"nonce": "another"}, "nonce"),
        ({"nonce": None}, "nonce"),
        ({"iss": "https://evil.example"}, "iss"),
        ({"aud": "another-client"}, "aud"),
        ({"aud": [CLIENT_ID, "another"]}, "azp"),
        ({"azp": "another-client"}, "azp"),
        ({"exp": 1_700_000_000}, "exp"),
        ({"exp": None}, "exp"),
        ({"iat": 1_700_000_000}, "iat"),
        ({"iat": 4_000_000_000}, "iat"),
        ({"sub": None}, "sub"),
        ({"sub": ""}, "sub"),
        ({"email_verified": False}, "email_unverified"),
        ({"email_verified": "true"}, "email_unverified"),
        ({"email_verified": None}, "email_unverified"),
        ({"email": "rosa@evil.example"}, "email_elsewhere"),
        ({"email": "rosa@clinic.example.evil.example"}, "email_elsewhere"),
        ({"email": "rosa@evilclinic.example"}, "email_elsewhere"),
        ({"email": "sam@clinic.example"}, "not_invited"),
        ({"groups": ["staff"]}, "no_role"),
        ({"groups": None}, "no_role"),
    ],
)
def test_a_token_that_says_one_thing_wrong_lets_nobody_in(
    place: Any, rosa: Staff, provider: Provider, claims: dict[str, Any], why: str
) -> None:
    provider.claims = claims
    kept_out(place, provider, why)
    assert place.read(Staff, rosa.id).sso_subject is None


def test_what_the_provider_gives_stays_with_the_server_and_is_not_kept(
    place: Any, rosa: Staff, provider: Provider
) -> None:
    browser, answer = comes(place, provider)
    assert answer.status_code == 303
    with browser.client.session_transaction() as cookie, db.unit_of_work(db.EVERY, read_only=True) as session:
        rows = [session.execute(select(table)).all() for table in tables.METADATA.sorted_tables]
        seen = f"{answer.headers} {answer.text} {browser.get('/account').text} {dict(cookie)} {rows}"
    assert len(provider.given) == 3
    assert [given for given in [*provider.given, provider.wanted["nonce"], SECRET] if given in seen] == []


@pytest.mark.parametrize("signs_by", ["nothing", "public"])
def test_a_token_that_no_private_key_has_signed_lets_nobody_in(
    place: Any, rosa: Staff, provider: Provider, signs_by: str
) -> None:
    provider.signs_by = signs_by
    kept_out(place, provider, "signature")


def test_a_token_signed_by_a_key_that_the_provider_does_not_publish_lets_nobody_in(
    place: Any, rosa: Staff, provider: Provider
) -> None:
    provider.key = "second"
    kept_out(place, provider, "signature")


def test_a_provider_may_change_its_key_while_everybody_signs_in(place: Any, rosa: Staff, provider: Provider) -> None:
    assert comes(place, provider)[1].status_code == 303
    provider.key, provider.published = "second", ["first", "second"]
    with time_machine.travel(clock.now() + timedelta(minutes=5)):
        there = runtime.once("sso.providers", dict)[provider.issuer]
        there.keys_at -= 60  # monotonic seconds, which no clock of tests moves
        assert comes(place, provider)[1].status_code == 303


def test_a_code_and_a_state_are_good_once_and_in_one_browser(place: Any, rosa: Staff, provider: Provider) -> None:
    browser = place.browser()
    back = here(provider.back_from(begin(browser, place)))
    assert place.browser().get(back).status_code == 401  # somebody else's browser has asked nothing
    kept = browser.client.get_cookie("wt_form")
    assert browser.get(back).status_code == 303
    assert browser.get(back).status_code == 401
    assert kept is not None
    thief = place.browser()
    thief.client.set_cookie(kept.key, kept.value)  # the cookie from before, with the same answer
    assert thief.get(back).status_code == 401
    assert acts(place, "staff.sso_refused") == [{"why": "code"}]


def test_an_old_question_is_answered_no_more_though_the_provider_would(
    place: Any, rosa: Staff, provider: Provider
) -> None:
    """Whoever kept the cookie of a question, and has a fresh code for it, comes after its owner."""
    browser = place.browser()
    way = begin(browser, place)
    with time_machine.travel(clock.now() + timedelta(seconds=5)):
        assert comes(place, provider)[1].status_code == 303
        late = browser.get(here(provider.back_from(way)))
        assert late.status_code == 401
        assert acts(place, "staff.sso_refused")[-1] == {"why": "answered_before"}
    slow = place.browser()
    way = begin(slow, place)
    with time_machine.travel(clock.now() + timedelta(minutes=11)):
        assert slow.get(here(provider.back_from(way))).status_code == 401


@pytest.mark.parametrize("state", ["another", "x" * 43, "é"])
def test_an_answer_to_no_question_of_ours_is_none(place: Any, rosa: Staff, provider: Provider, state: str) -> None:
    browser = place.browser()
    answer = browser.get(here(provider.back_from(begin(browser, place), state=state)))
    assert answer.status_code == 401
    assert acts(place, "staff.sso_refused") == []  # nobody can fill the log from outside


def test_an_answer_of_another_provider_is_not_taken_for_this_ones(
    place: Any, rosa: Staff, provider: Provider, another_house: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mix-up: by the issuer that an answer names (RFC 9207), and by an address for each clinic."""
    provider.answers = {"iss": "https://evil.example"}
    kept_out(place, provider, "mix_up")
    provider.answers, provider.facts = {}, {"authorization_response_iss_parameter_supported": True}
    runtime.forget("sso.providers")
    kept_out(place, provider, "mix_up")
    provider.answers = {"iss": provider.issuer}
    assert comes(place, provider)[1].status_code == 303
    other = at(another_house(), provider, monkeypatch)
    a_colleague(other, email=ROSA)
    browser = place.browser()
    way = begin(browser, place)
    elsewhere = parse_qs(urlsplit(way).query)["redirect_uri"][0].replace(str(place.clinic.id), str(other.clinic.id))
    assert browser.get(here(provider.back_from(way, redirect_uri=elsewhere))).status_code == 401
    assert comes(other, provider)[1].status_code == 303  # who has asked there comes in there


def test_the_code_is_bound_to_the_browser_by_pkce_and_to_an_exact_address(
    place: Any, rosa: Staff, provider: Provider
) -> None:
    browser = place.browser()
    way = begin(browser, place)
    assert parse_qs(urlsplit(way).query)["redirect_uri"] == [
        f"http://localhost:8000/signin/organization/{place.clinic.id}/back"
    ]
    stolen = here(provider.back_from(way))
    thief = place.browser()
    own = here(provider.back_from(begin(thief, place)))
    mixed = own.replace(parse_qs(urlsplit(own).query)["code"][0], parse_qs(urlsplit(stolen).query)["code"][0])
    assert thief.get(mixed).status_code == 401  # another's code with one's own verifier
    assert acts(place, "staff.sso_refused") == [{"why": "code"}]


def test_whoever_says_no_over_there_or_brings_nothing_is_not_in(place: Any, rosa: Staff, provider: Provider) -> None:
    provider.answers = {"error": "access_denied"}
    kept_out(place, provider, "no_code")


def test_a_provider_that_is_silent_or_another_is_said_to_be_silent(place: Any, rosa: Staff, provider: Provider) -> None:
    provider.down = True
    answer = place.browser().get(f"/signin/organization/{place.clinic.id}")
    assert (answer.status_code, "does not answer just now" in answer.text) == (503, True)
    for wrong in (
        {"issuer": "https://evil.example"},
        {"token_endpoint": "http://evil.example/token"},
        {"jwks_uri": "https://169.254.169.254/keys"},
        {"jwks_uri": None},
    ):
        provider.down, provider.facts = False, wrong
        assert place.browser().get(f"/signin/organization/{place.clinic.id}").status_code == 503, wrong


def test_nothing_inside_is_asked(place: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The guard of webhooks: an address that leads inside is not even taken as an issuer, nor asked later."""
    told = runtime.settings().model_copy(update={"webhooks_to_loopback": False})
    monkeypatch.setattr(runtime, "_settings", told)
    assert place.browser().get(f"/signin/organization/{place.clinic.id}").status_code == 503
    for inside in ("https://127.0.0.1/x", "https://10.0.0.8", "http://idp.example", "https://user@idp.example"):
        with pytest.raises(ValueError, match="issuer"):
            decide(place, issuer=inside)
