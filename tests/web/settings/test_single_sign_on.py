"""How a clinic says which identity provider its people sign in with: a draft, a second person, a sealed secret."""

from typing import Any

import pytest
from sqlalchemy import select

from config import audit, db, runtime
from messaging.models import Clinic, Staff
from reminders import single_sign_on
from web.account import passwords
from web.models import ProviderSecret

PATH = "/settings/sign-on"
TYPED = {
    "edit": "0",
    "on": "on",
    "issuer": "https://id.clinic.example",
    "client_id": "warmthread",
    "domains": "Clinic.example",
    "groups_claim": "groups",
    "care_manager": "care\n\n nurses ",
    "only": "on",
}


@pytest.fixture
def ana(house: Any) -> Any:
    return house.signed_in(house.staff("Ana Ruiz", role="clinic_admin"))


@pytest.fixture
def rosa(house: Any) -> Staff:
    staff: Staff = house.staff("Rosa Delgado")
    with db.unit_of_work(house.clinic.id) as session:
        session.get_one(Staff, staff.id).password_hash = passwords.hashed("seven quiet herons wait")
    return staff


def terms(house: Any) -> single_sign_on.Terms:
    """What holds."""
    with db.unit_of_work(house.clinic.id, read_only=True) as session:
        return single_sign_on.of_clinic(session.get_one(Clinic, house.clinic.id))


def test_it_holds_only_when_a_second_person_agrees(house: Any, ana: Any, rosa: Staff) -> None:
    assert ana.post(PATH, **TYPED).status_code == 303
    page = ana.get(PATH).text
    assert "whoever runs https://id.clinic.example would say who is who here" in page
    assert "members of another group would get a role" in page
    ana.post("/settings/draft/single_sign_on/publish", edit="1", why="We have Entra")
    assert not terms(house).on, "nobody alone lets others in"
    ana.post("/settings/draft/single_sign_on/ask", edit="1", why="We have Entra")
    house.signed_in(rosa).post("/settings/draft/single_sign_on/publish", edit="1", why="Seen")
    now = terms(house)
    assert (now.on, now.domains, now.care_manager) == (True, ("clinic.example",), ("care", "nurses"))
    assert ana.get("/settings/history/single_sign_on").status_code == 200


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"issuer": ""}, "this must be given"),
        ({"issuer": "http://id.clinic.example"}, "an https address on the public internet"),
        ({"issuer": "https://10.0.0.8"}, "an https address on the public internet"),
        ({"issuer": "https://id.clinic.example/?a=b"}, "without a question mark"),
        ({"client_id": "x" * 201}, "at most 200 characters"),
        ({"domains": "@clinic"}, "what stands behind the @"),
        ({"care_manager": "", "front_desk": "", "client_id": "reception"}, "give at least one role a group"),
        ({"auditor": "nurses"}, "one of these groups stands at another role already"),
        ({"care_manager": "\n".join(f"group {number}" for number in range(21))}, "at most 20"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_nothing_typed_is_lost(
    house: Any, ana: Any, changed: dict[str, str], said: str
) -> None:
    answer = ana.post(PATH, **(TYPED | {"front_desk": "reception"} | changed))
    assert answer.status_code == 422
    assert said in answer.text
    assert "reception" in answer.text


def test_what_widens_it_takes_two_and_what_narrows_it_one(house: Any) -> None:
    full = single_sign_on.read({name: TYPED[name] for name in ("issuer", "client_id")} | {
        "on": True, "domains": ["clinic.example"], "care_manager": ["care"], "joiners": True, "second_step": ["mfa"],
    })  # fmt: skip
    narrower = {"joiners": False, "second_step": [], "only": True}
    assert single_sign_on.silences(full, full | narrower) == []
    for field, value in (
        ("issuer", "https://other.example"),
        ("client_id", "another"),
        ("groups_claim", "roles"),
        ("domains", ["clinic.example", "other.example"]),
        ("auditor", ["everybody"]),
    ):
        assert len(single_sign_on.silences(full, full | {field: value})) == 1, field
    for field in ("joiners", "second_step"):
        assert len(single_sign_on.silences(full | narrower, full | narrower | {field: full[field]})) == 1, field
    assert single_sign_on.silences(full, full | {"on": False}) != []


def test_the_secret_is_sealed_shown_to_nobody_and_takes_a_fresh_proof(house: Any, ana: Any) -> None:
    assert "No secret is kept yet" in ana.get(PATH).text
    for secret in ("", "x" * 501, "a\x00b"):
        ana.post(PATH + "/secret", secret=secret)
        assert "Paste the secret" in ana.get(PATH).text
    assert ana.post(PATH + "/secret", secret="quiet-heron-secret").status_code == 303
    page = ana.get(PATH).text
    assert "A secret is kept, set" in page
    assert "quiet-heron-secret" not in page
    with db.unit_of_work(house.clinic.id) as session:
        row = session.scalars(select(ProviderSecret)).one()
        assert row.secret == "quiet-heron-secret"
        assert b"quiet-heron" not in row.secret_ct
        lines = select(audit.AuditEntry.detail).where(audit.AuditEntry.act == "single_sign_on.secret")
        assert session.scalars(lines).all() == [{}]


def test_the_page_says_what_the_provider_has_to_know_and_care_managers_only_read_it(house: Any) -> None:
    page = house.signed_in(house.staff("Rosa Delgado")).get(PATH).text
    assert f"{runtime.settings().public_url}/signin/organization/{house.clinic.id}/back" in page
    assert f"/signin?at={house.clinic.id}" in page
    assert "Client secret" not in page


def test_nobody_unlinks_a_colleague_of_another_clinic(house: Any, ana: Any, another_house: Any) -> None:
    other = another_house().staff("Kim Ost")
    assert ana.post(f"/settings/people/{other.id}/unlink").status_code == 404
