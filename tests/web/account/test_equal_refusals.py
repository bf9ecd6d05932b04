"""A refused password costs the same work whoever it was for: counted, since a time depends on what else runs."""

import re
from typing import Any

import pytest
from argon2 import PasswordHasher
from sqlalchemy import select

from config import audit, db
from messaging.models import Staff
from reminders import single_sign_on
from tests import queries
from web.account import passwords, signin

GOOD = "seven quiet herons wait"
WRONG = "three loud geese left"
ROSA = "rosa@clinic.example"


class Counting(PasswordHasher):
    """A real hasher that says how many passwords it was asked about."""

    checks = 0

    def verify(self, hash: Any, password: Any) -> Any:
        self.checks += 1
        return super().verify(hash, password)


@pytest.fixture
def hasher(monkeypatch: pytest.MonkeyPatch) -> Counting:
    counting = Counting(time_cost=1, memory_cost=64, parallelism=1)
    monkeypatch.setattr(passwords, "_HASHER", counting)
    return counting


def a_colleague(house: Any, email: str, **facts: Any) -> Staff:
    staff: Staff = house.staff(email=email)
    with db.unit_of_work(house.clinic.id) as session:
        row = session.get_one(Staff, staff.id)
        row.password_hash = passwords.hashed(GOOD)
        for name, value in facts.items():
            setattr(row, name, value)
    return staff


def by_the_provider_alone(house: Any) -> None:
    terms = {"on": True, "issuer": "https://idp.example", "client_id": "us", "domains": ["clinic.example"]}
    with db.unit_of_work(house.clinic.id) as session:
        clinic = session.merge(house.clinic)
        wanted = single_sign_on.SINGLE_SIGN_ON.read(terms | {"only": True, "care_manager": ["care"]})
        single_sign_on.SINGLE_SIGN_ON.take_effect(session, clinic, wanted, "operator")


def refusal(house: Any, hasher: Counting, email: str, password: str) -> tuple[int, int, list[str], str]:
    """Its status, how many passwords were checked, what the database was asked, and the page without its token."""
    browser = house.browser()
    token = browser.get("/signin").text.split('name="csrf_token" value="')[1].split('"')[0]
    before = hasher.checks
    with queries.statements() as said:
        form = {"email": email, "password": password, "csrf_token": token}
        answer = browser.client.post("/signin", data=form)
    checks, asked = hasher.checks - before, list(said)
    page = re.sub(r'(name="csrf_token" value|nonce)="[^"]*"', "", answer.text).replace(email, "")
    answer.close()
    return answer.status_code, checks, asked, page


def test_every_refused_password_costs_the_same_checks_and_questions(
    house: Any, another_house: Any, hasher: Counting
) -> None:
    other = another_house()
    a_colleague(house, ROSA)
    a_colleague(house, "both@clinic.example")
    a_colleague(other, "both@clinic.example")
    a_colleague(house, "locked@clinic.example", password_hash=None, sso_state="locked")
    a_colleague(house, "gone@clinic.example", active=False)
    a_colleague(house, "invited@clinic.example", password_hash=None)
    by_the_provider_alone(house)
    a_colleague(house, "linked@clinic.example", sso_state="linked")
    passwords.fits(None, WRONG)  # nobody's password is made once for a process
    tried = {
        email: refusal(house, hasher, f"{email}@clinic.example", password)
        for email, password in {
            **dict.fromkeys(("nobody", "rosa", "both", "locked", "gone", "invited"), WRONG),
            "linked": GOOD,  # right, and refused all the same
        }.items()
    }
    tried["linked, wrong"] = refusal(house, hasher, "linked@clinic.example", WRONG)
    status, checks, asked, page = tried["nobody"]
    assert (status, checks) == (401, signin.MOST_ACCOUNTS)
    assert sum("FROM staff" in question for question in asked) == 1, asked
    assert {name: seen[:3] for name, seen in tried.items() if seen[:3] != (status, checks, asked)} == {}
    assert {name for name, seen in tried.items() if seen[3] != page} == set()


def test_a_refusal_is_in_each_clinics_audit_once_the_answer_has_left(
    house: Any, another_house: Any, hasher: Counting
) -> None:
    staff = [a_colleague(house, ROSA), a_colleague(another_house(), ROSA)]
    refusal(house, hasher, ROSA, WRONG)
    refusal(house, hasher, "nobody@clinic.example", WRONG)
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        lines = select(audit.AuditEntry.about).where(audit.AuditEntry.act == "staff.sign_in_refused")
        assert sorted(session.scalars(lines)) == sorted(f"staff:{colleague.id}" for colleague in staff)


def test_whoever_works_in_two_clinics_comes_into_the_one_whose_password_it_is(
    house: Any, another_house: Any, hasher: Counting
) -> None:
    other = another_house()
    a_colleague(house, ROSA)
    there = a_colleague(other, ROSA, password_hash=passwords.hashed("another heron stands still"))
    browser = house.browser()
    answer = browser.post("/signin", token_from="/signin", email=ROSA, password="another heron stands still")
    assert (answer.status_code, hasher.checks) == (303, 2)
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        entered = select(audit.AuditEntry.about).where(audit.AuditEntry.act == "staff.signed_in")
        assert session.scalars(entered).all() == [f"staff:{there.id}"]
