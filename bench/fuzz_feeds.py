"""Throws mutated messages and bundles at the doors for EHRs: no 5xx, none that was answered lost, memory flat.

make fuzz COUNT=100000 SEED=1 MINUTES=60, or python -m bench.fuzz_feeds [how many, 2000] [seed, 1] [minutes at most, 60]

Half of the messages come by HTTPS, half in frames of MLLP; all are worked off.
TMPDIR=/dev/shm keeps the database in memory, which spares the disk and not the doors.
"""

import base64
import hashlib
import hmac
import json
import random
import resource
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import func, select, update

from bench import stage
from config import clock, db
from interchange import feeds, jobs, sources
from interchange.hl7 import er7
from interchange.hl7.framing import Frames
from interchange.models import Feed, FeedMessage
from interchange.profiles import Profile
from messaging.models import Clinic
from webhooks.mllp import listener

BATCH, TELL_EVERY = 250, 5_000
# How much more memory the end may take than the first tenth, in MB.
MOST_GROWTH = 60
SIGNS = (
    *(b"|", b"^", b"~", b"\\", b"&", b"\r", b"\n", b"\x0b", b"\x1c", b'""', b"\xff", b"\x00"),
    *(b"20261101013000", b"-1", b"MSH|", b"PID|", b"\xc3\xa9"),
)
ODD: tuple[Any, ...] = (None, True, -1, 1e400, "", "x" * 50, [], {}, [None], {"a": []}, "2026-11-01T01:30:00")
HEAD = "MSH|^~\\&|BOOKS|ELM|WARM|ELM2|{at}||{kind}|{id}|P|2.5.1\r"
PID = "PID|1||{who}^^^ELM^MR||RIVER^ANA||19800102|F|||||(303)555-01{last:02}^^CP||spa\r"
SCH = "SCH||{key}^BOOKS||||||Follow-up|30|min|^^^{start}||||||||||||||Booked\r"
SHAPES = (
    *((f"SIU^S{number}", SCH + PID + "AIL|1||ROOM 2\r") for number in (12, 13, 14, 15, 26)),
    ("ADT^A08", PID),
    ("ADT^A40", PID + "MRG|{other}^^^ELM^MR\r"),
    ("ORU^R01", PID + "OBR|1\rOBX|1|NM|44261-6^PHQ-9^LN||14||||||F\r"),
)


@dataclass
class Report:
    """What became of what was thrown: answers, states of what was kept, memory in MB, sentences for what was wrong."""

    count: int = 0
    seconds: float = 0.0
    answers: Counter[str] = field(default_factory=Counter)
    states: Counter[str] = field(default_factory=Counter)
    memory: list[int] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        said, ended = (
            ", ".join(f"{name} {count}" for name, count in sorted(counter.items()))
            for counter in (self.answers, self.states)
        )
        memory = f"{self.memory[0]} MB after the first batches, {self.memory[-1]} MB at the end" if self.memory else ""
        return (
            f"fuzz_feeds: {self.count} messages in {self.seconds:.0f} s "
            f"({1000 * self.seconds / max(1, self.count):.1f} ms each); answers: {said}; messages: {ended}; "
            f"memory: {memory}; wrong: {len(self.wrong)}" + "".join(f"\n  {what}" for what in self.wrong[:20])
        )


def mutated(chance: random.Random, data: bytes, most: int = 8) -> bytes:
    """Return a message with a few bytes cut, doubled, swapped or put in."""
    for _ in range(chance.randint(1, most)):
        at, until = sorted(chance.randrange(len(data) + 1) for _ in range(2))
        until = min(until, at + 40)
        middle = chance.choice([b"", data[at:until] * 2, chance.choice(SIGNS), chance.choice(SIGNS) + data[at:until]])
        data = data[:at] + middle + data[until:]
    return data


def changed(chance: random.Random, value: Any) -> Any:
    """Return a resource in which here and there something else stands."""
    if chance.random() < 0.08:
        return chance.choice(ODD)
    if isinstance(value, dict):
        return {name: changed(chance, inner) for name, inner in value.items() if chance.random() > 0.03}
    if isinstance(value, list):
        return [changed(chance, inner) for inner in value]
    return value


class Doors:
    """A feed of a clinic, and both of its doors."""

    def __init__(self, client: FlaskClient, clinic: Clinic) -> None:
        with db.unit_of_work(clinic.id) as session:
            own = session.get_one(Clinic, clinic.id)
            self._secret = sources.add(session, own, "books", {}, "system:bench")
            session.execute(update(Feed).values(mllp_sender="BOOKS|ELM"))
            self._profile: Profile = feeds.profile_of({}, own.zone)
            self._key = feeds.digest_key(session, own.key_id)
        self._client = client

    def by_https(self, body: bytes) -> tuple[str, bool]:
        """Post; return the status and whether it is taken."""
        at, message_id = str(int(clock.now().timestamp())), "msg_1"
        key = base64.b64decode(self._secret.removeprefix("whsec_"))
        signed = hmac.new(key, f"{message_id}.{at}.".encode() + body, hashlib.sha256).digest()
        headers = {"webhook-id": message_id, "webhook-timestamp": at}
        headers["webhook-signature"] = "v1," + base64.b64encode(signed).decode()
        answer = self._client.post("/webhooks/ehr/books", data=body, headers=headers)
        return f"https {answer.status_code}", answer.status_code in (200, 204)

    def by_mllp(self, body: bytes, report: Report) -> list[bytes]:
        """Send in a frame; return what of it was taken."""
        taken = []
        for frame in Frames().feed(b"\x0b" + body + b"\x1c\r"):
            answers = listener.answered(frame, None)
            refused = any(b"sender_unknown" in answer for answer in answers)
            report.answers["mllp of no feed" if refused else "mllp answered"] += 1
            taken += [] if refused else [bytes(frame)]
        return taken

    def events(self, body: bytes) -> list[str]:
        """Return by which events what was taken is to be found; what begins like a resource is read as one."""
        if body.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"{":
            return [feeds.keyed(self._key, feeds.Said(body.decode("utf-8-sig", "replace"), "fhir", "", "").event)]
        try:
            messages = er7.read(body).messages
        except er7.Unreadable:
            return [feeds.keyed(self._key, feeds.Said(body.decode("latin-1"), "", "", "unreadable").event)]
        return [feeds.keyed(self._key, feeds.of_message(message, self._profile).event) for message in messages]


