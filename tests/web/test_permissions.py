"""What each role may open, and that a page nobody thought of is closed."""

from typing import Any

import pytest
from flask import Blueprint, Flask

from service import app as application
from web import layout, permissions

PUBLIC = {"signin.form", "signin.enter", "signin.link", "signin.use_link"}


def test_every_page_says_to_whom_it_is_open(app: Flask) -> None:
    rights = set().union(*permissions.MAY.values()) | permissions.ANYONE
    for rule in app.url_map.iter_rules():
        if rule.endpoint.split(".")[0] in {
            "signin",
            "inbox",
            "handoffs",
            "patients",
            "preferences",
            "search",
            "identify",
            "phones",
            "reach",
        }:
            demands = getattr(app.view_functions[rule.endpoint], "demands", "nothing")
            assert demands in rights or (demands is None and rule.endpoint in PUBLIC), rule.endpoint


def test_a_page_that_says_nothing_is_closed(house: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    stray = Blueprint("stray", __name__)
    stray.add_url_rule("/stray", view_func=lambda: "open", endpoint="page")
    monkeypatch.setattr(layout, "_OURS", set(layout._OURS))
    app = application.create_app()
    app.register_blueprint(stray)
    layout._OURS.add("stray")
    house.app = app
    assert house.browser().get("/stray").status_code == 303
    assert house.signed_in(house.staff()).get("/stray").status_code == 403


@pytest.mark.parametrize(
    ("role", "path", "status"),
    [
        ("care_manager", "/inbox", 200),
        ("clinician", "/inbox", 200),
        ("psychiatric_consultant", "/inbox", 200),
        ("front_desk", "/inbox", 403),
        ("front_desk", "/handoffs", 200),
        ("front_desk", "/desk", 200),
        ("care_manager", "/desk", 403),
        ("clinic_admin", "/desk", 403),
        ("front_desk", "/patients", 200),
        ("clinic_admin", "/patients", 403),
        ("auditor", "/inbox", 200),
        ("auditor", "/patients", 403),
        ("a role nobody knows", "/inbox", 403),
        ("a role nobody knows", "/preferences", 403),
    ],
)
def test_roles_open_their_own_doors_only(house: Any, role: str, path: str, status: int) -> None:
    answer = house.signed_in(house.staff(role=role)).get(path)
    assert answer.status_code == status


def test_the_front_desk_begins_where_it_may_be(house: Any) -> None:
    assert house.signed_in(house.staff(role="front_desk")).get("/").location == "/today"


def test_who_may_not_read_words_sees_that_something_waits_but_not_what(house: Any) -> None:
    item = house.item("safety", summary="the patient's own words", patient_id=house.patient().id)
    browser = house.signed_in(house.staff(role="clinic_admin"))
    for path in ("/inbox?view=everyone", f"/inbox/{item.id}?view=everyone"):
        page = browser.get(path).text
        assert "Patient safety" in page
        assert "own words" not in page


def test_only_the_care_team_sends_texts(house: Any) -> None:
    patient = house.patient()
    item = house.item(patient_id=patient.id, conversation_id=house.text_from(patient, "hello").id)
    browser = house.signed_in(house.staff(role="clinician"))
    assert browser.post(f"/inbox/{item.id}/reply", body="hi").status_code == 403


# Each act that is about one patient: who is bound to a caseload does it there alone; what emergency access opens, too.
ABOUT_ONE_PATIENT = {
    "patients.read": True, "patients.names": True, "consent.read": True, "inbox.words": True, "team.read": True,
    "caseload.read": True, "team.write": False, "caseload.review": False,
}  # fmt: skip


@pytest.mark.parametrize(("act", "opens"), ABOUT_ONE_PATIENT.items())
def test_a_consultant_does_nothing_about_a_patient_beyond_their_caseload(act: str, opens: bool) -> None:
    consultant, granted = "psychiatric_consultant", permissions.may("psychiatric_consultant", act)
    assert not permissions.reaches(consultant, act, own=False, opened=False)
    assert permissions.reaches(consultant, act, own=True, opened=False) == granted
    assert permissions.reaches(consultant, act, own=False, opened=True) == opens


def test_beyond_these_acts_no_caseload_and_no_emergency_access_changes_anything() -> None:
    others = set().union(*permissions.MAY.values()) - set(ABOUT_ONE_PATIENT)
    for role in permissions.MAY:
        for act in others:
            reach = {permissions.reaches(role, act, own=own, opened=opened) for own in (0, 1) for opened in (0, 1)}
            assert reach == {permissions.may(role, act)}, (role, act)


def test_a_page_asks_for_a_fresh_proof_and_opens_before_a_second_step_only_where_it_says_so() -> None:
    view = permissions.signed_in("self")(lambda: "page")
    assert (view.fresh, view.owing) == (False, False)
