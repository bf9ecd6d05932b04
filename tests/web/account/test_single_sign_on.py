"""Signing in with the clinic's identity provider over HTTP: who comes in, joins and leaves, as what, and back out."""

import html
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from sqlalchemy import select

from config import clock, db, runtime
from messaging.models import Message, Staff
from tests.web.account.provider import Provider
from tests.web.account.sso_place import ROSA, acts, at, comes, decide, here, kept_out_but_others
from tests.web.account.test_second_step import GOOD, a_colleague, code, enter, set_up, step
from web.models import AccountChange, StaffSession


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
