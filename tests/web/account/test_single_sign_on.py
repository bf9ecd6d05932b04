"""Signing in with the clinic's identity provider over HTTP, as it should go, and every way in which it should not."""

import html
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from sqlalchemy import select

from config import audit, clock, db, runtime
from messaging.models import Clinic, Message, Staff
from reminders import single_sign_on
from tests.web.account import provider as providers
from tests.web.account.provider import CLIENT_ID, SECRET, Provider
from tests.web.account.test_second_step import GOOD, a_colleague, code, enter, set_up, step
from web.models import AccountChange, ProviderSecret, StaffSession

ROSA = "rosa@clinic.example"


@pytest.fixture
def provider() -> Iterator[Provider]:
    with providers.running() as running:
        running.person = {
            "sub": "u-1",
            "email": ROSA,
            "email_verified": True,
            "name": "Rosa Delgado",
            "groups": ["staff", "care"],
        }
        yield running


def decide(house: Any, **terms: Any) -> None:
    """Let a clinic have decided this."""
    with db.unit_of_work(house.clinic.id) as session:
        clinic = session.get_one(Clinic, house.clinic.id)
        wanted = single_sign_on.SINGLE_SIGN_ON.read(single_sign_on.of_clinic(clinic).model_dump(mode="json") | terms)
        single_sign_on.SINGLE_SIGN_ON.take_effect(session, clinic, wanted, "operator")


def at(house: Any, provider: Provider, monkeypatch: pytest.MonkeyPatch, **terms: Any) -> Any:
    """A clinic whose people sign in with `provider`."""
    told = runtime.settings().model_copy(update={"webhooks_to_loopback": True})
    monkeypatch.setattr(runtime, "_settings", told)
    usual = {"on": True, "issuer": provider.issuer, "client_id": CLIENT_ID, "domains": ["clinic.example"]}
    decide(house, **(usual | {"care_manager": ["care"], "clinic_admin": ["bosses"]} | terms))
    with db.unit_of_work(house.clinic.id) as session:
        kept = ProviderSecret(id=db.new_id(), clinic_id=house.clinic.id, key_id=house.clinic.key_id)
        kept.secret, kept.changed_by, kept.changed_at = SECRET, "operator", clock.now()
        session.add(kept)
    return house


@pytest.fixture
def place(house: Any, provider: Provider, monkeypatch: pytest.MonkeyPatch) -> Any:
    return at(house, provider, monkeypatch)


@pytest.fixture
def rosa(place: Any) -> Staff:
    return a_colleague(place, email=ROSA)


def begin(browser: Any, place: Any, onward: str = "/inbox") -> str:
    answer = browser.get(f"/signin/organization/{place.clinic.id}?next={onward}")
    assert answer.status_code == 303
    way: str = answer.location
    return way


def here(address: str) -> str:
    """The path of an address of ours."""
    parts = urlsplit(address)
    assert f"{parts.scheme}://{parts.netloc}" == runtime.settings().public_url
    return f"{parts.path}?{parts.query}"


def comes(place: Any, provider: Provider, browser: Any = None) -> tuple[Any, Any]:
    """A browser that goes to the provider and back, and what it is answered."""
    browser = browser or place.browser()
    return browser, browser.get(here(provider.back_from(begin(browser, place))))


def acts(house: Any, act: str) -> list[dict[str, Any]]:
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        lines = select(audit.AuditEntry.detail).where(audit.AuditEntry.act == act).order_by(audit.AuditEntry.at)
        return list(session.scalars(lines))


def kept_out(place: Any, provider: Provider, why: str) -> None:
    """Nobody comes in, everybody is told the same, and the audit log says why."""
    browser, answer = comes(place, provider)
    assert answer.status_code == 401
    assert "did not let you in" in answer.text
    assert browser.get("/inbox").status_code == 303
    assert acts(place, "staff.sso_refused")[-1] == {"why": why}
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        assert session.scalars(select(StaffSession)).all() == []


