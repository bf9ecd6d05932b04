"""Who is let in, what is refused, and how: the same for every operation."""

import json
import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy.exc import IntegrityError, OperationalError
from werkzeug.exceptions import InternalServerError, NotFound

from api import catalogue, door
from config import clock, db, throttle
from messaging.models import Staff
from messaging.programs import keys, scopes
from messaging.programs.models import ApiKey

ID = "01900000-0000-7000-8000-000000000000"
PHI = ("Maya", "Quill", "5550110", "1980-03-09")
every_operation = pytest.mark.parametrize("operation", catalogue.ALL, ids=lambda operation: operation.name)


def ask(program: Any, operation: Any, body: Any = None) -> Any:
    path = operation.path.replace("{id}", ID)
    return program.post(path, body) if operation.method == "POST" else program.get(path)


def problem_of(answer: Any, key: str) -> Any:
    """The problem details of an answer, which are whole."""
    assert answer.content_type == "application/problem+json", answer.text
    details = json.loads(answer.text)
    assert details["type"] == f"urn:warmthread:problem:{key.replace('_', '-')}", details
    assert details["status"] == answer.status_code
    assert details["instance"] == f"urn:uuid:{answer.headers['X-Request-Id']}"
    assert details["title"]
    assert details["detail"]
    return details


@every_operation
def test_nothing_is_answered_without_a_key(ours: Any, operation: Any) -> None:
    program = ours.program()
    program.token = "wtk_" + "a" * 22
    answer = ask(program, operation)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    problem_of(answer, "unauthorized")


@every_operation
def test_a_key_may_only_what_its_scopes_say(ours: Any, operation: Any) -> None:
    others = [scope for scope in scopes.ALL if scope != operation.scope]
    answer = ask(ours.program(*others), operation)
    assert answer.status_code == 403
    assert problem_of(answer, "scope")["errors"] == [{"detail": operation.scope}]


def test_every_scope_opens_something_and_every_operation_has_one() -> None:
    assert {operation.scope for operation in catalogue.ALL} == set(scopes.ALL)


def test_an_unknown_an_expired_and_a_revoked_key_and_one_of_somebody_gone_are_told_the_same(ours: Any) -> None:
    gone = ours.staff()
    programs = {name: ours.program(staff=gone if name == "gone" else None) for name in ("expired", "revoked", "gone")}
    programs["unknown"] = ours.program()
    programs["unknown"].token = "wtk_" + "x" * 22
    assert programs["revoked"].get("/patients").status_code == 200
    with db.unit_of_work(ours.clinic.id) as session:
        session.get_one(ApiKey, programs["expired"].key_id).expires_at = clock.now() - timedelta(seconds=1)
        keys.revoke(session, session.get_one(ApiKey, programs["revoked"].key_id), actor="operator")
        session.get_one(Staff, gone.id).active = False
    told = {name: program.get("/patients") for name, program in programs.items()}
    bodies = {re.sub(r"urn:uuid:[^\"]+", "", answer.text) for answer in told.values()}
    assert {answer.status_code for answer in told.values()} == {401}
    assert len(bodies) == 1


@pytest.mark.parametrize("header", ["", "Basic abc", "Bearer", "Bearer ", "Bearer é", "wtk_x", "Bearer " + "a" * 9000])
def test_what_is_no_key_is_refused(ours: Any, header: str) -> None:
    client = ours.app.test_client()
    assert client.get("/api/v1/patients", headers={"Authorization": header}).status_code == 401


def test_only_a_keyed_hash_of_a_key_is_kept(ours: Any) -> None:
    program = ours.program()
    with db.unit_of_work(ours.clinic.id) as session:
        row = session.get_one(ApiKey, program.key_id)
        kept = " ".join(str(value) for value in vars(row).values())
    assert program.token not in kept
    assert program.token.removeprefix("wtk_") not in kept


def test_a_key_s_last_use_is_kept(ours: Any) -> None:
    program = ours.program()
    program.get("/patients")
    with db.unit_of_work(ours.clinic.id) as session:
        assert session.get_one(ApiKey, program.key_id).last_used_at is not None


def test_every_request_stands_in_the_audit_log_with_its_program(ours: Any) -> None:
    program, patient = ours.program(), ours.patient()
    program.get(f"/patients/{patient.id}")
    (entry,) = ours.audited("api.patients.get")
    assert entry.actor == f"program:{program.key_id}"
    assert entry.about == f"patient:{patient.id}"


