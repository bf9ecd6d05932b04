"""Describes this door in OpenAPI 3.1, from the same models that check what comes and say what goes."""

import inspect
import json
from functools import cache
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from api import catalogue, problems
from api.operations import Operation
from api.problems import Details

REF = "#/components/schemas/{model}"
# What any operation may be refused for: a key, its scope, its rate, and us.
OF_ALL = ("unauthorized", "scope", "too_many", "unexpected", "away")
OF_LISTS = ("bad_cursor", "invalid")
OF_ROWS = ("not_found",)
OF_POSTS = (
    "bad_json",
    "key_missing",
    "invalid",
    "key_reused",
    "running",
    "conflict",
    "too_large",
    "media_type",
    "too_slow",
)
Document = dict[str, Any]
Refs = dict[Any, Document]


@cache
def document(root: str) -> str:
    """Return the document as JSON, for the operations below the address `root`."""
    named, definitions = models_json_schema(
        [(model, "validation") for model in _models()], ref_template=REF, title="Warmthread"
    )
    refs: Refs = {model: schema for (model, _), schema in named.items()}
    paths: Document = {}
    for operation in catalogue.ALL:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation, refs)
    return json.dumps(
        {
            "openapi": "3.1.0",
            "info": {"title": "Warmthread", "version": "1", "description": catalogue.__doc__},
            "servers": [{"url": root}],
            "security": [{"key": []}],
            "paths": paths,
            "components": {
                "schemas": definitions.get("$defs", {}),
                "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
                "headers": _headers(),
            },
        }
    )


def _models() -> list[type[BaseModel]]:
    models: list[type[BaseModel]] = [Details]
    for operation in catalogue.ALL:
        models += [model for model in (operation.body, operation.query) if model is not None]
        models += operation.answers.values()
    return list(dict.fromkeys(models))


def _operation(operation: Operation, refs: Refs) -> Document:
    described: Document = {
        "operationId": operation.name,
        "tags": [operation.name.partition(".")[0]],
        "summary": inspect.getdoc(operation.handler),
        "description": f"Scope: `{operation.scope}`",
        "x-scope": operation.scope,
        "parameters": _parameters(operation),
        "responses": _answers(operation, refs) | _refusals(operation, refs[Details]),
    }
    if operation.body is not None:
        required = bool(refs and operation.body.model_json_schema().get("required"))
        described["requestBody"] = {
            "required": required,
            "content": {"application/json": {"schema": refs[operation.body]}},
        }
    return described


def _parameters(operation: Operation) -> list[Document]:
    parameters: list[Document] = []
    if operation.by_id:
        parameters.append(
            {"name": "id", "in": "path", "required": True, "schema": {"type": "string", "format": "uuid"}}
        )
    if operation.query is not None:
        properties = operation.query.model_json_schema()["properties"]
        parameters += [
            {"name": name, "in": "query", "required": False, "schema": _given(schema)}
            for name, schema in properties.items()
        ]
    if operation.method == "POST":
        visible = {"type": "string", "minLength": 1, "maxLength": 255, "pattern": r"^[!#-~]+$"}
        parameters.append({"name": "Idempotency-Key", "in": "header", "required": True, "schema": visible})
    return parameters


def _given(schema: Document) -> Document:
    """A parameter that is there is no null; one that may be absent says so by `required`."""
    choices = [each for each in schema.get("anyOf", []) if each.get("type") != "null"]
    return choices[0] if choices else schema


def _answers(operation: Operation, refs: Refs) -> Document:
    return {
        str(status): {
            "description": inspect.getdoc(model) or model.__name__,
            "headers": _named(("X-Request-Id", "RateLimit-Policy", "RateLimit")),
            "content": {"application/json": {"schema": refs[model]}},
        }
        for status, model in operation.answers.items()
    }


def _refusals(operation: Operation, schema: Document) -> Document:
    keys = [*OF_ALL, *operation.refuses]
    keys += [*OF_ROWS] if operation.by_id else []
    keys += OF_POSTS if operation.method == "POST" else OF_LISTS if operation.query is not None else []
    by_status: dict[int, list[str]] = {}
    for key in dict.fromkeys(keys):
        by_status.setdefault(problems.words()[key]["status"], []).append(problems.words()[key]["title"])
    return {
        str(status): {
            "description": "; ".join(titles),
            "headers": _named(("X-Request-Id",)),
            "content": {problems.MEDIA_TYPE: {"schema": schema}},
        }
        for status, titles in sorted(by_status.items())
    }


def _named(names: tuple[str, ...]) -> Document:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _headers() -> Document:
    explained = {
        "X-Request-Id": "names this request in the log of whoever runs the service",
        "RateLimit-Policy": "how many requests a key has in how many seconds",
        "RateLimit": "how many are left now, and in how many seconds all are again",
    }
    return {name: {"description": said, "schema": {"type": "string"}} for name, said in explained.items()}
