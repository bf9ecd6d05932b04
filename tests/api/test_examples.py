"""What docs/api.md shows, curl and Python, is run as it stands there against the application."""

import re
import shlex
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select
from werkzeug.serving import make_server

from api import catalogue
from config import clock, db
from intake_links.models import Screen
from tests.api.test_isolation import filled

SECTION = re.compile(r"^### (\S+)\n(.*?)(?=^##|\Z)", re.MULTILINE | re.DOTALL)
TEXT = (Path(__file__).parents[2] / "docs" / "api.md").read_text("utf-8")


def blocks(language: str, text: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


EXAMPLES = {name: (blocks("sh", body), blocks("python", body)) for name, body in SECTION.findall(TEXT)}


@pytest.fixture
def url(ours: Any) -> Iterator[str]:
    """The address of the application on loopback."""
    server = make_server("127.0.0.1", 0, ours.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/api/v1"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def names(ours: Any, url: str) -> dict[str, str]:
    """What the examples call the rows that they are about."""
    rows = filled(ours).by_kind
    patient = ours.patient("R-1001", "+13035550120")
    key = ours.program(staff=ours.staff()).token
    by_name = {"VISIT": "appointment", "HANDOFF": "handoff", "LINK": "intake_link", "MESSAGE": "message"}
    by_name |= {"SCREEN": "screen", "ITEM": "inbox_item", "TASK": "task", "REFERRAL": "referral"}
    by_name |= {"EPISODE": "care_episode", "HOOK": "webhook_endpoint"}
    ids = {name: str(rows[kind]) for name, kind in by_name.items()}
    due = clock.iso(clock.now() + timedelta(days=2))
    return {"URL": url, "KEY": key, "PATIENT": str(patient.id), "DUE": due} | ids


def test_every_operation_has_one_example_in_each_language() -> None:
    assert list(EXAMPLES) == [operation.name for operation in catalogue.ALL]
    assert [name for name, (sh, python) in EXAMPLES.items() if (len(sh), len(python)) != (1, 1)] == []


def test_the_curl_of_each_operation_works(names: dict[str, str]) -> None:
    told = {name: curl(sh[0], names) for name, (sh, _) in EXAMPLES.items()}
    assert {name: status for name, status in told.items() if status not in (200, 201)} == {}


def test_the_python_of_each_operation_works(
    names: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("URL", names["URL"])
    monkeypatch.setenv("KEY", names["KEY"])
    space: dict[str, Any] = dict(names)
    client = blocks("python", TEXT.partition("\n## Visits")[0])
    for code in (*client, *(python[0] for _, python in EXAMPLES.values())):
        exec(code, space)
    assert names["PATIENT"] in capsys.readouterr().out


def test_the_examples_of_the_facade_work(
    names: dict[str, str], monkeypatch: pytest.MonkeyPatch, ours: Any, capsys: Any
) -> None:
    facade = re.search(r"^## FHIR R4\n(.*?)^## ", TEXT, re.MULTILINE | re.DOTALL)
    assert facade is not None
    mine = str(filled_in_before(ours))
    assert curl(blocks("sh", facade[1])[0], names | {"PATIENT": mine}) == 200
    monkeypatch.setenv("URL", names["URL"])
    monkeypatch.setenv("KEY", names["KEY"])
    space: dict[str, Any] = names | {"PATIENT": mine}
    for code in (*blocks("python", TEXT.partition("\n## Visits")[0]), *blocks("python", facade[1])):
        exec(code, space)
    assert capsys.readouterr().out.split()[-1:] == ["11"]


def filled_in_before(side: Any) -> Any:
    """The patient whose form was scored."""
    with db.unit_of_work(side.clinic.id) as session:
        return session.scalars(select(Screen.patient_id).where(Screen.clinic_id == side.clinic.id)).one()


def curl(command: str, names: dict[str, str]) -> int:
    """Send what a curl command would send; return the status."""
    filled_in = re.sub(r"\$([A-Z]+)", lambda match: names[match[1]], command).replace("$(uuidgen)", str(uuid4()))
    words = shlex.split(filled_in.replace("\\\n", " "))
    assert words[:2] == ["curl", "-sS"]
    headers = dict(words[at + 1].split(": ", 1) for at, word in enumerate(words) if word == "-H")
    body = next((words[at + 1].encode() for at, word in enumerate(words) if word == "-d"), None)
    try:
        with urllib.request.urlopen(urllib.request.Request(words[2], body, headers)) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        print(words[2], refused.read())
        return refused.code
