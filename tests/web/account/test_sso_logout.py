"""What the identity provider says by itself: whoever was signed out there is out here at once, and nobody else is."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import select

from config import clock, db, runtime
from messaging.inbox.staff import staffing
from messaging.models import Clinic, Staff
from tests.web.account.provider import Provider
from tests.web.account.sso_place import ROSA, acts, at, comes, decide
from tests.web.account.test_second_step import a_colleague, code, enter, set_up, step
from web.account import sso_client
from web.models import LogoutToken, StaffSession

EVENT = "http://schemas.openid.net/event/backchannel-logout"


@pytest.fixture
def place(house: Any, provider: Provider, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A clinic with a provider, and Rosa in it."""
    a_colleague(house, email=ROSA)
    return at(house, provider, monkeypatch)


def tell(place: Any, token: str, *more: str) -> Any:
    """Post a logout token as a provider does: without a cookie, and without a form of ours."""
    where = f"/signin/organization/{place.clinic.id}/signed-out"
    return place.browser().client.post(where, data={"logout_token": [token, *more]})


def signed_in(browser: Any) -> bool:
    """Whether the next page of this browser is the one that was asked for, and not the door."""
    answer = browser.get("/inbox")
    assert answer.status_code == 200 or answer.location.startswith("/signin")
    return bool(answer.status_code == 200)


