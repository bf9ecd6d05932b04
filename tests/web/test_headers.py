"""What every kind of answer tells a browser, said here in full and not read from the code that says it."""

import re
from typing import Any

import pytest
from werkzeug.test import TestResponse

# Each door: staff, patients' links, patients' own page, machines, programs, and what is not there.
PLACES = [
    "/inbox", "/patients", "/settings/people", "/account", "/menu", "/nowhere", "/signin", "/assets/base.css",
    "/i/AAAAAAAAAAAAAAAAAAAAAA", "/i/q", "/k", "/healthz", "/api/v1/patients", "/webhooks/nowhere", "/.git/HEAD",
]  # fmt: skip
PAGES = [place for place in PLACES if not place.startswith(("/assets", "/healthz", "/api", "/webhooks"))]


def asked(house: Any, place: str) -> TestResponse:
    browser = house.signed_in(house.staff("Dana Wu", role="clinic_admin")) if place != "/signin" else house.browser()
    answer: TestResponse = browser.get(place, headers={"Origin": "https://elsewhere.example"}, buffered=True)
    return answer


def policy(answer: TestResponse) -> dict[str, set[str]]:
    parts = [part.split() for part in answer.headers["Content-Security-Policy"].split(";")]
    return {name: set(sources) for name, *sources in parts}


@pytest.mark.parametrize("place", PLACES)
def test_every_answer_is_sealed(house: Any, place: str) -> None:
    answer = asked(house, place)
    said = policy(answer)
    assert said["default-src"] == {"'none'"}
    assert said["frame-ancestors"] == {"'none'"}
    assert said["base-uri"] == {"'none'"}
    for name in ("script-src", "style-src", "connect-src", "form-action", "font-src", "frame-src", "object-src"):
        assert said.get(name, set()) <= {"'self'", "'none'"}, name
    assert said.get("img-src", set()) <= {"'self'", "'none'", "data:"}
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert not [name for name in answer.headers.keys() if name.lower().startswith("access-control-")]  # noqa: SIM118
    assert "Server" not in answer.headers


@pytest.mark.parametrize("place", PAGES)
def test_every_page_is_kept_nowhere_and_for_itself(house: Any, place: str) -> None:
    answer = asked(house, place)
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] in ("no-referrer", "same-origin")
    assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert policy(answer)["form-action"] == {"'self'"}


def test_every_page_of_staff_has_the_way_out(house: Any) -> None:
    browser = house.signed_in(house.staff())
    for place in ("/inbox", "/patients", "/settings", "/account", "/today", "/caseload", "/handoffs"):
        assert re.search(r'<form[^>]*action="/signout"|href="/menu"', browser.get(place).text), place
    assert 'action="/signout"' in browser.get("/menu").text


@pytest.mark.parametrize(
    "folder",
    ["/", "/assets/", "/assets/..%2fconftest.py", "/assets/../layout.py", "/.env", "/.git/HEAD", "/pyproject.toml"],
)
def test_no_folder_is_served_and_none_listed(house: Any, folder: str) -> None:
    answer = house.browser().get(folder)
    assert answer.status_code in ((302, 303) if folder == "/" else (404,))
    assert ".css" not in answer.text.replace("/assets/", "", 1) or answer.status_code != 200
    assert "import " not in answer.text


def test_what_somebody_typed_is_drawn_as_text_wherever_it_stands(house: Any) -> None:
    hostile = "<b onclick='x()'>\"&"
    rosa = house.staff()
    patient = house.patient(first_name=hostile, last_name="Quill")
    item = house.item("reply", owner_id=rosa.id, patient_id=patient.id, summary=hostile)
    browser = house.signed_in(rosa)
    for place in (f"/patients/{patient.id}", f"/inbox/{item.id}", "/inbox", "/patients"):
        page = browser.get(place).text
        assert "<b onclick" not in page, place
        assert hostile not in page, place
    assert "&lt;b onclick" in browser.get(f"/patients/{patient.id}").text


@pytest.mark.parametrize("method", ["TRACE", "TRACK", "PUT", "DELETE", "PATCH", "CONNECT"])
@pytest.mark.parametrize("place", ["/signin", "/healthz", "/webhooks/twilio/sms", "/api/v1/patients", "/i/x"])
def test_no_other_method_is_known_and_nothing_is_sent_back(house: Any, place: str, method: str) -> None:
    answer = house.app.test_client().open(place, method=method, headers={"X-Secret": "of a proxy"})
    assert answer.status_code in (404, 405)
    assert "of a proxy" not in answer.text
