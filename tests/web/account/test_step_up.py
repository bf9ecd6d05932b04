"""A fresh proof before exports, people, routing and keys: asked once, and nothing typed is lost."""

import html
import re
from datetime import timedelta
from typing import Any

import pyotp
import pytest
from sqlalchemy import select, update

from config import audit, clock, db
from messaging.models import Message, Staff
from service import app as application
from web.account import factors, passwords
from web.models import StaffSession

PASSWORD = "a long walk by the river"
KEY = {"name": "The books", "scope": "patients.read", "days": "90"}


def someone(house: Any, *, password: bool = True, **facts: Any) -> tuple[Staff, Any]:
    """An administrator who signed in a while ago."""
    staff = house.staff("Ada Lind", role="clinic_admin", **facts)
    browser = house.signed_in(staff)
    with db.unit_of_work(house.clinic.id) as session:
        if password:
            session.get_one(Staff, staff.id).password_hash = passwords.hashed(PASSWORD, ())
        long_ago = clock.now() - timedelta(minutes=11)
        session.execute(update(StaffSession).values(created_at=long_ago))
    return staff, browser


def kept(page: str) -> dict[str, str]:
    """What a page carries hidden in its first form that holds a proof."""
    form = next(each for each in page.split("<form")[1:] if 'name="proof"' in each).split("</form>")[0]
    fields = re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', form)
    return {name: html.unescape(value) for name, value in fields if name != "csrf_token"}


def proved(house: Any) -> list[str]:
    with db.unit_of_work(house.clinic.id) as session:
        acts = session.scalars(select(audit.AuditEntry).where(audit.AuditEntry.act == "staff.proved"))
        return [entry.detail["how"] for entry in acts]


def test_a_form_goes_on_with_the_proof_and_is_typed_once(house: Any) -> None:
    _, browser = someone(house)
    asked = browser.post("/settings/keys", **KEY)
    assert asked.status_code == 401
    assert "Is it still you?" in asked.text
    carried = kept(asked.text)
    assert KEY.items() <= carried.items()
    wrong = browser.post("/settings/keys", **carried, current="not my password at all")
    assert wrong.status_code == 422
    assert KEY.items() <= kept(wrong.text).items()
    done = browser.post("/settings/keys", **kept(wrong.text), current=PASSWORD)
    assert done.status_code == 200
    assert "The books" in done.text
    assert browser.get("/settings/keys").status_code == 200
    assert proved(house) == ["password"]


def test_a_page_that_is_asked_for_comes_after_the_proof(house: Any) -> None:
    _, browser = someone(house)
    asked = browser.get("/settings/file/clinic.toml")
    assert asked.status_code == 401
    carried = kept(asked.text)
    assert carried["next"] == "/settings/file/clinic.toml"
    answer = browser.post("/account/proof", **carried, current=PASSWORD)
    assert answer.location == "/settings/file/clinic.toml"
    assert browser.get(answer.location).status_code == 200


def test_the_proof_leads_nowhere_else(house: Any) -> None:
    _, browser = someone(house)
    form = {"proof": "password", "current": PASSWORD, "next": "//evil.example/x"}
    assert browser.post("/account/proof", **form).location == "/"


def test_a_code_of_the_app_proves_it_and_only_once(house: Any) -> None:
    staff, browser = someone(house, password=False)
    with db.unit_of_work(house.clinic.id) as session:
        row = session.get_one(Staff, staff.id)
        factors.begin(session, row)
        secret = factors.device(session, staff.id).secret
        assert factors.confirm(session, row, pyotp.TOTP(secret).at(clock.now() - timedelta(seconds=30)))
        session.execute(update(StaffSession).values(factor="code"))
    code = pyotp.TOTP(secret).at(clock.now())
    form = {"proof": "code", "code": code, "next": "/settings/keys"}
    assert browser.post("/account/proof", **form).status_code == 303
    assert browser.post("/account/proof", **form).status_code == 422


def test_who_has_nothing_else_is_texted_a_code_that_is_good_here_alone(house: Any) -> None:
    _, browser = someone(house, password=False, number="+12025550144")
    asked = browser.post("/settings/keys", **KEY)
    assert "Text a code to my phone" in asked.text
    assert "on its way" in browser.post("/account/proof/code").text
    with db.unit_of_work(house.clinic.id) as session:
        text = session.scalars(select(Message).where(Message.kind == "staff_alert")).one().body or ""
    code = re.search(r"\d{8}", text)[0]
    assert browser.post("/settings/keys", **kept(asked.text), code="00000000").status_code == 422
    assert browser.post("/settings/keys", **kept(asked.text), code=code).status_code == 200
    assert proved(house) == ["code"]


def test_no_code_is_texted_past_a_password(house: Any) -> None:
    _, browser = someone(house, number="+12025550144")
    assert "No code was texted" in browser.post("/account/proof/code").text


def test_who_just_signed_in_or_plays_in_the_demonstration_is_not_asked(house: Any) -> None:
    fresh = house.signed_in(house.staff("Kim Ost", role="clinic_admin"))
    assert fresh.get("/settings/keys").status_code == 200
    _, browser = someone(house)
    with db.unit_of_work(house.clinic.id) as session:
        session.execute(update(StaffSession).values(how="demo"))
    assert browser.get("/settings/keys").status_code == 200


@pytest.mark.parametrize(
    "route",
    [
        "api_keys.show", "api_keys.make", "api_keys.revoke", "colleagues.invite", "colleagues.change",
        "colleagues.leave", "colleagues.link", "recoverypages.ask", "settings.save", "rota.save", "clinics.save",
        "editions.move", "files.download", "files.read_in", "registry.sheet", "clocks.download", "care_months.sheet",
        "care_months.evidence", "summaries.export", "consents.print_out", "importing.wrong", "one_feed.renew",
        "ehr_feeds.add",
        "feeds.make", "emergencies.begin", "audits.download", "webhook_list.make",
        "webhook_page.rotate", "webhook_page.change", "ninety_days.sheet", "ninety_days.print_out",
        "care_months.evidence_paper",
    ],
)  # fmt: skip
def test_what_takes_a_fresh_proof(route: str) -> None:
    assert application.create_app().view_functions[route].fresh
