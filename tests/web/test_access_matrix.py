"""Every route of staff by role, and by own and another clinic's rows: what stands in access_matrix.toml and no more."""

import tomllib
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from werkzeug.exceptions import Forbidden

from caseload.models import Episode
from config import audit, clock, db
from messaging.inbox import notes_and_calls
from messaging.models import Message, Patient
from reminders import appointments, handoffs
from tests.web.caseload import seeding
from web import layout, permissions, sessions
from web.models import EmergencyAccess

MATRIX = tomllib.loads(Path(__file__).with_name("access_matrix.toml").read_text(encoding="utf-8"))
ROLES = sorted(permissions.MAY)
ACT_OF = {endpoint: act for act, endpoints in MATRIX["routes"].items() for endpoint in endpoints}
# Values that name no row, and so nobody's.
PLAIN = {"token": "no-such-token", "name": "inbox", "instrument": "phq9", "key": "cadence", "kind": "cadence"}


def routes(app: Flask) -> dict[str, Any]:
    """Every route of staff by its endpoint, with the ways it is asked."""
    ours = [rule for rule in app.url_map.iter_rules() if rule.endpoint.split(".")[0] in layout._OURS]
    return {rule.endpoint: rule for rule in ours if rule.endpoint != "web.static"}


def test_no_route_is_missing_from_the_matrix_and_none_is_too_many(app: Flask) -> None:
    found = {name: getattr(app.view_functions[name], "demands", "nothing says who may") for name in routes(app)}
    assert {name: act or "public" for name, act in found.items()} == ACT_OF


def test_the_roles_of_each_act_are_those_of_the_matrix() -> None:
    held = {act: {role for role in ROLES if act in permissions.MAY[role]} for act in MATRIX["acts"]}
    assert {act: set(roles) for act, roles in MATRIX["acts"].items()} == held
    assert set().union(*permissions.MAY.values()) == set(MATRIX["acts"])


@pytest.mark.parametrize("role", [*ROLES, "a role nobody knows"])
def test_each_role_passes_the_guard_of_its_own_routes_alone(house: Any, role: str) -> None:
    staff = house.staff("Kim Ost", role=role)
    with db.unit_of_work(house.clinic.id) as session:
        token = sessions.start(session, staff, how="once")
    for name, rule in routes(house.app).items():
        for method in rule.methods & {"GET", "POST"}:
            act = ACT_OF[name]
            expected = act == "public" or role in MATRIX["acts"].get(act, ROLES)
            assert passes(house.app, rule, method, token) == expected, (role, name, method)


def passes(app: Flask, rule: Any, method: str, token: str) -> bool:
    """Whether the guard lets a browser with this session to the page; its patient, if it has one, is on no caseload."""
    headers = {"Cookie": f"{sessions.cookie_name()}={token}"}
    with app.test_request_context(address(app, rule, {}), method=method, headers=headers) as context:
        # Whose patient it is, is another question: here every address names nobody.
        context.request.view_args = {}
        try:
            return layout._guard() is None
        except Forbidden:
            return False


def address(app: Flask, rule: Any, ids: dict[str, Any]) -> str:
    """The address of a route with `ids`; where there is none, of a row that nobody has."""
    values = {name: ids.get(name) or PLAIN.get(name) or uuid4() for name in rule.arguments}
    for name in ("act", "what"):
        if "(?:" in getattr(rule._converters.get(name), "regex", ""):
            values[name] = rule._converters[name].regex.removeprefix("(?:").split("|")[0].rstrip(")")
    with app.test_request_context():
        return app.url_for(rule.endpoint, **values)


def filled(scene: Any) -> dict[str, UUID]:
    """Rows of a clinic of every kind that an address can name, by the name it has there."""
    house, patient = scene.house, scene.house.patient()
    seeding.enrolled(scene, patient, days_ago=3)
    talk, now = house.text_from(patient, "hello"), clock.now()
    item = house.item(patient_id=patient.id, conversation_id=talk.id, owner_id=scene.rosa.id)
    with db.unit_of_work(house.clinic.id) as session:
        whom = session.get_one(Patient, patient.id)
        visit = appointments.VisitRecord("V1", patient.record or "", now, "America/Denver", now)
        booked = appointments.save(session, house.clinic, whom, visit)[0]
        asked = handoffs.request(session, house.clinic, whom, requested_by=audit.OPERATOR)
        note = notes_and_calls.write_note(session, house.clinic, scene.rosa, words="a note", patient_id=patient.id)
        access = EmergencyAccess(
            clinic_id=house.clinic.id, key_id=patient.key_id, staff_id=scene.rosa.id, patient_id=patient.id,
            why="care", began_at=now, ends_at=now,
        )  # fmt: skip
        db.load_keys(session, [patient.key_id])
        access.reason = "because somebody asked"
        session.add(access)
        session.flush()
        text = session.query(Message).filter_by(clinic_id=house.clinic.id).first()
        return {
            "patient_id": patient.id, "item_id": item.id, "conversation_id": talk.id, "visit_id": booked.id,
            "staff_id": scene.ames.id, "handoff_id": asked.id, "note_id": note.id, "contact_id": note.id,
            "number_id": whom.numbers[0].id, "access_id": access.id, "message_id": text.id,
            "episode_id": session.query(Episode).filter_by(patient_id=patient.id).one().id,
        }  # fmt: skip


def test_nothing_of_another_clinic_is_there_for_anybody(
    house: Any, another_house: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = filled(seeding.with_registry(another_house()))
    monkeypatch.setitem(house.app.config, "WTF_CSRF_ENABLED", False)
    browsers = {role: house.signed_in(house.staff("Kim Ost", role=role)) for role in ROLES}
    otherwise: dict[str, int] = {}
    for name, rule in routes(house.app).items():
        act = ACT_OF[name]
        if not rule.arguments & set(theirs) or act == "public":
            continue
        role = "care_manager" if act == "self" else MATRIX["acts"][act][0]
        for method in rule.methods & {"GET", "POST"}:
            answer = browsers[role].client.open(address(house.app, rule, theirs), method=method)
            if answer.status_code != 404:
                otherwise[name] = answer.status_code
    assert otherwise == MATRIX["elsewhere"]