def test_who_asks_too_often_is_told_when_to_come_again(ours: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "OF_KEY", throttle.Limit("api", free=3, window=3600))
    program, other = ours.program(), ours.program()
    with time_machine.travel(clock.now(), tick=False):
        answers = [program.get("/patients") for _ in range(4)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
        assert [answer.headers["RateLimit"].split(";")[1] for answer in answers] == ["r=2", "r=1", "r=0", "r=0"]
        resets = [answer.headers["RateLimit"].split(";")[2] for answer in answers]
        assert resets == ["t=0", "t=1200", "t=2400", "t=3600"]
        assert answers[0].headers["RateLimit-Policy"] == '"key";q=3;w=3600'
        assert int(answers[3].headers["Retry-After"]) > 0
        problem_of(answers[3], "too_many")
        assert other.get("/patients").status_code == 200


def test_what_goes_wrong_with_us_is_told_by_its_kind_and_not_in_its_own_words(ours: Any) -> None:
    words = "the words of a statement"
    wrong: dict[str, Exception] = {
        "conflict": IntegrityError(words, {}, Exception(words)),
        "away": OperationalError(words, {}, Exception(words)),
        "unexpected": RuntimeError(words),
        "not_found": NotFound(words),
    }
    with ours.app.test_request_context("/api/v1/patients"):
        answers = {key: door.refused(error) for key, error in wrong.items()}
        codes = [answer.status_code for answer in answers.values()]
        unknown = door.problem_of(InternalServerError(words))
    kinds = [f"urn:warmthread:problem:{key.replace('_', '-')}" for key in wrong]
    assert [answer.json["type"] for answer in answers.values()] == kinds
    assert codes == [409, 503, 500, 404]
    assert unknown.key == "unexpected"
    assert answers["away"].headers["Retry-After"] == "30"
    assert not any(words in answer.get_data(as_text=True) for answer in answers.values())


def test_who_tries_keys_is_slowed(ours: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "OF_STRANGER", throttle.Limit("api.strangers", free=2, window=3600))
    stranger, friend = ours.program(), ours.program()
    stranger.token = "wtk_nobody"
    assert [stranger.get("/patients").status_code for _ in range(3)] == [401, 401, 429]
    assert friend.get("/patients").status_code == 200


@pytest.mark.parametrize(
    ("path", "method", "status", "key"),
    [
        ("/api/v1/nothing", "GET", 404, "not_found"),
        ("/api/v2/patients", "GET", 404, "not_found"),
        ("/api/v1/patients", "DELETE", 405, "method"),
        ("/api/v1/patients", "OPTIONS", 405, "method"),
        ("/api/v1/patients/no-uuid", "GET", 404, "not_found"),
    ],
)
def test_no_page_of_html_is_ever_answered(ours: Any, path: str, method: str, status: int, key: str) -> None:
    headers = {"Authorization": f"Bearer {ours.program().token}"}
    answer = ours.app.test_client().open(path, method=method, headers=headers)
    assert answer.status_code == status
    problem_of(answer, key)
    assert "Set-Cookie" not in answer.headers
    if status == 405:
        assert "GET" in answer.headers["Allow"]


@pytest.mark.parametrize(
    ("body", "content_type", "status", "key"),
    [
        (b"{", "application/json", 400, "bad_json"),
        (b"\xff", "application/json", 400, "bad_json"),
        (b"[" * 20_000, "application/json", 400, "bad_json"),
        (b"[]", "application/json", 400, "bad_json"),
        (b'{"record":"1","record":"2","first_name":"A","last_name":"B"}', "application/json", 400, "bad_json"),
        (b"{}", "text/plain", 415, "media_type"),
        (b"a=1", "application/x-www-form-urlencoded", 415, "media_type"),
        (b" " * (65 * 1024), "application/json", 413, "too_large"),
    ],
    ids=["cut off", "no utf-8", "deep", "a list", "a name twice", "text", "a form", "large"],
)
def test_a_body_that_is_none_is_refused(ours: Any, body: bytes, content_type: str, status: int, key: str) -> None:
    answer = ours.program().post("/patients", body, **{"Content-Type": content_type})
    assert answer.status_code == status, answer.text
    problem_of(answer, key)


def test_what_is_wrong_is_pointed_to_and_not_repeated(ours: Any) -> None:
    wrong = {"record": "Maya", "first_name": "Maya " * 40, "sex": "Quill", "birth_date": PHI[3], "consent": "Maya"}
    answer = ours.program().post("/patients", wrong | {"+13035550110": 1, "Quill": 2})
    details = problem_of(answer, "invalid")
    assert [place["pointer"] for place in details["errors"]] == ["/first_name", "/sex", "/consent", "/-", "/-"]
    assert not any(word in answer.text for word in PHI)


@pytest.mark.parametrize(
    ("field", "value"),
    [("birth_date", "Maya"), ("zone", "Quill/Maya"), ("language", "Quill"), ("first_name", ""), ("record", "a\nb")],
)
def test_what_an_import_would_refuse_is_refused_without_repeating_it(ours: Any, field: str, value: str) -> None:
    whole = {"record": "R1", "first_name": "Ana", "last_name": "" if field == "first_name" else "Roe"}
    answer = ours.program().post("/patients", whole | {field: value})
    assert answer.status_code == 422, answer.text
    assert problem_of(answer, "invalid")["errors"][0]["pointer"] in (f"/{field}", "/last_name")
    assert not any(word in answer.text for word in PHI)


def test_a_parameter_that_nobody_knows_is_refused(ours: Any) -> None:
    program = ours.program()
    for query in ({"limit": "0"}, {"limit": "201"}, {"limit": "x"}, {"offset": "2"}, {"limit": ["1", "2"]}):
        answer = program.get("/patients", **query)
        assert answer.status_code == 422, query
        assert "parameter" in problem_of(answer, "invalid")["errors"][0]
