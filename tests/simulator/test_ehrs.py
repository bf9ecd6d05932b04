"""The two made-up EHRs over HTTP: tokens by signed assertions, slices and pages, refusals by code, events, queue."""

import hashlib
import hmac
import json
import re
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from fhir.resources.R4B.bundle import Bundle
from jwt.algorithms import ECAlgorithm, RSAAlgorithm
from standardwebhooks import Webhook

from tests.waiting import PATIENCE

FHIR = "/epic/api/FHIR/R4"
START = datetime(2026, 12, 10, 16, 0, tzinfo=UTC)
KIND = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
RSA = rsa.generate_private_key(65537, 2048)
EC = ec.generate_private_key(ec.SECP384R1())
KEYS = {
    "RS384": (RSA, RSAAlgorithm.to_jwk(RSA.public_key(), as_dict=True) | {"kid": "r", "alg": "RS384"}),
    "ES384": (EC, ECAlgorithm.to_jwk(EC.public_key(), as_dict=True) | {"kid": "e", "alg": "ES384"}),
}


class Ehr:
    """A program that asks one EHR."""

    def __init__(self, simulator: Any, name: str = "epic") -> None:
        self.simulator, self.name = simulator, name
        self.token_url = simulator.url + {"epic": "/epic/oauth2/token", "athena": "/athena/oauth2/v1/token"}[name]
        self.client()

    def client(self, **more: Any) -> None:
        jwks = {"keys": [jwk for _, jwk in KEYS.values()]}
        self.simulator.ask("PUT", f"/sim/ehrs/{self.name}/client", json={"client_id": "us", "jwks": jwks} | more)

    def assertion(self, algorithm: str = "ES384", headers: dict[str, Any] | None = None, **claims: Any) -> str:
        now = int(datetime.now(UTC).timestamp())
        said = {"iss": "us", "sub": "us", "aud": self.token_url, "exp": now + 240, "jti": secrets.token_hex(8)}
        key, jwk = KEYS[algorithm]
        return jwt.encode(said | claims, key, algorithm, headers={"kid": jwk["kid"]} if headers is None else headers)

    def ask_token(self, assertion: str, scope: str = "system/Appointment.rs system/Patient.rs") -> requests.Response:
        form = {"grant_type": "client_credentials", "client_assertion_type": KIND, "client_assertion": assertion}
        return requests.post(self.token_url, form | {"scope": scope}, timeout=PATIENCE)

    def get(self, path: str, token: str | None = None, **kwargs: Any) -> requests.Response:
        bearer = token or self.ask_token(self.assertion()).json()["access_token"]
        headers = {"Authorization": f"Bearer {bearer}"}
        return requests.get(self.simulator.url + path, headers=headers, timeout=PATIENCE, **kwargs)

    def put(self, what: str, **facts: Any) -> Any:
        return self.simulator.ask("PUT", f"/sim/ehrs/{self.name}/{what}", json=facts)

    def faults(self, *faults: dict[str, Any]) -> None:
        self.simulator.ask("PUT", f"/sim/ehrs/{self.name}/faults", json=list(faults))


@pytest.fixture
def epic(simulator: Any) -> Ehr:
    ehr = Ehr(simulator)
    ehr.put("patients/E1", first="Ana", last="River", born="1980-01-02", phone="+13035550101")
    return ehr


def codes(answer: requests.Response) -> list[str]:
    body = answer.json()
    outcomes = [body] if body["resourceType"] == "OperationOutcome" else [each["resource"] for each in body["entry"]]
    issues = [issue for each in outcomes for issue in each.get("issue", [])]
    return [coding["code"] for issue in issues for coding in issue["details"]["coding"]]


@pytest.mark.parametrize("algorithm", ["RS384", "ES384"])
def test_whoever_signs_with_a_known_key_gets_a_token(epic: Ehr, algorithm: str) -> None:
    answer = epic.ask_token(epic.assertion(algorithm))
    assert answer.status_code == 200
    assert answer.json()["expires_in"] == 300
    configuration = epic.simulator.ask("GET", f"{FHIR}/.well-known/smart-configuration")
    assert configuration["token_endpoint"] == epic.token_url


def test_no_token_for_a_wrong_audience_a_long_life_a_missing_kid_or_a_used_id(epic: Ehr) -> None:
    late = int(datetime.now(UTC).timestamp()) + 900
    used = epic.assertion()
    assert epic.ask_token(used).status_code == 200
    wrong = [
        epic.assertion(aud=epic.token_url + "/"),
        epic.assertion(exp=late),
        epic.assertion(headers={}),
        epic.assertion(headers={"kid": "stranger"}),
        epic.assertion(sub="them"),
        used,
        "no token at all",
    ]
    assert {epic.ask_token(each).status_code for each in wrong} == {401}