def throw(doors: Doors, count: int, seed: int, minutes: float = 60) -> Report:
    """Throw `count` messages and bundles, work them off, and look up what became of each; after `minutes` no more."""
    chance, report, began = random.Random(seed), Report(), time.perf_counter()
    for start in range(0, count, BATCH):
        if time.perf_counter() - began > 60 * minutes:
            break
        size = min(BATCH, count - start)
        expected = [event for _ in range(size) for event in _one(doors, chance, report)]
        while jobs.drain():
            pass
        _look_up(set(expected), report)
        report.count, report.seconds = start + size, time.perf_counter() - began
        if start >= 4 * BATCH:
            report.memory.append(_resident())
        if report.count % TELL_EVERY == 0:
            print(report, file=sys.stderr, flush=True)
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        states = session.execute(select(FeedMessage.state, func.count()).group_by(FeedMessage.state))
        for state, number in states:
            report.states[state] += number
    report.wrong += [f"{report.states[state]} are {state}" for state in ("failed", "received") if report.states[state]]
    return report


def _one(doors: Doors, chance: random.Random, report: Report) -> list[str]:
    """Throw one; return the events under which it must be found."""
    if chance.random() < 0.2:
        body = json.dumps(changed(chance, _bundle(chance))).encode()
        status, is_taken = doors.by_https(body)
        taken = [body] if is_taken else []
    elif chance.random() < 0.5:
        taken, status = doors.by_mllp(mutated(chance, _message(chance), chance.choice((1, 2, 8))), report), ""
    else:
        body = mutated(chance, _message(chance), chance.choice((1, 2, 8)))
        status, is_taken = doors.by_https(body)
        taken = [body] if is_taken else []
    if status:
        report.answers[status] += 1
    if status.endswith(("500", "502", "503")):
        report.wrong.append(f"{status} for {body[:300]!r}")
    return [event for each in taken for event in doors.events(each)]


def _look_up(events: set[str], report: Report) -> None:
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        known = set(session.scalars(select(FeedMessage.event).where(db.among(session, FeedMessage.event, events))))
    report.wrong += [f"answered and lost: {event}" for event in events - known]


def _message(chance: random.Random) -> bytes:
    kind, shape = chance.choice(SHAPES)
    who, day = chance.randrange(60), chance.randrange(1, 28)
    filled = {
        "at": f"202603{day:02}120000", "kind": kind, "id": f"C{chance.getrandbits(40):x}", "who": f"P{who}",
        "last": who, "other": f"P{chance.randrange(60)}", "key": f"V{chance.randrange(90)}",
        "start": f"{chance.choice((2027, 2028))}06{day:02}{chance.randrange(8, 17):02}0000",
    }  # fmt: skip
    return (HEAD + shape).format(**filled).encode()


def _bundle(chance: random.Random) -> dict[str, Any]:
    who = f"P{chance.randrange(60)}"
    status = chance.choice(("booked", "cancelled"))
    visit = {
        "resourceType": "Appointment", "id": f"a{chance.randrange(60)}", "status": status,
        "start": f"2027-06-{chance.randrange(1, 28):02}T15:00:00Z", "minutesDuration": 30,
        "participant": [{"actor": {"reference": f"Patient/{who}"}, "status": "accepted"}],
    }  # fmt: skip
    patient = {
        "resourceType": "Patient", "id": who, "identifier": [{"system": "urn:oid:4.5", "value": who}],
        "name": [{"family": "RIVER", "given": ["ANA"]}], "birthDate": "1980-01-02",
    }  # fmt: skip
    return {"resourceType": "Bundle", "type": "message", "entry": [{"resource": each} for each in (patient, visit)]}


def _resident() -> int:
    """MB of memory that this process holds now, the most it ever held where nobody tells."""
    status = Path("/proc/self/statm")
    if status.exists():
        return int(status.read_text().split()[1]) * resource.getpagesize() // 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def main(arguments: list[str]) -> int:
    """Fuzz a fresh house; the exit code says whether anything went wrong."""
    from service.app import create_app

    count, seed, minutes = (int(argument) for argument in (*arguments, *("2000", "1", "60")[len(arguments) :]))
    with stage.folder() as folder:
        stage.begin(folder / "data")
        report = throw(Doors(create_app().test_client(), stage.clinic()), count, seed, minutes)
        db.engine().dispose()
    if len(report.memory) > 1 and report.memory[-1] - report.memory[len(report.memory) // 10] > MOST_GROWTH:
        report.wrong.append("memory grows")
    print(report, flush=True)
    return 1 if report.wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
