"""What a machine is told when its request is refused: problem details (RFC 9457), without internals."""

import json
from collections.abc import Sequence
from http import HTTPStatus

from flask import Response


def problem(status: int, detail: str, errors: Sequence[dict[str, str]] = ()) -> Response:
    """Return problem details; `errors` holds a JSON pointer and a message for each field that is wrong."""
    details: dict[str, object] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
    }
    if errors:
        details["errors"] = list(errors)
    return Response(json.dumps(details), status=status, mimetype="application/problem+json")
