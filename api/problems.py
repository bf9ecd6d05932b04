"""How a program is refused: problem details (RFC 9457) with JSON pointers, and never a word of what was sent."""

import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Any

from flask import Response
from pydantic import BaseModel, ConfigDict, ValidationError

MEDIA_TYPE = "application/problem+json"
# Messages of pydantic that say what is expected and nothing of what came instead.
SAFE = frozenset(
    {
        "bool_type",
        "extra_forbidden",
        "greater_than_equal",
        "int_parsing",
        "int_type",
        "less_than_equal",
        "list_type",
        "literal_error",
        "missing",
        "string_too_long",
        "string_too_short",
        "string_type",
        "timezone_aware",
        "too_long",
        "too_short",
    }
)
# A field that the sender made up is named only where it cannot be somebody's name or number.
NAMEABLE = re.compile(r"[a-z_]{1,40}")


class Place(BaseModel):
    """Where in the request something is wrong, and what is expected there."""

    model_config = ConfigDict(extra="forbid")

    pointer: str | None = None
    parameter: str | None = None
    detail: str


class Details(BaseModel):
    """Problem details as they are sent."""

    model_config = ConfigDict(extra="forbid", title="Problem")

    type: str
    title: str
    status: int
    detail: str
    instance: str
    errors: list[Place] = []


class Problem(Exception):
    """A refusal. `key` is one of texts/problems.toml; nothing of the request's transaction is kept."""

    def __init__(self, key: str, *places: Place, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(key)
        self.key, self.places, self.headers = key, places, dict(headers or {})


def at(pointer: str, reason: str) -> Problem:
    """Return the refusal of one field for a `reason` of the table of words."""
    return Problem("invalid", Place(pointer=pointer, detail=reasons()[reason]))


def because(key: str, reason: str) -> Problem:
    """Return a refusal whose `errors` say why, in words of ours."""
    return Problem(key, Place(detail=reason))


def of_validation(error: ValidationError, *, in_query: bool = False) -> Problem:
    """Return what is wrong with a body, or with the parameters in the address."""
    wrong = error.errors(include_url=False, include_context=False, include_input=False)
    if any(each["type"] == "json_invalid" for each in wrong):
        return Problem("bad_json")
    return Problem("invalid", *(_place(each["loc"], each["type"], each["msg"], in_query) for each in wrong))


def _place(loc: Sequence[int | str], kind: str, message: str, in_query: bool) -> Place:
    parts = [str(part) if isinstance(part, int) or NAMEABLE.fullmatch(part) else "-" for part in loc]
    detail = message if kind in SAFE else reasons()["expected"]
    if in_query:
        return Place(parameter=parts[0] if parts else "-", detail=detail)
    return Place(pointer="".join(f"/{part}" for part in parts), detail=detail)


def response(problem: Problem, request_id: str) -> Response:
    """Return the answer to a request that was refused."""
    said = words()[problem.key]
    details = Details(
        type=f"urn:warmthread:problem:{problem.key.replace('_', '-')}",
        title=said["title"],
        status=said["status"],
        detail=said["detail"],
        instance=f"urn:uuid:{request_id}",
        errors=list(problem.places),
    )
    body = details.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
    return Response(json.dumps(body), said["status"], problem.headers, content_type=MEDIA_TYPE)


def of_status(status: int) -> Problem:
    """Return the problem that says what an HTTP status of the framework's own says."""
    by_status = {404: "not_found", 405: "method", 408: "too_slow", 413: "too_large", 415: "media_type"}
    return Problem(by_status.get(status, "bad_request" if status < 500 else "unexpected"))


@cache
def words() -> dict[str, Any]:
    """Return the statuses and sentences of all problems, by key."""
    return tomllib.loads(resources.files("api").joinpath("texts", "problems.toml").read_text("utf-8"))


def reasons() -> Mapping[str, str]:
    """Return what can be said of one place, by key."""
    table: Mapping[str, str] = words()["reasons"]
    return table
