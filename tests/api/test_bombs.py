"""Numbers of thousands of digits, exponents without end and brackets in brackets are refused in a problem, at once."""

import json
from typing import Any

from api import catalogue
from api.problems import MEDIA_TYPE
from tests.api.test_fields_of_others import POSTS, body_of
from tests.api.test_isolation import filled

DEEP = 20_000
# In the place of a value; what is one of Python's and none of JSON's, too.
VALUES = ["9" * 5_000, "-" + "9" * 60_000, "1e400", "-1e999999999", "1E-" + "9" * 5_000, "0." + "1" * 60_000, "NaN"]
VALUES += ["[" * DEEP + "]" * DEEP, '{"a":' * 9_000 + "1" + "}" * 9_000, "[" * 60_000, "Infinity", "0" * 5_000]
LARGE = "9" * 1_000_000


def bodies(whole: dict[str, Any], field: str) -> list[str]:
    """A body that is right but for one field."""
    written = json.dumps(whole | {field: "HERE"})
    return [written.replace('"HERE"', value) for value in VALUES]


def test_no_number_and_no_nesting_in_a_body_is_more_than_a_problem(ours: Any) -> None:
    rows, wrong, tried = filled(ours), [], 0
    for operation in POSTS:
        program, whole = ours.program(staff=ours.staff()), body_of(operation, rows)
        path = operation.path.replace("{id}", str(rows.of(operation)))
        first = next(iter(operation.body.model_fields), "x")
        for body in (*bodies(whole, first), f'{{"x": {LARGE}}}'):
            answer, tried = program.post(path, body), tried + 1
            if not 400 <= answer.status_code < 429 or answer.mimetype != MEDIA_TYPE or "9" * 20 in answer.text:
                wrong.append(f"{operation.name} {answer.status_code} {body[:60]}")
    assert wrong == []
    assert tried > 200


def test_no_number_in_an_address_is_more_than_a_problem(ours: Any) -> None:
    program, wrong = ours.program(), []
    for operation in catalogue.ALL:
        if operation.method == "POST" or operation.query is None or "{id}" in operation.path:
            continue
        for name in operation.query.model_fields:
            for value in ("9" * 5_000, "1e400"):
                answer = program.get(operation.path, **{name: value})
                if answer.status_code >= 500 or (answer.status_code >= 400 and answer.mimetype != MEDIA_TYPE):
                    wrong.append(f"{operation.name} {name} {answer.status_code} {value[:20]}")
    assert wrong == []
