"""One patient in two EHRs that are asked: connected by command, as an operator does, seen as one visit and one text."""

import re
import secrets
from datetime import datetime, timedelta

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from config import clock
from interchange.polling import keys
from service.cli.walk import day
from service.cli.walk.scene import NotSeen, Scene
from service.visitor import Page, Visitor

# Where each EHR is asked, by the name of its feed: its address and its practice.
EHRS = {"epic": ("/epic/api/FHIR/R4", ()), "athena": ("/athena", ("--practice", "195900"))}
PATIENT = day.Visitor("E7001", "June", "Okabe", "+12015550141", "1980-04-21", "en", "Dr Lindqvist", day.DAY)
OWNS = "owns_visits = true\n"
# The second EHR counts from when the patient is to be at the desk.
EARLIER = timedelta(minutes=3)


def connect(scene: Scene) -> datetime:
    """Let the clinic ask both EHRs, the first of which owns the visits and has one; return when that begins."""
    profile, secret = scene.folder / "epic.toml", scene.folder / "events"
    profile.write_text(OWNS, "utf-8")
    secret.write_text(secrets.token_hex(20), "utf-8")
    # A day from this minute, which has begun, and booked long ago: the reminder of a day before is due at once.
    start = clock.now().replace(second=0, microsecond=0) + day.DAY
    _add(scene, "epic", "--profile", str(profile))
    _visit(scene, "epic", start)
    _ask(scene, "epic", "--events-secret", str(secret))
    _add(scene, "athena")
    _ask(scene, "athena", "--events-secret", str(secret))
    return start


def _add(scene: Scene, name: str, *more: str) -> None:
    scene.command("feeds", "add-source", name, *more)
    person = {"first": PATIENT.first, "last": PATIENT.last, "born": PATIENT.birth, "phone": PATIENT.number}
    scene.ehr("PUT", f"{name}/patients/7", person | {"record": f"{name[0].upper()}7001"})


def _visit(scene: Scene, name: str, start: datetime) -> None:
    visit = {"patient": "7", "start": start.isoformat(), "created": (start - 12 * day.DAY).isoformat()}
    scene.ehr("PUT", f"{name}/visits/12", visit | {"clinician": PATIENT.panel})


def _ask(scene: Scene, name: str, *more: str) -> None:
    """The EHR has our key before it is asked for the first time: who gets no token is asked again minutes later."""
    path, practice = EHRS[name]
    key, file = ec.generate_private_key(ec.SECP384R1()), scene.folder / f"{name}.pem"
    file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    told = {"events_url": f"{scene.service}/webhooks/ehr/{name}"}
    told["events_secret"] = (scene.folder / "events").read_text("utf-8")
    client = {"client_id": "warmthread", "jwks": {"keys": [keys.public_half(key)[1]]}, "zone": day.ZONE}
    scene.ehr("PUT", f"{name}/client", client | told)
    where = ("--address", scene.network + path, "--client-id", "warmthread", "--key", str(file))
    scene.command("feeds", "ask", name, *where, "--days-ahead", "7", "--per-minute", "600", *practice, *more)


def is_one_visit(scene: Scene, start: datetime, admin: Visitor) -> str:
    """The second EHR tells of the visit that the first one has, and nobody is texted about it again."""
    text = scene.received(PATIENT.number, day.CLINIC)
    _visit(scene, "athena", start - EARLIER)
    if scene.ehr("POST", "athena/events", {"topic": "schedule", "visits": ["12"]})["status"] != 200:
        raise NotSeen("an event of the second EHR that is taken")

    def look() -> Page | None:
        # Last heard, then what it said that was done, that changed nothing, that is to be worked on, that waits.
        page = admin.get("/settings/feeds")
        return page if re.search(r"\bathena (?!never).{1,40}? 0 1 0 0\b", page.text) else None

    scene.soon(look, "what the second EHR has said, and that it changes nothing, on the page of the feeds")
    texts = [text for text in scene.texts(PATIENT.number) if text["direction"] == "in"]
    if len(texts) != 1:
        raise NotSeen(f"{len(texts)} texts where one should be")
    return f"{PATIENT.first} {PATIENT.last} is in both, three minutes apart, and got one text: “{text}”"