def test_visits_of_a_slice_come_in_pages_and_never_more_than_a_hundred(epic: Ehr) -> None:
    for place in range(101):
        epic.put(f"visits/V{place}", patient="E1", start=(START + timedelta(minutes=place)).isoformat())
    slices = [("date", "ge2026-12-10T00:00:00Z"), ("date", "lt2026-12-11T00:00:00Z")]
    first = epic.get(f"{FHIR}/Appointment", params=slices)
    assert codes(first) == ["4127"]
    (following,) = [link["url"] for link in first.json()["link"] if link["relation"] == "next"]
    second = epic.get(following.removeprefix(epic.simulator.url))
    numbers = [e["resource"]["id"] for page in (first, second) for e in page.json()["entry"] if "fullUrl" in e]
    assert len(set(numbers)) == 100
    epic.simulator.ask("POST", "/sim/ehrs/epic/forget-sessions")
    assert codes(epic.get(following.removeprefix(epic.simulator.url))) == ["4113"]
    none = epic.get(f"{FHIR}/Appointment", params={"date": "ge2030-01-01T00:00:00Z", "status": "booked"})
    assert (none.status_code, codes(none)) == (200, ["4101", "4122"])


def test_patients_are_restricted_merged_unknown_or_there(epic: Ehr) -> None:
    epic.put("patients/E2", first="Old", last="Ana", merged_into="E1")
    epic.put("patients/E3", first="Bo", last="Shy", restricted="4134")
    assert epic.get(f"{FHIR}/Patient/E1").json()["birthDate"] == "1980-01-02"
    merged = epic.get(f"{FHIR}/Patient/E2", allow_redirects=False)
    assert (merged.status_code, codes(merged)) == (301, ["4107"])
    assert merged.headers["Location"].endswith("/Patient/E1")
    assert codes(epic.get(f"{FHIR}/Patient/E3")) == ["4134"]
    assert codes(epic.get(f"{FHIR}/Patient/E9")) == ["4102"]
    epic.client(scopes="system/Patient.rs")
    assert codes(epic.get(f"{FHIR}/Appointment?date=ge2026-12-10")) == ["4118"]


def test_faults_come_when_asked_for_and_end(epic: Ehr) -> None:
    token = epic.ask_token(epic.assertion()).json()["access_token"]
    epic.faults({"path": "Patient", "status": 429, "retry_after": 7, "times": 1}, {"status": 503, "times": 1})
    busy = epic.get(f"{FHIR}/Patient/E1", token)
    assert (busy.status_code, busy.headers["Retry-After"]) == (429, "7")
    assert epic.get(f"{FHIR}/Patient/E1", token).status_code == 503
    assert epic.get(f"{FHIR}/Patient/E1", token).status_code == 200
    epic.faults({"expires": True, "times": 1})
    assert epic.get(f"{FHIR}/Patient/E1", token).status_code == 401
    epic.faults({"hang_s": 5})
    with pytest.raises(requests.Timeout):
        requests.get(f"{epic.simulator.url}{FHIR}/Patient/E1", timeout=0.2)


def test_the_queue_of_changes_hands_each_out_once_and_shows_it_again_by_its_moment(simulator: Any) -> None:
    athena = Ehr(simulator, "athena")
    athena.put("patients/7", first="Ana", last="River")
    athena.put("visits/12", patient="7", start=START.isoformat())
    (row,) = athena.get("/athena/v1/195900/appointments/changed").json()["appointments"]
    assert (row["date"], row["starttime"], row["appointmentstatus"]) == ("12/10/2026", "09:00", "f")
    assert athena.get("/athena/v1/195900/appointments/changed").json()["totalcount"] == 0
    window = {"showprocessedstartdatetime": "01/01/2020 00:00:00", "showprocessedenddatetime": "01/01/2040 00:00:00"}
    assert athena.get("/athena/v1/195900/appointments/changed", params=window).json()["appointments"] == [row]
    athena.put("visits/12", status="noshow")
    (row,) = athena.get("/athena/v1/195900/appointments/12").json()
    assert (row["appointmentstatus"], row["cancelreasonname"]) == ("x", "PATIENT NO SHOW")
    assert athena.get("/athena/v1/1/appointments/12").status_code == 403


