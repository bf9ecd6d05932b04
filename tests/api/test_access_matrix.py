"""Every operation by scope: a key with all others is refused, and one with this alone is not. Data: the table beside.

That nothing of another clinic is there for any key, stands in test_isolation.
"""

import tomllib
from pathlib import Path
from typing import Any
from uuid import uuid4

from api import catalogue
from messaging.programs import scopes

MATRIX = tomllib.loads(Path(__file__).with_name("access_matrix.toml").read_text(encoding="utf-8"))["operations"]


def asked(program: Any, operation: Any) -> int:
    path = operation.path.replace("{id}", str(uuid4()))
    answer = program.get(path) if operation.method == "GET" else program.post(path, {})
    return int(answer.status_code)


def test_no_operation_is_missing_from_the_matrix_and_none_is_too_many() -> None:
    assert {operation.name: operation.scope for operation in catalogue.ALL} == MATRIX


def test_a_key_opens_what_its_scope_says_and_nothing_else(ours: Any) -> None:
    staff = ours.staff()
    for scope in sorted(set(MATRIX.values())):
        with_it = ours.program(scope, staff=staff)
        without = ours.program(*(other for other in scopes.ALL if other != scope), staff=staff)
        for operation in catalogue.ALL:
            if operation.scope == scope:
                assert asked(without, operation) == 403, operation.name
                assert asked(with_it, operation) not in (401, 403), operation.name
