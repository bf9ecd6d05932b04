"""A clinic whose people sign in with an identity provider, and the way there and back."""

from typing import Any
from urllib.parse import urlsplit

import pytest
from sqlalchemy import select

from config import audit, clock, db, runtime
from messaging.models import Clinic
from reminders import single_sign_on
from tests.web.account.provider import CLIENT_ID, SECRET, Provider
from web.models import ProviderSecret, StaffSession

ROSA = "rosa@clinic.example"


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


def kept_out_but_others(place: Any, provider: Provider, why: str) -> None:
    """As kept_out, where others are signed in."""
    assert comes(place, provider)[1].status_code == 401
    assert acts(place, "staff.sso_refused")[-1] == {"why": why}
