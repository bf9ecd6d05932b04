"""Claims of a provider that would act or promote: names are shown as letters, and groups alone give a role."""

from typing import Any

import pytest
from sqlalchemy import select

from config import db
from messaging.models import Staff
from tests.web.account.provider import Provider
from tests.web.account.sso_place import comes, decide, kept_out_but_others

ACTS = "<script>alert(1)</script><img src=x onerror=alert(2)>"


@pytest.fixture
def joiners(place: Any) -> Any:
    place.staff("Ana Ruiz", role="clinic_admin", email="ana@clinic.example")
    decide(place, joiners=True)
    return place


def roles(email: str) -> list[str]:
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        return list(session.scalars(select(Staff.role).where(Staff.email == email)))


def test_a_name_and_an_address_that_would_act_are_shown_as_letters(joiners: Any, provider: Provider) -> None:
    provider.person |= {"sub": "u-2", "email": "<svg/onload=alert(3)>@clinic.example", "name": f"Sam {ACTS}"}
    browser, answer = comes(joiners, provider)
    assert answer.status_code == 303
    shown = 0
    for path in ("/inbox", "/account", "/settings/people", "/preferences"):
        page = browser.get(path)
        assert page.status_code == 200, path
        for raw in ("<script>alert", "<img src=x", "<svg/onload"):
            assert raw not in page.text, path
        shown += "Sam &lt;script&gt;" in page.text
    assert shown


@pytest.mark.parametrize(
    "name",
    ["Sam\u202eeeL", "Sam\x00Lee", "Sam\u200bLee", "x" * 5000, ["Sam"], {"given": "Sam"}, 7, True, None],
)
def test_a_name_that_is_none_makes_no_account(joiners: Any, provider: Provider, name: Any) -> None:
    provider.person |= {"sub": "u-2", "email": "sam@clinic.example", "name": name}
    kept_out_but_others(joiners, provider, "no_name")
    assert roles("sam@clinic.example") == []


@pytest.mark.parametrize(
    "claims",
    [
        {"role": "clinic_admin"},
        {"roles": ["clinic_admin", "bosses"]},
        {"realm_access": {"roles": ["bosses"]}},
        {"groups": ["care", {"name": "bosses"}]},
        {"groups": ["care", ["bosses"]]},
        {"groups": ["care", "BOSSES", "bosses ", "clinic_admin"]},
        {"groups": ["care"] + [f"g{number}" for number in range(5000)] + ["bosses"]},
        {"groups": ["care", "bosses\x00"]},
        {"is_admin": True, "clinic_id": "another", "password_hash": "x", "sso_state": "linked"},
    ],
    ids=["role", "roles", "realm", "object", "list", "spelt otherwise", "thousands", "NUL", "columns"],
)
def test_a_role_that_no_group_of_the_mapping_gives_is_given_by_nothing_else(
    joiners: Any, provider: Provider, claims: dict[str, Any]
) -> None:
    provider.person |= {"sub": "u-2", "email": "sam@clinic.example", "name": "Sam Lee"} | claims
    assert comes(joiners, provider)[1].status_code == 303
    assert roles("sam@clinic.example") == ["care_manager"]


@pytest.mark.parametrize(
    "email",
    ["rosa@clinic.example\x00", "rosa@clinic.example\n", "rosa@\u202eclinic.example", "a@b@clinic.example",
     "@clinic.example", "rosa@clinic\uff0eexample", "rosa@clinic.example.", "x" * 300 + "@clinic.example"],
)  # fmt: skip
def test_an_address_that_only_looks_like_one_of_the_clinics_is_none(
    joiners: Any, rosa: Staff, provider: Provider, email: str
) -> None:
    provider.person |= {"sub": "u-9", "email": email, "name": "Rosa Delgado"}
    answer = comes(joiners, provider)[1]
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        linked = session.get_one(Staff, rosa.id).sso_subject is not None
        theirs = ["rosa@clinic.example", "ana@clinic.example"]
        others = session.scalars(select(Staff.email).where(Staff.email.not_in(theirs))).all()
    # A line break at the end is no part of an address, so that one is hers; nobody else is made by any of them.
    assert (answer.status_code, linked) == ((303, True) if email.endswith("\n") else (401, False))
    assert others == []
