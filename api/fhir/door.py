"""The addresses of the facade: metadata, one resource, a search; each read is written down before it is answered."""

import hashlib
import json
from collections.abc import Collection
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from flask import Blueprint, Response, request

from api import door as programs
from api.fhir import capability, outcomes, parameters
from api.operations import Call
from api.problems import Place, Problem
from config import audit, db, runtime
from messaging.programs import keys
from messaging.programs.keys import Program
from records import kinds, searching
from records.fhir import bundles
from records.fhir.values import Resource

PATH = f"{programs.ROOT}/fhir"
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
READS = ("GET", "HEAD")

door = Blueprint("fhir", __name__, url_prefix=PATH)


@door.get("/metadata", provide_automatic_options=False)
def metadata() -> Response:
    """Return what can be asked; whoever reads it needs no key."""
    return _json(capability.statement(_root()))


@door.route("/", defaults={"rest": ""}, methods=METHODS, provide_automatic_options=False)
@door.route("/<path:rest>", methods=METHODS, provide_automatic_options=False)
def answer(rest: str) -> Response:
    """Answer a read or a search."""
    program = programs.asking()
    programs.count(program)
    kind, *row = rest.split("/")
    scope = _scope(kind)
    if len(row) > 1:
        raise Problem("not_found")
    if request.method not in READS:
        raise Problem("method", headers={"Allow": ", ".join(READS)})
    if scope not in program.scopes:
        raise Problem("scope", Place(detail=scope))
    known = () if row else _known(kind)
    lenient = parameters.is_lenient(request.headers.getlist("Prefer"))
    given = parameters.understood(_given(), known) if lenient else _given()
    told = _json(_read(program, kind, row[0], given) if row else _search(program, kind, given))
    if lenient:
        told.headers["Preference-Applied"] = parameters.LENIENT
    return told


def _known(kind: str) -> Collection[str]:
    return capability.QUESTIONNAIRE if kind == kinds.FORMS[0] else kinds.BY_TYPE[kind].parameters


def _scope(kind: str) -> str:
    if kind == kinds.FORMS[0]:
        return kinds.FORMS[1]
    if kind not in kinds.BY_TYPE:
        raise Problem("not_found")
    return kinds.BY_TYPE[kind].scope


def _given() -> dict[str, list[str]]:
    return request.args.to_dict(flat=False)


def _read(program: Program, kind: str, resource_id: str, given: parameters.Given) -> Resource:
    parameters.plain(given, ())
    _note(program, f"{kind}.read", _about(kind, resource_id) or f"clinic:{program.clinic_id}")
    if kind == kinds.FORMS[0]:
        found = next((each for each in kinds.fixed() if each["id"] == resource_id), None)
    else:
        with db.unit_of_work(program.clinic_id, read_only=True) as session:
            found = searching.one(session, _call(session, program).clinic, kinds.BY_TYPE[kind], resource_id)
    if found is None:
        raise Problem("not_found")
    return found


def _about(kind: str, resource_id: str) -> str | None:
    """What the audit log calls a row of ours; None for what names none."""
    try:
        row_id = UUID(resource_id.partition(".")[0])
    except ValueError:
        return None
    return f"{kinds.BY_TYPE[kind].model.__tablename__}:{row_id}" if kind in kinds.BY_TYPE else None


def _search(program: Program, kind: str, given: parameters.Given) -> Resource:
    if kind == kinds.FORMS[0]:
        return _forms(program, given)
    with db.unit_of_work(program.clinic_id, read_only=True) as session:
        wanted = parameters.wanted(kinds.BY_TYPE[kind], _call(session, program).clinic, given)
    about = f"patient:{wanted.patient}" if wanted.patient else f"clinic:{program.clinic_id}"
    _note(program, f"{kind}.search", about)
    with db.unit_of_work(program.clinic_id, read_only=True) as session:
        clinic = _call(session, program).clinic
        found = searching.find(session, clinic, kinds.BY_TYPE[kind], wanted)
        cursor = parameters.after(kind, clinic, found.ended) if found.ended else None
    return _page(kind, found.resources, given, cursor)


def _forms(program: Program, given: parameters.Given) -> Resource:
    """The few forms there are: one page unless fewer are asked for."""
    parameters.plain(given, capability.QUESTIONNAIRE)
    wanted, count = (
        {name: parameters.several(given, name) for name in capability.QUESTIONNAIRE},
        parameters.count(given),
    )
    found = [
        each
        for each in kinds.fixed()
        if all(not values or each[name.removeprefix("_")] in values for name, values in wanted.items())
    ]
    with db.unit_of_work(program.clinic_id, read_only=True) as session:
        clinic, cursor = _call(session, program).clinic, given.get(parameters.AFTER)
        start = parameters.place(kinds.FORMS[0], clinic, cursor[0]).row_id.int if cursor else 0
        ended = searching.Place(UUID(int=start + count), 0) if start + count < len(found) else None
        following = parameters.after(kinds.FORMS[0], clinic, ended) if ended else None
    _note(program, "Questionnaire.search", f"clinic:{program.clinic_id}")
    return _page(kinds.FORMS[0], found[start : start + count], given, following)


def _page(kind: str, resources: list[Resource], given: parameters.Given, cursor: str | None) -> Resource:
    here = f"{_root()}/{kind}"
    links = {"self": _address(here, given)}
    if cursor:
        links["next"] = _address(here, {**given, parameters.AFTER: [cursor]})
    return bundles.searchset(resources, _root(), links)


def _address(path: str, given: parameters.Given) -> str:
    return f"{path}?{urlencode(given, doseq=True)}" if given else path


def _call(session: Any, program: Program) -> Call:
    return programs.call_of(session, program)


def _note(program: Program, act: str, about: str) -> None:
    """Write down what is read before it is, in a transaction of its own: no long page keeps others waiting."""
    with db.unit_of_work(program.clinic_id) as session:
        keys.used(session, program.key_id)
        call = _call(session, program)
        named = str(call.staff.id) if call.staff else None
        audit.record(session, call.clinic.id, call.program, f"api.fhir.{act}", about, staff=named)


def _root() -> str:
    return f"{runtime.settings().public_url}{PATH}"


def _json(resource: Any) -> Response:
    """The answer, and 304 without a body to whoever has this very one: its tag is of all that it says."""
    text = json.dumps(resource, ensure_ascii=False)
    told = Response(text, content_type=programs.FHIR)
    told.set_etag(hashlib.sha256(text.encode()).hexdigest()[:32], weak=True)
    told.make_conditional(request.environ)
    return told


@door.errorhandler(Exception)
def refused(error: Exception) -> Response:
    """Return what is said to a client whose request has failed in this way."""
    return outcomes.response(programs.problem_of(error), programs.request_id())
