"""Keys of the clinic's programs: made by an administrator with what each may, shown once, revoked."""

import re
from typing import Any

import pytest
from sqlalchemy import select

from config import db
from messaging.programs import keys, scopes
from messaging.programs.models import ApiKey
from web import permissions

WANTED = {"name": "Kiosk", "scope": "patients.read", "days": "90", "staff": ""}


def lead(house: Any) -> Any:
    return house.signed_in(house.staff("Dana Wu", role="clinic_admin"))


def made(house: Any) -> list[ApiKey]:
    with db.unit_of_work(house.clinic.id) as session:
        return list(session.scalars(select(ApiKey)))


def token_in(answer: Any) -> str:
    match = re.search(r'value="(wtk_[^"]+)"', answer.text)
    assert match is not None
    return match[1]


def test_a_key_is_shown_once_opens_the_door_and_is_revoked(house: Any) -> None:
    browser = lead(house)
    token = token_in(browser.post("/settings/keys", **WANTED))
    page = browser.get("/settings/keys").text
    assert token not in page
    assert "Kiosk" in page
    assert "read patients" in page
    program = keys.program_of(token)
    assert program is not None
    assert program.scopes == {"patients.read"}
    (key,) = made(house)
    assert browser.post(f"/settings/keys/{key.id}/revoke").status_code == 303
    assert "revoked" in browser.get("/settings/keys").text
    assert keys.program_of(token) is None


@pytest.mark.parametrize(
    ("field", "value"),
    [("name", " "), ("name", "a" * 81), ("scope", "everything"), ("days", "0"), ("days", "many"), ("staff", "x")],
)
def test_what_is_no_key_is_refused_and_what_was_typed_stays(house: Any, field: str, value: str) -> None:
    answer = lead(house).post("/settings/keys", **(WANTED | {field: value}))
    assert answer.status_code == 422
    assert "Not done" in answer.text
    assert made(house) == []


def test_a_key_acts_in_the_name_of_somebody_who_works_on_items_and_of_nobody_else(house: Any) -> None:
    browser, rosa, desk = lead(house), house.staff("Rosa Delgado"), house.staff("Kim", role="front_desk")
    assert browser.post("/settings/keys", **(WANTED | {"staff": str(desk.id)})).status_code == 422
    page = browser.post("/settings/keys", **(WANTED | {"staff": str(rosa.id)}))
    assert "in the name of Rosa Delgado" in page.text
    assert made(house)[0].staff_id == rosa.id


@pytest.mark.parametrize("role", sorted(set(permissions.MAY) - {"clinic_admin"}))
def test_only_an_administrator_sees_and_makes_keys(house: Any, role: str) -> None:
    browser = house.signed_in(house.staff("Kim", role=role))
    assert browser.get("/settings/keys").status_code == 403
    assert browser.post("/settings/keys", **WANTED).status_code == 403


def test_whoever_a_program_acts_as_may_work_on_items_in_person() -> None:
    assert set(scopes.ROLES) == {role for role in permissions.MAY if permissions.may(role, "inbox.work")}


def test_on_a_phone_a_key_is_a_block_in_which_each_value_says_what_it_is(house: Any) -> None:
    browser = lead(house)
    browser.post("/settings/keys", **WANTED)
    page = browser.get("/settings/keys").text
    assert 'class="plan small stacked"' in page
    head, row = (re.search(rf"<{part}>(.*?)</{part}>", page, re.DOTALL) for part in ("thead", "tbody"))
    assert head is not None
    assert row is not None
    columns = re.findall(r'<th scope="col">([^<]+)</th>', head[1])
    assert re.findall(r'data-name="([^"]+)"', row[1]) == columns[1:]  # the first is the key's own name
