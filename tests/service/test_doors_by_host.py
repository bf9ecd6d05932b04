"""Staff with a host name of their own: no page answers under the other's name, and every link leads to its own."""

from datetime import timedelta
from typing import Any

import pytest

from config import db, runtime, settings
from service import app as application
from service import start
from web.account import passkeys, signin

PUBLIC, STAFF = "https://texts.clinic.example", "https://staff.clinic.example"
BOTH = ("/healthz", "/readyz", "/metrics", "/reports/csp")


@pytest.fixture
def apart(house: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    told = runtime.settings().model_copy(update={"public_url": PUBLIC, "staff_url": STAFF})
    monkeypatch.setattr(runtime, "_settings", told)
    return application.create_app()


def of_people(app: Any) -> dict[str, tuple[str, set[str]]]:
    """Each address without a variable part by its blueprint, with a method it takes."""
    rules = [rule for rule in app.url_map.iter_rules() if not rule.arguments and rule.rule not in BOTH]
    return {rule.rule: (rule.endpoint.split(".")[0], set(rule.methods or ())) for rule in rules}


def test_every_address_answers_under_one_name_alone(apart: Any) -> None:
    client, ours = apart.test_client(), {door.name for door in (*application.PEOPLE, *application.MACHINES_DOORS)}
    count = 0
    for path, (blueprint, methods) in of_people(apart).items():
        right, wrong = (PUBLIC, STAFF) if blueprint in ours else (STAFF, PUBLIC)
        method = "GET" if "GET" in methods else "POST"
        assert client.open(path, method=method, base_url=wrong).status_code == 404, path
        if blueprint not in ours:  # staff are led to the sign-in, or it stands there
            assert client.open(path, method=method, base_url=right).status_code != 404, path
        count += 1
    assert count > 80


def test_patients_and_machines_find_their_doors_under_the_public_name(apart: Any) -> None:
    client = apart.test_client()
    assert client.get("/k", base_url=PUBLIC).status_code == 200
    assert client.post("/webhooks/twilio/sms", base_url=PUBLIC).status_code == 403  # not signed
    assert client.get("/api/v1/patients", base_url=PUBLIC).status_code == 401
    assert client.get("/i/abc", base_url=STAFF).status_code == 404
    assert client.get("/signin", base_url=f"{STAFF}:8443").status_code == 200  # cookies do not know ports either


def test_what_watches_and_sheets_answer_under_both(apart: Any) -> None:
    client = apart.test_client()
    for name in (PUBLIC, STAFF):
        assert client.get("/healthz", base_url=name).status_code == 200
        with client.get("/assets/base.css", base_url=name) as sheet:
            assert sheet.status_code == 200


def test_a_host_that_is_neither_finds_nothing(apart: Any) -> None:
    client = apart.test_client()
    for method, path in (
        ("GET", "/signin"),
        ("GET", "/k"),
        ("POST", "/webhooks/twilio/sms"),
        ("GET", "/api/v1/patients"),
    ):
        assert client.open(path, method=method, base_url="https://evil.example").status_code == 404, path


def test_links_lead_staff_to_their_own_name(apart: Any, new_staff: Any) -> None:
    with db.unit_of_work(db.EVERY) as session:
        link = signin.make_link(session, session.merge(new_staff()), "once", timedelta(hours=1))
    assert link.startswith(f"{STAFF}/signin/")
    assert passkeys._origin() == STAFF


@pytest.mark.parametrize("staff", ["https://texts.clinic.example:8443", "http://staff.clinic.example"])
def test_a_name_that_keeps_nothing_apart_is_refused_at_the_start(house: settings.Settings, staff: str) -> None:
    told = runtime.settings().model_copy(update={"public_url": PUBLIC, "staff_url": staff})
    with pytest.raises(settings.SettingsError, match="another host name"):
        start.refuse_what_cannot_work(told)