@pytest.mark.parametrize("on", ["house", "house_on_postgresql"])
def test_a_colleague_comes_in_by_the_providers_word_and_is_told_of_the_link_once(
    on: str, provider: Provider, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = at(request.getfixturevalue(on), provider, monkeypatch)
    rosa = a_colleague(place, email=ROSA, number="+12025550161")
    for _ in range(2):
        browser, answer = comes(place, provider)
        assert (answer.status_code, answer.location) == (303, "/inbox")
        assert browser.get("/inbox").status_code == 200
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        assert session.scalars(select(StaffSession.how)).all() == ["sso", "sso"]
        told = session.scalars(select(AccountChange.what).order_by(AccountChange.id)).all()
        assert told.count("sso_linked") == 1
        assert session.scalars(select(Message.staff_id)).all()[0] == rosa.id
    assert acts(place, "staff.sso_linked") == [{}]
    page = html.unescape(browser.get("/account").text)
    assert "by your organization's account" in page
    assert "Linked to your organization's account" in page
    assert "auth_time" not in str(acts(place, "staff.signed_in"))


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
    browser = place.browser()
    back = here(provider.back_from(begin(browser, place)))
    assert browser.get(back.replace(str(place.clinic.id), str(other.clinic.id))).status_code == 401


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


def test_the_clinics_own_second_step_stays_unless_it_says_that_the_provider_asks_for_one(
    place: Any, rosa: Staff, provider: Provider
) -> None:
    app, _ = set_up(enter(place, rosa)[0])
    provider.claims = {"amr": ["pwd", "mfa"], "acr": "phr"}
    browser, answer = comes(place, provider)
    assert answer.location == "/signin/step"
    with time_machine.travel(clock.now() + timedelta(minutes=1)):
        assert step(browser, code(app)).status_code == 303
        decide(place, second_step=["mfa"])
        assert comes(place, provider)[1].location == "/inbox"
        provider.claims = {"amr": ["pwd"]}
        assert comes(place, provider)[1].location == "/signin/step"
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        rows = session.scalars(select(StaffSession.factor).where(StaffSession.how == "sso")).all()
        assert sorted(map(str, rows)) == ["code", "provider"]


def test_whoever_is_in_a_group_with_a_role_joins_where_accounts_are_made_and_with_no_other_role(
    place: Any, provider: Provider
) -> None:
    place.staff("Ana Ruiz", role="clinic_admin", email="ana@clinic.example")
    decide(place, joiners=True)
    provider.person |= {"sub": "u-2", "email": "Sam@Clinic.example", "name": "Sam Lee"}
    browser, answer = comes(place, provider)
    assert answer.status_code == 303
    assert browser.get("/inbox").status_code == 200
    assert browser.get("/settings/people").status_code == 200
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        sam = session.scalars(select(Staff).where(Staff.email == "sam@clinic.example")).one()
        assert (sam.name, sam.role, sam.password_hash, sam.signs_in) == ("Sam Lee", "care_manager", None, True)
    provider.person |= {"sub": "u-3", "email": "kim@clinic.example", "name": "", "groups": ["care"]}
    kept_out_but_others(place, provider, "no_name")


def kept_out_but_others(place: Any, provider: Provider, why: str) -> None:
    """As kept_out, where others are signed in."""
    assert comes(place, provider)[1].status_code == 401
    assert acts(place, "staff.sso_refused")[-1] == {"why": why}


def test_whoever_has_lost_their_groups_is_signed_out_and_nothing_of_theirs_opens_any_more(
    place: Any, rosa: Staff, provider: Provider
) -> None:
    decide(place, only=False)
    browser, _ = comes(place, provider)
    assert enter(place, rosa)[1].status_code == 303
    link = place.link(rosa, "reset")
    provider.claims = {"groups": ["staff"]}
    assert comes(place, provider)[1].status_code == 401
    assert browser.get("/inbox").status_code == 303
    assert enter(place, rosa)[1].status_code == 401  # nor by the password
    assert place.browser().get(link).status_code == 410
    assert acts(place, "staff.sso_left") == [{}]
    provider.claims = {}
    assert comes(place, provider)[1].status_code == 303  # who is back has it back
    assert place.read(Staff, rosa.id).sso_state == "linked"


def test_whoever_does_not_work_here_any_more_comes_in_by_no_word_of_the_provider(
    place: Any, rosa: Staff, provider: Provider
) -> None:
    assert comes(place, provider)[1].status_code == 303
    with db.unit_of_work(place.clinic.id) as session:
        session.get_one(Staff, rosa.id).active = False
    kept_out_but_others(place, provider, "inactive")
    with db.unit_of_work(place.clinic.id) as session:
        staff = session.get_one(Staff, rosa.id)
        staff.active, staff.sso_state = True, "locked"
    kept_out_but_others(place, provider, "locked")


def test_whoever_comes_by_the_provider_alone_has_no_other_way_but_administrators(
    place: Any, rosa: Staff, provider: Provider
) -> None:
    assert comes(place, provider)[1].status_code == 303
    assert enter(place, rosa)[1].status_code == 401
    assert place.browser().get(place.link(rosa, "reset")).status_code == 410
    ana = a_colleague(place, name="Ana Ruiz", role="clinic_admin", email="ana@clinic.example")
    provider.person |= {"sub": "u-9", "email": "ana@clinic.example", "groups": ["bosses"]}
    assert comes(place, provider)[1].status_code == 303
    assert enter(place, ana)[1].status_code == 303
    decide(place, on=False)
    assert enter(place, rosa)[1].status_code == 303
    assert place.read(Staff, rosa.id).sso_subject is None


def test_a_role_follows_the_group_at_the_next_sign_in_unless_nobody_could_decide_then(
    place: Any, rosa: Staff, provider: Provider
) -> None:
    browser, _ = comes(place, provider)
    provider.claims = {"groups": ["bosses", "care"]}
    assert comes(place, provider)[1].status_code == 303
    assert place.read(Staff, rosa.id).role == "clinic_admin"
    assert browser.get("/inbox").status_code == 303  # the session of the other role is over
    provider.claims = {}
    kept_out_but_others(place, provider, "role_leaves_gap")  # nobody would decide for the clinic any more
    assert place.read(Staff, rosa.id).role == "clinic_admin"


def test_an_address_that_was_given_to_somebody_else_is_not_the_one_before(
    place: Any, rosa: Staff, provider: Provider
) -> None:
    assert comes(place, provider)[1].status_code == 303
    provider.person |= {"sub": "u-7"}
    kept_out_but_others(place, provider, "linked_to_another")
    ana = place.signed_in(place.staff("Ana Ruiz", role="clinic_admin", email="ana@clinic.example"))
    answer = ana.post(f"/settings/people/{rosa.id}/unlink")
    assert answer.status_code == 303
    assert comes(place, provider)[1].status_code == 303
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        told = session.scalars(select(AccountChange.what).order_by(AccountChange.id)).all()
        assert [what for what in told if what.startswith("sso")] == ["sso_linked", "sso_unlinked", "sso_linked"]


def test_the_door_offers_it_only_where_it_is_set_and_tells_no_clinic_from_another(
    place: Any, rosa: Staff, provider: Provider, another_house: Any
) -> None:
    offer = "Sign in with your organization"
    assert offer in place.browser().get("/signin").text  # one clinic: everybody's
    other = another_house()
    assert offer not in place.browser().get("/signin").text
    assert offer in place.browser().get(f"/signin?at={place.clinic.id}").text
    nobody = place.browser().get(f"/signin?at={db.new_id()}")
    without = place.browser().get(f"/signin?at={other.clinic.id}")
    assert (nobody.status_code, nobody.text.count("<form")) == (without.status_code, without.text.count("<form"))
    assert offer not in nobody.text + without.text
    for clinic_id in (db.new_id(), other.clinic.id):
        assert place.browser().get(f"/signin/organization/{clinic_id}").status_code == 401
    browser, _ = comes(place, provider)
    browser.post("/signout")
    assert offer in browser.get("/signin").text  # this browser remembers


def test_signing_out_leads_on_to_the_provider_and_back(place: Any, rosa: Staff, provider: Provider) -> None:
    browser, _ = comes(place, provider)
    answer = browser.post("/signout")
    assert answer.status_code == 200
    assert "You are signed out here" in answer.text
    back = "client_id=warmthread-alder&amp;post_logout_redirect_uri=http%3A%2F%2Flocalhost%3A8000%2Fsignin"
    assert f'content="0; url={provider.issuer}/end?{back}"' in answer.text
    assert browser.get("/inbox").status_code == 303
    provider.facts = {"end_session_endpoint": None}
    runtime.forget("sso.providers")
    browser, _ = comes(place, provider)
    assert browser.post("/signout").location == "/signin"
    decide(place, only=False)
    browser, _ = enter(place, rosa)
    assert browser.post("/signout").location == "/signin"  # who came by a password is not signed out elsewhere


def test_whoever_has_nothing_else_proves_themselves_by_the_provider_anew(place: Any, provider: Provider) -> None:
    place.staff("Kim Ost", role="clinic_admin", email="kim@clinic.example")
    decide(place, joiners=True)
    provider.person |= {"sub": "u-4", "email": "ana@clinic.example", "name": "Ana Ruiz", "groups": ["bosses"]}
    browser, answer = comes(place, provider)
    assert answer.status_code == 303
    browser.get("/inbox")
    with time_machine.travel(clock.now() + timedelta(minutes=11)) as now:
        asked = browser.post("/settings/sign-on/secret", secret="another")
        assert asked.status_code == 401
        assert "Sign in again with your organization" in asked.text
        way = browser.get("/account/proof/organization").location
        sent = parse_qs(urlsplit(way).query)
        assert (sent["prompt"], sent["max_age"]) == (["login"], ["0"])
        provider.claims = {"auth_time": int(clock.now().timestamp()) - 3600}
        assert browser.get(here(provider.back_from(way))).status_code == 401  # it has asked nobody
        provider.claims = {}
        proved = browser.get(here(provider.back_from(browser.get("/account/proof/organization").location)))
        assert "That was you" in proved.text
        assert browser.post("/settings/sign-on/secret", secret="another").status_code == 303
        now.shift(timedelta(minutes=11))
        provider.claims = {"sub": "u-5"}
        other = browser.get(here(provider.back_from(browser.get("/account/proof/organization").location)))
        assert other.status_code == 401


def test_a_password_is_still_taken_of_whoever_has_never_come_by_the_provider(place: Any, rosa: Staff) -> None:
    assert enter(place, rosa)[1].status_code == 303
    assert GOOD not in str(acts(place, "staff.signed_in"))