@pytest.mark.parametrize("on", ["house", "house_on_postgresql"])
def test_whoever_is_signed_out_there_gets_the_door_with_the_next_page(
    on: str, provider: Provider, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = at(request.getfixturevalue(on), provider, monkeypatch)
    rosa = a_colleague(place, email=ROSA)
    first, second = comes(place, provider)[0], comes(place, provider)[0]
    assert signed_in(first)
    assert signed_in(second)
    answer = tell(place, provider.logout_token({"sub": provider.person["sub"]}))
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    assert not signed_in(first)
    assert not signed_in(second)
    assert acts(place, "staff.sso_signed_out") == [{}]
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        assert session.get_one(Staff, rosa.id).sso_state == "linked"
    assert signed_in(comes(place, provider)[0])


def test_a_session_by_its_name_ends_alone(place: Any, provider: Provider) -> None:
    provider.claims = {"sid": "at the desk"}
    desk = comes(place, provider)[0]
    provider.claims = {"sid": "at home"}
    home = comes(place, provider)[0]
    assert tell(place, provider.logout_token({"sid": "at home"})).status_code == 200
    assert (signed_in(desk), signed_in(home)) == (True, False)
    assert tell(place, provider.logout_token({"sid": "at the desk", "sub": "somebody else"})).status_code == 200
    assert signed_in(desk)
    assert tell(place, provider.logout_token({"sid": "at the desk", "sub": provider.person["sub"]})).status_code == 200
    assert not signed_in(desk)
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        kept = session.scalars(select(StaffSession.provider_session)).all()
        assert len(set(kept)) == 2
        assert b"home" not in b"".join(filter(None, kept))


def test_a_session_whose_name_we_do_not_know_ends_with_all_of_its_person(place: Any, provider: Provider) -> None:
    browser = comes(place, provider)[0]
    assert tell(place, provider.logout_token({"sid": "another"})).status_code == 200
    assert signed_in(browser)
    assert tell(place, provider.logout_token({"sid": "another", "sub": provider.person["sub"]})).status_code == 200
    assert not signed_in(browser)


def test_the_name_of_a_session_goes_through_the_second_step(place: Any, provider: Provider) -> None:
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        rosa = session.scalars(select(Staff).where(Staff.email == ROSA)).one()
    app, _ = set_up(enter(place, rosa)[0])
    provider.claims = {"sid": "at the desk"}
    browser, answer = comes(place, provider)
    assert answer.location == "/signin/step"
    with time_machine.travel(clock.now() + timedelta(minutes=1)):
        assert step(browser, code(app)).status_code == 303
        assert tell(place, provider.logout_token({"sid": "at the desk"})).status_code == 200
        assert not signed_in(browser)


WRONG = {
    "iss": {"iss": "https://provider.example"},
    "aud": {"aud": "another-client"},
    "sub": {"sub": None},
    "jti": {"jti": None},
    "iat": {"iat": 1_700_000_000, "exp": None},
    "exp": {"exp": 1_700_000_000},
    "events": {"events": {"http://schemas.openid.net/event/other": {}}},
    "nonce": {"nonce": "a question"},
}


@pytest.mark.parametrize("why", WRONG)
def test_a_token_that_says_one_thing_wrong_signs_nobody_out(place: Any, provider: Provider, why: str) -> None:
    browser = comes(place, provider)[0]
    answer = tell(place, provider.logout_token({"sub": provider.person["sub"]} | WRONG[why]))
    assert (answer.status_code, answer.json) == (400, {"error": "invalid_request"})
    assert signed_in(browser)
    assert acts(place, "staff.sso_refused") == [{"why": f"signed_out_{why}"}]


def test_what_the_provider_has_not_signed_as_one_is_no_logout_token_and_fills_no_log(
    place: Any, provider: Provider
) -> None:
    browser = comes(place, provider)[0]
    good = provider.logout_token({"sub": provider.person["sub"]})
    provider.key = "nobody's"
    forged = [provider.logout_token({"sub": provider.person["sub"]}), "x", "a.b.c", "ä", "", good[:-4] + "AAAA"]
    provider.key = "first"
    forged += [provider.logout_token({"sub": provider.person["sub"]}, {"typ": kind}) for kind in ("JWT", None)]
    forged += [provider.id_token("nonce"), good * 20]
    assert [tell(place, token).status_code for token in forged] == [400] * len(forged)
    assert tell(place, good, good).status_code == 400
    assert signed_in(browser)
    assert acts(place, "staff.sso_refused") == []
    assert tell(place, good).status_code == 200


def test_a_token_is_good_once_and_of_one_clinic(place: Any, provider: Provider) -> None:
    token = provider.logout_token({"sub": provider.person["sub"]})
    assert tell(place, token).status_code == 200
    browser = comes(place, provider)[0]
    assert tell(place, token).status_code == 400
    assert signed_in(browser)
    assert acts(place, "staff.sso_refused") == [{"why": "signed_out_jti"}]
    nobody = place.browser().client.post(f"/signin/organization/{db.new_id()}/signed-out", data={"logout_token": token})
    assert nobody.status_code == 400
    with time_machine.travel(clock.now() + timedelta(hours=2)):
        tell(place, provider.logout_token({"sub": "somebody"}))
        with db.unit_of_work(db.EVERY, read_only=True) as session:
            assert len(session.scalars(select(LogoutToken)).all()) == 1


def test_a_provider_that_is_off_or_silent_signs_nobody_out(place: Any, provider: Provider) -> None:
    browser = comes(place, provider)[0]
    token = provider.logout_token({"sub": provider.person["sub"]})
    sso_client.forget(provider.issuer)
    provider.down = True
    assert tell(place, token).status_code == 503
    provider.down = False
    decide(place, on=False)
    assert tell(place, token).status_code == 400
    assert signed_in(browser)
    decide(place, on=True)
    assert tell(place, token).status_code == 200  # what was not taken may come again


def test_a_flood_of_forged_tokens_waits_and_true_ones_are_not_counted(place: Any, provider: Provider) -> None:
    for number in range(70):
        token = provider.logout_token({"sub": f"somebody {number}"})
        assert tell(place, token).status_code == 200
    answers = {tell(place, "x").status_code for _ in range(70)}
    assert answers == {400, 429}


def test_whoever_leaves_is_out_whichever_side_says_so(place: Any, provider: Provider) -> None:
    browser = comes(place, provider)[0]
    a_colleague(place, email="ana@clinic.example", role="clinic_admin")
    with db.unit_of_work(place.clinic.id) as session:
        clinic = session.get_one(Clinic, place.clinic.id)
        db.load_keys(session, {clinic.key_id})
        staffing.leave(session, clinic, session.scalars(select(Staff).where(Staff.email == ROSA)).one(), "operator")
    assert not signed_in(browser)
    assert comes(place, provider)[1].status_code == 401
    assert tell(place, provider.logout_token({"sub": provider.person["sub"]})).status_code == 200


def test_whoever_has_no_role_there_any_more_is_out_when_they_prove_themselves_again(
    place: Any, provider: Provider
) -> None:
    browser = comes(place, provider)[0]
    way = browser.get("/account/proof/organization").location
    provider.person["groups"] = ["nobody's"]
    back = provider.back_from(way).removeprefix(runtime.settings().public_url)
    assert browser.get(back).status_code == 401
    assert not signed_in(browser)
    assert acts(place, "staff.sso_left") == [{}]


def test_the_page_of_settings_says_where_the_provider_tells_us(place: Any) -> None:
    boss = a_colleague(place, email="boss@clinic.example", role="clinic_admin")
    page = enter(place, boss)[0].get("/settings/sign-on").text
    where = f"{runtime.settings().public_url}/signin/organization/{place.clinic.id}/signed-out"
    assert f'<input id="told-to" value="{where}" readonly>' in page
