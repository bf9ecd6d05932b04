"""Doors by which words come to staff without a form of theirs: phones, EHRs, vendors, programs, files, a patient."""

import base64
import copy
import json
import secrets
from collections.abc import Iterator, Sequence
from typing import Any

from standardwebhooks import Webhook
from twilio.request_validator import RequestValidator

from api import catalogue
from config import clock, db
from intake_links.models import FormSource
from interchange import jobs as feed_jobs
from interchange.models import Feed
from messaging.models import Clinic
from reminders import satisfaction
from reminders.imports import runs
from tests.api import test_isolation as programs
from tests.api.conftest import Side
from tests.browser.hostile import WORDS
from tests.browser.test_satisfaction import asked
from tests.interchange import messages
from tests.interchange import resources as fhir
from tests.interchange.test_scores import obx, oru
from tests.web.caseload.seeding import Scene
from tests.web.conftest import ENVIRONMENT
from tests.web.settings.test_imports import chosen, send
from webhooks import jobs

NUMBER, START = "+12025550171", "20300310090000"
HL7 = (
    messages.visit("S12", "NTE|1||a note", "RGS|1", "AIL|1||Elm^Room 2^^Cedar", "AIP|1||77^HART^DANA", start=START),
    "\r".join(
        [messages.header("A08"), messages.PID, "PV1|1|I|Ward^2^1^Elm|||||77^HART^DANA", "NK1|1|RIVER^BO|||555-0102"]
    ),
    oru(obx("44261-6", "14"), obx("44255-8", "Not at all", kind="ST")),
)
FHIR = (fhir.APPOINTMENT, fhir.PATIENT, fhir.observation(), fhir.response())
VENDOR = {"instrument": "phq9", "answers": [0] * 9, "patient": {"record": "4711"}, "note": "said by phone"}
FILE = f'MRN,First,Last,Cell,Lang,"{WORDS.replace(chr(34), chr(34) * 2)}"\n' + "".join(
    ",".join('"' + WORDS.replace('"', '""') + '"' if place == hostile else cell for place, cell in enumerate(row))
    + "\n"
    for hostile, row in enumerate([(f"M{n}", "Ana", "Quill", f"(303) 555-01{n}", "en", "x") for n in range(11, 17)])
)


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where there is a string in a JSON value."""
    if isinstance(value, dict | list):
        for key, inside in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(inside, (*path, key))
    elif isinstance(value, str):
        yield path


def each_hostile(value: Any) -> Iterator[Any]:
    """A JSON value once for each string in it, which holds the words instead."""
    for path in leaves(value):
        changed = inside = copy.deepcopy(value)
        for key in path[:-1]:
            inside = inside[key]
        inside[path[-1]] = WORDS
        yield changed


def each_field_hostile(message: str) -> Iterator[str]:
    """An HL7 message once for each of its fields that says something, which says the words instead."""
    segments = [line.split("|") for line in message.split("\r")]
    for row, fields in enumerate(segments):
        for place in range(2 if fields[0] == "MSH" else 1, len(fields)):
            if fields[place]:
                changed = [list(line) for line in segments]
                changed[row][place] = WORDS
                yield "\r".join("|".join(line) for line in changed)


class Doors:
    """The doors of one clinic; each verb returns the answers that are failures of ours."""

    def __init__(self, house: Any) -> None:
        self.house, self.client = house, house.app.test_client()
        self.secret = "whsec_" + base64.b64encode(secrets.token_bytes(24)).decode()
        kept: dict[str, Any] = {"clinic_id": house.clinic.id, "key_id": house.clinic.key_id, "created_at": clock.now()}
        with db.unit_of_work(db.EVERY) as session:
            session.add(Feed(name="books", secret=self.secret, profile={}, **kept))
            session.add(FormSource(name="vendor", secret=self.secret, **kept))

    def machines(self) -> list[str]:
        """What EHRs and vendors of forms say, with the words in each field and string by turns."""
        said = [("ehr/books", message) for whole in HL7 for message in each_field_hostile(whole)]
        said += [("ehr/books", json.dumps(changed)) for whole in FHIR for changed in each_hostile(whole)]
        narrative = {"text": {"status": "generated", "div": f"<div>{WORDS}</div>"}}
        extension = {"extension": [{"url": WORDS, "valueString": WORDS}]}
        said += [("ehr/books", json.dumps(whole | narrative | extension)) for whole in FHIR]
        said += [("forms/vendor", json.dumps(changed)) for changed in each_hostile(VENDOR)]
        failed = [f"{path}: {body}" for path, body in said if self._signed(path, body) >= 500]
        feed_jobs.drain()
        self._work()
        return failed

    def phones(self) -> list[str]:
        """A text, a crisis and a file from a number on file and from one that nobody has."""
        failed = []
        for number in (NUMBER, "+12025550172"):
            for body in (WORDS, f"I want to kill myself {WORDS}", f"STOP {WORDS}"):
                form = {"Body": body, "From": number, "To": self.house.clinic.number, "NumMedia": "1"}
                form |= {"MediaUrl0": f"https://api.twilio.com/{WORDS}", "MediaContentType0": WORDS}
                failed += [body] if self._texted(form | {"FromCity": WORDS}) >= 500 else []
        self._work()
        return failed

    def programs(self) -> list[str]:
        """Every operation of the API that is told something, with the words in each string by turns."""
        side = Side(self.house.app, self.house.clinic)
        program, patient = side.program(staff=self.house.staff()), side.patient("R1", "+12025550173")
        failed = []
        bodies = {name: body(patient.id) for name, body in programs.BODIES.items()}
        whole = {"record": "R9", "first_name": "Ana", "last_name": "Quill", "language": "en", "sex": "female"}
        bodies["patients.save"] = whole
        bodies["event-webhooks.create"] = {"name": "a program", "url": "https://hooks.clinic.example/", "events": []}
        for operation in catalogue.ALL:
            path = operation.path.replace("{id}", str(patient.id))
            for body in each_hostile(bodies.get(operation.name, {})):
                answer = program.post(path, body)
                failed += [f"{operation.name}: {body}"] if answer.status_code >= 500 else []
        return failed

    def files(self, browsers: Sequence[Any]) -> list[str]:
        """A file of patients with the words in a heading and in each column by turns."""
        failed = []
        for browser in browsers:
            answer = send(browser, FILE, source="Epic")
            if answer.status_code == 303:
                address = answer.headers["Location"]
                page = browser.get(address).text
                begun = browser.post(address, token_from=address, **chosen(page))
                failed += [address] if begun.status_code >= 500 else []
        runs.drain()
        return failed

    def patients_own(self, scene: Scene) -> tuple[str, dict[str, str]]:
        """A patient who is asked how the clinic did: the path of the link, and the birth date by the page's labels."""
        with db.unit_of_work(self.house.clinic.id) as session:
            clinic = session.get_one(Clinic, self.house.clinic.id)
            clinic.rules = {**clinic.rules, "satisfaction": satisfaction.Terms(asks=True).model_dump()}
        path = asked(scene, self.house.patient(number="+12025550174"))
        born = {"Day": "2", "Month": "3", "Year": "1985"}
        return path, born

    def _work(self) -> None:
        for lane in ("urgent", "default"):
            jobs.drain(lane)

    def _signed(self, path: str, body: str) -> int:
        message_id, now = f"msg_{secrets.token_hex(8)}", clock.now()
        signature = Webhook(self.secret).sign(message_id, now, body)
        headers = {"webhook-id": message_id, "webhook-timestamp": str(int(now.timestamp()))}
        headers |= {"webhook-signature": signature, "Content-Type": "application/json"}
        return int(self.client.post(f"/webhooks/{path}", data=body.encode(), headers=headers).status_code)

    def _texted(self, form: dict[str, str]) -> int:
        whole = {"MessageSid": f"SM{secrets.token_hex(16)}", "AccountSid": ENVIRONMENT["TWILIO_ACCOUNT_SID"], **form}
        judge = RequestValidator(ENVIRONMENT["TWILIO_AUTH_TOKEN"])
        signature = judge.compute_signature(f"{ENVIRONMENT['WARMTHREAD_PUBLIC_URL']}/webhooks/twilio/sms", whole)
        headers = {"X-Twilio-Signature": signature}
        return int(self.client.post("/webhooks/twilio/sms", data=whole, headers=headers).status_code)
