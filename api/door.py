"""The door itself: who asks, whether they may and how often, what they send; then the operation."""

import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from uuid import UUID

from flask import Blueprint, Response, g, request
from pydantic import BaseModel, ValidationError
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import Session
from werkzeug.exceptions import HTTPException

from api import catalogue, once, openapi, problems
from api.operations import Answer, Call, Operation
from api.problems import Place, Problem
from config import audit, client_address, db, logging, strict_json, throttle
from messaging.models import Clinic, Staff
from messaging.programs import keys
from messaging.programs.keys import Program

ROOT = "/api/v1"
# What the facade of api.fhir answers with, refusals too.
FHIR = "application/fhir+json"
LARGEST_BODY = 64 * 1024
OF_KEY = throttle.Limit("api", free=600, window=60)
# Of whoever presents no key that is good.
OF_STRANGER = throttle.Limit("api.strangers", free=30, window=60)
AWAY_SECONDS = 30

door = Blueprint("api", __name__, url_prefix=ROOT)


@dataclass(frozen=True)
class Rate:
    """How many requests a key has left now, and in how many seconds it has all of them again."""

    left: int
    reset: int


def answer(operation: Operation, row_id: UUID | None) -> Response:
    """Answer one request."""
    program = asking()
    count(program)
    if operation.scope not in program.scopes:
        raise Problem("scope", Place(detail=operation.scope))
    if operation.method == "POST":
        return _once(operation, row_id, program)
    query = _query(operation)
    # Written down before and for itself, so that no long page keeps those waiting who write.
    with db.unit_of_work(program.clinic_id) as session:
        _note(call_of(session, program), operation, program, row_id)
    with db.unit_of_work(program.clinic_id, read_only=True) as session:
        given = operation.run(call_of(session, program), row_id, {"query": query} if query is not None else {})
        text = once.text_of(given)
    return _json(given.status, text)


def _once(operation: Operation, row_id: UUID | None, program: Program) -> Response:
    key = once.key_of(request.headers.get("Idempotency-Key"))
    body, content = _body(operation)
    asked = once.Asked(program, operation, request.path, key, content)

    def act(session: Session, answer_id: UUID) -> Answer:
        call = call_of(session, program, answer_id)
        _note(call, operation, program, row_id)
        return operation.run(call, row_id, {"body": body})

    given = once.done(asked, act)
    response = _json(given.status, given.text)
    if given.replayed:
        response.headers["Idempotency-Replayed"] = "true"
    return response


def call_of(session: Session, program: Program, once_id: UUID | None = None) -> Call:
    """Return the call of this program in this transaction."""
    clinic = session.get_one(Clinic, program.clinic_id)
    staff = session.get_one(Staff, program.staff_id) if program.staff_id else None
    return Call(session, clinic, audit.Actor.program(program.key_id), staff, once_id)


def _note(call: Call, operation: Operation, program: Program, row_id: UUID | None) -> None:
    keys.used(call.session, program.key_id)
    operation.note(call, row_id)


def asking() -> Program:
    """Return whose key it is. Raises Problem: the same for every key that is none."""
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    program = keys.program_of(token.strip()) if kind.lower() == "bearer" else None
    if program is not None:
        return program
    _wait(OF_STRANGER.of(client_address.source(request.environ)))
    raise Problem("unauthorized", headers={"WWW-Authenticate": "Bearer"})


def count(program: Program) -> None:
    """Count this request against the key's rate. Raises Problem where it has asked too often."""
    bucket = OF_KEY.of(str(program.key_id))
    level = throttle.level(bucket)
    reset = ceil(level * OF_KEY.window / OF_KEY.free)
    g.rate = Rate(max(0, OF_KEY.free - ceil(level) - 1), reset)
    _wait(bucket)


def _wait(bucket: throttle.Bucket) -> None:
    seconds = throttle.take(bucket)
    if seconds:
        raise Problem("too_many", headers={"Retry-After": str(seconds)})