def test_events_are_signed_over_their_bytes_and_can_be_told_again(simulator: Any, receiver: Any) -> None:
    athena = Ehr(simulator, "athena")
    athena.client(events_url=receiver.url + "/events", events_secret="s3cret")
    told = simulator.ask("POST", "/sim/ehrs/athena/events", json={"visits": ["12"]})
    simulator.ask("POST", f"/sim/ehrs/athena/events/{told['number']}/again")
    first, second = receiver.wait(2, "/events")
    assert first.body == second.body
    signature = "sha256=" + hmac.new(b"s3cret", first.body, hashlib.sha256).hexdigest()
    assert first.headers["X-Hub-Signature"] == signature
    (entry,) = json.loads(first.body)["entry"]
    assert entry["resource"]["notificationEvent"][0]["focus"]["identifier"]["value"] == "12"
    athena.client(events_url="https://clinic.example/")
    assert "error" in simulator.ask("POST", "/sim/ehrs/athena/events", json={"visits": ["12"]})


def test_a_visit_is_changed_and_told_by_its_page(epic: Ehr, receiver: Any) -> None:
    form = {"number": "V1", "patient": "E1", "start": "2026-12-10T16:00", "status": "booked"}
    page = requests.post(f"{epic.simulator.url}/ehrs/epic/visits", form, timeout=PATIENCE)
    assert "Ana River" in page.text
    page = requests.post(f"{epic.simulator.url}/ehrs/epic/visits", {"number": "V1", "status": "cancelled"}, timeout=9)
    assert "<td>cancelled</td>" in page.text
    wrong = requests.post(f"{epic.simulator.url}/ehrs/epic/visits", {"number": "V 1"}, timeout=PATIENCE)
    assert "letters and digits" in wrong.text


def test_a_visit_is_sent_as_hl7_by_signed_http(epic: Ehr, receiver: Any) -> None:
    epic.put("visits/V1", patient="E1", start=START.isoformat())
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    wanted = {"event": "S12", "visit": "V1", "url": receiver.url + "/hl7", "secret": secret}
    assert epic.simulator.ask("POST", "/sim/ehrs/epic/hl7", json=wanted)["sent"].startswith("MSH|")
    (call,) = receiver.wait(1, "/hl7")
    headers = {name.lower(): value for name, value in call.headers.items()}
    assert b"|SIU^S12|" in call.body
    assert headers["webhook-signature"] == Webhook(secret).sign(
        headers["webhook-id"], datetime.fromtimestamp(int(headers["webhook-timestamp"]), UTC), call.body.decode()
    )


def test_a_subscription_tells_of_visits_by_id_and_whole_and_leaves_out_on_request(epic: Ehr, receiver: Any) -> None:
    epic.client(events_url=receiver.url + "/bell", events_secret="s3cret")
    epic.put("visits/V1", patient="E1", start=START.isoformat())
    wanted = [{"kind": "handshake"}, {"visits": ["V1"]}, {"visits": ["V1"], "whole": True, "untold": 2}]
    for each in wanted:
        told = epic.simulator.ask("POST", "/sim/ehrs/epic/notifications", json=each)
    epic.simulator.ask("POST", f"/sim/ehrs/epic/notifications/{told['number']}/again")
    heard = receiver.wait(4, "/bell")
    bundles = [Bundle.model_validate(json.loads(each.body)) for each in heard]
    kinds = [[entry.resource.__resource_type__ for entry in bundle.entry] for bundle in bundles]
    assert kinds == [["Parameters"], ["Parameters"], *[["Parameters", "Appointment", "Patient"]] * 2]
    counted = [next(each for each in bundle.entry[0].resource.parameter if each.name.startswith("events")).valueString
               for bundle in bundles]  # fmt: skip
    assert counted == ["0", "1", "4", "4"]
    assert heard[2].body == heard[3].body
    signature = "sha256=" + hmac.new(b"s3cret", heard[1].body, hashlib.sha256).hexdigest()
    assert heard[1].headers["X-Hub-Signature"] == signature


def test_a_visit_is_told_of_by_the_page_of_its_subscription(epic: Ehr, receiver: Any) -> None:
    epic.client(events_url=receiver.url + "/bell", events_secret="s3cret")
    address = f"{epic.simulator.url}/ehrs/epic/notifications"
    page = requests.post(address, {"number": "V1", "kind": "id-only"}, timeout=PATIENCE)
    assert "answered 200" in page.text
    assert "letters and digits" in requests.post(address, {"kind": "whole"}, timeout=PATIENCE).text
    (number,) = re.findall(r"event (\d+): answered 200", page.text)
    again = requests.post(f"{epic.simulator.url}/ehrs/epic/told/{number}/again", timeout=PATIENCE)
    assert again.text.count("answered 200") == 2
    assert len({each.body for each in receiver.wait(2, "/bell")}) == 1
