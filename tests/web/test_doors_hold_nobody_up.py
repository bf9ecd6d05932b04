"""However large what is posted, no door keeps the database's one writer from the others."""

import io
import re
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from werkzeug.routing import Rule

from config import db
from messaging.consent import ledger
from messaging.models import PatientNumber
from messaging.versions import toml_positions
from reminders.imports.models import ImportPart, ImportRun
from tests.holding import LONGEST, writers
from web import words

ROOT = Path(__file__).parents[2]
WORDY = re.compile(r'\bname="([\w.]+)"|form(?:\.get|\.getlist)?[\[(]"([\w.]+)"')
# As many fields and as long a body as the application takes.
FIELDS, BODY = 190, 240_000


def names() -> list[str]:
    """The names of all fields that any page of ours posts."""
    files = [*ROOT.glob("web/**/*.py"), *ROOT.glob("web/templates/**/*.html"), *ROOT.glob("portal/*.py")]
    files += [*ROOT.glob("intake_links/*.py"), *ROOT.glob("intake_links/templates/**/*.html")]
    return sorted({a or b for file in files for a, b in WORDY.findall(file.read_text("utf-8"))})


def wide(text: str) -> dict[str, str]:
    """A form with every field there is, together as long as a body may be."""
    fields = [name for name in names() if name != "csrf_token"]
    shares = [fields[start : start + FIELDS] for start in range(0, len(fields), FIELDS)]
    return {name: (text * BODY)[: BODY // len(shares[0])] for name in shares[0]}


@pytest.fixture
def scene(house: Any) -> dict[str, Any]:
    """One of everything that an address can name."""
    patient, staff = house.patient(), house.staff("Ben Okafor")
    conversation = house.text_from(patient, "hello")
    item = house.item(patient_id=patient.id, conversation_id=conversation.id)
    with db.unit_of_work(house.clinic.id) as session:
        number = session.query(PatientNumber).filter_by(patient_id=patient.id).one()
        ledger.record(
            session, house.clinic, number.number or "", "granted", source="staff", actor=f"staff:{staff.id}",
            patient_id=patient.id,
        )  # fmt: skip
    named = {"item_id": item.id, "patient_id": patient.id, "staff_id": staff.id, "number_id": number.id}
    named |= {"conversation_id": conversation.id, "instrument": "phq9", "kind": "clinic", "act": "drop"}
    return named | {"key": "help", "token": "A" * 22, "source": "vendor", "part": 1, "number": 1}


def addresses(house: Any, scene: dict[str, Any]) -> list[str]:
    """Every address that takes a form, of these objects or of some that are not there."""
    rules = [rule for rule in house.app.url_map.iter_rules() if "POST" in (rule.methods or ())]
    built = house.app.url_map.bind("localhost")
    return sorted(
        built.build(rule.endpoint, {name: _named(rule, name, scene) for name in rule.arguments}, "POST")
        for rule in rules
        if not rule.rule.startswith("/webhooks")
    )


def _named(rule: Rule, name: str, scene: dict[str, Any]) -> Any:
    """What stands in an address: the first of a few words where only these may, else one of the scene."""
    few = getattr(rule._converters.get(name), "items", None)
    return sorted(few)[0] if few else scene.get(name, uuid4())


@pytest.mark.parametrize("text", ["Go! ", "1"], ids=["words", "digits"])
@pytest.mark.parametrize("role", ["care_manager", "clinic_admin"])
def test_no_form_as_large_as_may_be_holds_the_writer(house: Any, scene: dict[str, Any], role: str, text: str) -> None:
    form, tried = wide(text), addresses(house, scene)
    assert len(tried) > 70
    browser = house.signed_in(house.staff(role=role))
    for address in tried:
        if address in ("/signout", "/signin"):
            continue  # what ends the session, and what is open to nobody who has one
        shortest = LONGEST
        for _ in range(3):  # what is too long is too long each time; a garbage collection is not
            with writers() as held:
                answer = browser.client.post(address, data=form | {"csrf_token": token(browser)})
                assert answer.status_code < 500, address
                answer.close()
            if "/signin" in answer.headers.get("Location", ""):
                browser = house.signed_in(house.staff(role=role))
            shortest = max(held, default=0)
            if shortest < LONGEST:
                break
        assert shortest < LONGEST, address


def token(browser: Any) -> str:
    match = re.search(r'name="csrf_token" value="([^"]+)"', browser.client.get("/preferences").text)
    return match[1] if match else ""


HOSTILE = {
    "19 kB of keys that nobody knows": "\n".join(f"[k{n}]" for n in range(3000)),
    "the most keys there can be": "\n".join(f"k{n}=1" for n in range(7000)),
    "unknown fields in a table": "[clinic]\n" + "\n".join(f"k{n}=1" for n in range(6000)),
    "steps without end": "[[cadence.steps]]\n" * 3000,
    "a key of 20,000 parts": "a." * 20000 + "b=1",
    "a header of many parts": "[" + ".".join(["a"] * 9000) + "]",
    "quoted parts": '"a".' * 9000 + '"b"=1',
    "parts with spaces between": "a . " * 9000 + "b=1",
    "parts in a table of one line": "x={" + "a." * 9000 + "b=1}",
    "a number of 5,000 digits": "[clinic]\nname = " + "9" * 5000,
    "a number with lines between its digits": "a = 1" + "_000" * 2000,
    "a negative one": "a = -" + "7" * 4400,
    "a long one in hexadecimal": "a = 0x" + "f" * 6000,
    "tables in tables": "a=" + "[" * 20000,
    "quotation marks that never close": '"""\\' * 10000,
    "spaces after a bracket": 'a = """\n[' + " " * 60000 + '\n"""',
    "larger than any": "# " + "x" * 70_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_settings_file_made_to_take_long_is_a_mistake_with_its_line_and_holds_nobody_up(
    house: Any, name: str
) -> None:
    browser = house.signed_in(house.staff("Dana Wu", role="clinic_admin"))
    with writers() as held:
        answer = browser.post("/settings/file", text=HOSTILE[name])
    assert answer.status_code == 422
    assert re.search(r"line \d+", answer.text)
    assert len(held) < 4
    assert max(held, default=0) < LONGEST
    assert answer.text.count("unknown") <= 21


def test_the_same_as_an_uploaded_file(house: Any) -> None:
    browser = house.signed_in(house.staff("Dana Wu", role="clinic_admin"))
    for text in (HOSTILE["the most keys there can be"], "# " + "x" * 200_000):
        sent = {"file": (io.BytesIO(text.encode()), "clinic.toml"), "csrf_token": token(browser)}
        with writers() as held:
            assert browser.client.post("/settings/file", data=sent).status_code == 422
        assert max(held, default=0) < LONGEST


@pytest.mark.parametrize("long", [40, 4_000])
def test_a_large_import_is_taken_in_part_by_part_and_stopped_at_once(house: Any, long: int) -> None:
    # A tenth of the largest: the parts after it are like those before.
    rows = 5_000_000 // (long + 30)
    lines = (f"{n},Ana,Quill,(303) 555-0101,2/29/1980,{'x' * long}" for n in range(rows))
    data = "MRN,First,Last,Cell,DOB,Note\n" + "\n".join(lines)
    browser = house.signed_in(house.staff("Dana Wu", role="clinic_admin"))
    form = {"kind": "patients", "source": "EHR", "csrf_token": token(browser)}
    with writers() as held:
        sent = form | {"file": (io.BytesIO(data.encode()), "f.csv")}
        answer = browser.client.post("/settings/import", data=sent)
    answer.request.environ["wsgi.input"].close()  # a body this long is a file of the test's client
    assert answer.status_code == 303
    assert len(held) > 8
    assert max(held) < LONGEST
    with db.unit_of_work(house.clinic.id, read_only=True) as session:
        run = session.query(ImportRun).one()
        assert (run.state, run.rows) == ("mapping", rows)
        assert session.query(ImportPart).count() == run.parts
    with writers() as held:
        browser.client.post(answer.headers["Location"] + "/stop", data=form).close()
    assert max(held) < LONGEST


def test_a_file_that_breaks_off_as_it_is_read_leaves_nothing_behind(house: Any, monkeypatch: Any) -> None:
    browser = house.signed_in(house.staff("Dana Wu", role="clinic_admin"))
    for data in (b"PK\x03\x04", b"", b"\xff\xfea\x00"):
        sent = {"kind": "patients", "file": (io.BytesIO(data), "f.csv"), "csrf_token": token(browser)}
        assert browser.client.post("/settings/import", data=sent).status_code == 422
    with db.unit_of_work(house.clinic.id, read_only=True) as session:
        assert session.query(ImportRun).count() == 0


def test_every_state_of_an_import_has_its_words() -> None:
    for state in ("reading", "mapping", "running", "done", "stopped"):
        assert words.say("import_states", state)


def test_what_a_clinic_really_writes_is_read_as_before(house: Any) -> None:
    browser = house.signed_in(house.staff("Dana Wu", role="clinic_admin"))
    text = browser.get("/settings/file/clinic.toml").text
    assert len(text) < toml_positions.LONGEST / 3
    assert browser.post("/settings/file", text=text).status_code == 303
    dotted = '[clinic]\n"name" = "Elm"\n[cadence.quiet_hours]\nearliest = "08:00" # a.b.c.d.e.f.g.h.i.j\n'
    problems = browser.post("/settings/file", text=dotted)
    assert "more than" not in problems.text