def _query(operation: Operation) -> BaseModel | None:
    given = request.args.to_dict(flat=False)
    twice = next((name for name, values in given.items() if len(values) > 1), None)
    if twice is not None:
        raise Problem("invalid", Place(parameter="-", detail=problems.reasons()["once"]))
    if operation.query is None:
        return None
    try:
        return operation.query.model_validate({name: values[0] for name, values in given.items()})
    except ValidationError as error:
        raise problems.of_validation(error, in_query=True) from None


def _body(operation: Operation) -> tuple[BaseModel, str]:
    """What was sent, checked, and the same as one text, however it was spaced. Raises Problem."""
    request.max_content_length = LARGEST_BODY
    content = request.get_data(cache=False)
    if content and request.mimetype != "application/json":
        raise Problem("media_type")
    if operation.body is None:
        raise AssertionError(f"{operation.name} takes no body")
    try:
        # Written anew of what was understood: two readers of the same bytes could understand two things.
        text = json.dumps(strict_json.loaded(content or b"{}"), sort_keys=True)
        return operation.body.model_validate_json(text), text
    except ValidationError as error:
        raise problems.of_validation(error) from None
    except ValueError:
        raise Problem("bad_json") from None


def _json(status: int, text: str) -> Response:
    return Response(text, status, content_type="application/json")


def refused(error: Exception) -> Response:
    """Return what is said to a program whose request has failed in this way."""
    return problems.response(problem_of(error), request_id())


def problem_of(error: Exception) -> Problem:
    """Return what is said of an error, and log what nobody expected."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, HTTPException) and error.code is not None and error.code < 500:
        return _of_http(error)
    if isinstance(error, IntegrityError):
        return Problem("conflict")
    logging.logger().error("unexpected", problem=request_id(), route=str(request.url_rule), exc_info=error)
    if isinstance(error, OperationalError):
        return Problem("away", headers={"Retry-After": str(AWAY_SECONDS)})
    return Problem("unexpected")


def _of_http(error: HTTPException) -> Problem:
    problem = problems.of_status(error.code or 500)
    allowed = dict(error.get_headers(request.environ)).get("Allow")
    problem.headers |= {"Allow": allowed} if allowed else {}
    return problem


def request_id() -> str:
    """Return by which id this request stands in the log."""
    if "request_id" not in g:
        g.request_id = str(uuid.uuid4())
    return str(g.request_id)


@door.after_app_request
def finish(response: Response) -> Response:
    """Give each answer of this door its request id and what is left of the key's rate."""
    if not request.path.startswith("/api/"):
        return response
    if response.status_code >= 400 and response.mimetype not in (problems.MEDIA_TYPE, FHIR):
        told = problems.response(problems.of_status(response.status_code), request_id())
        response.set_data(told.get_data())
        response.content_type = told.content_type
    response.headers["X-Request-Id"] = request_id()
    rate: Rate | None = g.get("rate")
    if rate is not None:
        response.headers["RateLimit-Policy"] = f'"key";q={OF_KEY.free};w={OF_KEY.window}'
        response.headers["RateLimit"] = f'"key";r={rate.left};t={rate.reset}'
    return response


@door.get("/openapi.json", provide_automatic_options=False)
def describe() -> Response:
    """Return the description of all operations (OpenAPI 3.1); it holds nothing of any clinic."""
    return _json(200, openapi.document(ROOT))


def _view(operation: Operation) -> Callable[..., Response]:
    def view(row_id: str | None = None) -> Response:
        return answer(operation, _uuid(row_id) if row_id is not None else None)

    return view


def _uuid(written: str) -> UUID:
    try:
        return UUID(written)
    except ValueError:
        raise Problem("not_found") from None


door.register_error_handler(Exception, refused)
for each in catalogue.ALL:
    door.add_url_rule(
        each.path.replace("{id}", "<row_id>"),
        each.name.replace(".", "_").replace("-", "_"),
        _view(each),
        methods=[each.method],
        provide_automatic_options=False,
    )
