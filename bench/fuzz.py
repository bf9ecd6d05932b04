"""Throws hostile forms at the door for texts: no 5xx, and nothing a carrier could have said is lost.

python -m bench.fuzz [how many, 2000] [seed, 1] [minutes at most, 60]

A run of 100,000 tells every 5,000 how far it is; what it says at the end it says of as many as there was time for.
TMPDIR=/dev/shm keeps the database in memory, which spares the disk and not the door.
"""

import base64
import hashlib
import hmac
import random
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import quote_from_bytes

from flask.testing import FlaskClient
from sqlalchemy import select

from bench import stage
from config import db, runtime
from messaging.inbox.models import InboxItem
from messaging.models import Message
from webhooks import jobs
from webhooks.models import Receipt

PATH = "/webhooks/twilio/sms"
BATCH = 500
TELL_EVERY = 5_000
Fields = list[tuple[bytes, bytes]]
WORDS = (
    *("Y", "STOP", "I want to die", "CANCEL", "AYUDA", "ok", "R2", "me quiero matar", "\U0001f44d\U0001f3fd"),
    *(
        "Body",
        "From+13035550101",
        "To+13035550100",
        "MessageSidSM",
        "&Body=x",
        "%00",
        "=",
        "<script>",
        "{words}",
    ),
    *("\u202e", "\u200d", "\x00", "\r\n", "\ufeff", "\u0301" * 40, "k\u0456ll", "'; DROP TABLE message; --"),
)


@dataclass
class Hostile:
    """One form: `believable` where a carrier could have sent it, `signed` where its signature fits."""

    sid: str
    fields: Fields
    believable: bool = True
    signed: bool = True
    body: bytes | None = None


@dataclass
class Report:
    """What became of the forms: answers by status, receipts by state, and sentences for whatever went wrong."""

    count: int = 0
    seconds: float = 0.0
    answers: Counter[str] = field(default_factory=Counter)
    states: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        answers = ", ".join(f"{name} {count}" for name, count in sorted(self.answers.items()))
        ended = ", ".join(f"{name} {count}" for name, count in sorted(self.states.items()))
        return (
            f"fuzz: {self.count} forms in {self.seconds:.0f} s "
            f"({1000 * self.seconds / max(1, self.count):.1f} ms each); "
            f"answers: {answers}; receipts: {ended}; "
            f"wrong: {len(self.wrong)}" + "".join(f"\n  {problem}" for problem in self.wrong[:20])
        )


def throw(client: FlaskClient, count: int, seed: int, minutes: float = 60) -> Report:
    """Throw `count` forms at the door of a configured house with a clinic, and look up what became of each.

    Whatever was begun after `minutes` is finished, and no more is begun; the report says how many there were.
    """
    chance, report, began = random.Random(seed), Report(), time.perf_counter()
    for start in range(0, count, BATCH):
        if time.perf_counter() - began > 60 * minutes:
            break
        thrown = [_hostile(chance) for _ in range(min(BATCH, count - start))]
        taken = [form for form in thrown if _post(client, form, chance, report)]
        for lane in ("urgent", "default"):
            while jobs.drain(lane):
                pass
        _look_up(taken, report)
        report.count, report.seconds = start + len(thrown), time.perf_counter() - began
        if report.count % TELL_EVERY == 0:
            print(report, file=sys.stderr, flush=True)
    return report


def _post(client: FlaskClient, form: Hostile, chance: random.Random, report: Report) -> bool:
    body = form.body if form.body is not None else _encoded(form.fields, chance)
    signature = _signature(form.fields) if form.signed else chance.choice(["", "x", "\u00ff" * 28, "A" * 9000])
    answer = client.post(
        PATH,
        data=body,
        headers={"X-Twilio-Signature": signature},
        content_type="application/x-www-form-urlencoded",
    )
    kind = "believable" if form.believable and form.signed else "signed" if form.signed else "unsigned"
    report.answers[f"{kind} {answer.status_code}"] += 1
    if answer.status_code >= 500:
        report.wrong.append(f"{answer.status_code} for {body[:300]!r}")
    if not form.signed and answer.status_code < 400:
        report.wrong.append(f"unsigned and taken: {body[:300]!r}")
    if form.signed and form.believable and answer.status_code != 200:
        report.wrong.append(f"{answer.status_code} for what a carrier could say: {body[:300]!r}")
    return answer.status_code == 200


def _look_up(taken: list[Hostile], report: Report) -> None:
    sids = [form.sid for form in taken]
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        receipts = {
            receipt.event: receipt for receipt in session.scalars(select(Receipt).where(Receipt.event.in_(sids)))
        }
        inbound = select(Message.provider_sid).where(Message.provider_sid.in_(sids), Message.direction == "in")
        filed = Counter(session.scalars(inbound))
        about = {f"receipt:{receipt.id}" for receipt in receipts.values()}
        seen = set(session.scalars(select(InboxItem.about).where(InboxItem.about.in_(about))))
    for sid in set(sids):
        receipt = receipts.get(sid)
        state = receipt.state if receipt else "missing"
        report.states[state] += 1
        ends = {
            "processed": filed[sid] == 1,
            "ignored": True,
            "failed": receipt is not None and f"receipt:{receipt.id}" in seen,
        }
        if not ends.get(state, False):
            report.wrong.append(f"{sid}: {state}, {filed[sid]} texts")


def _hostile(chance: random.Random) -> Hostile:
    sid = chance.choice(("SM", "MM")) + f"{chance.getrandbits(128):032x}"
    fields: dict[bytes, bytes] = {
        b"MessageSid": sid.encode(),
        b"SmsMessageSid": sid.encode(),
        b"AccountSid": runtime.settings().twilio_account_sid.encode(),
        b"From": chance.choice((stage.PATIENT, f"+1303555{chance.randrange(100, 200):04}", "72345")).encode(),
        b"To": (stage.CLINIC if chance.random() < 0.97 else "+13035550198").encode(),
        b"Body": _body(chance),
        b"NumMedia": b"0",
        b"NumSegments": b"1",
        b"ApiVersion": b"2010-04-01",
        b"FromCity": chance.choice((b"", b"DENVER", "CAÑON CITY".encode())),
    }
    if chance.random() < 0.1:
        fields[b"NumMedia"] = b"%d" % (media := chance.randrange(1, 11))
        for number in range(chance.randrange(media + 1)):
            fields[b"MediaUrl%d" % number] = b"https://" + chance.choice((b"169.254.169.254/", b"api.twilio.com/ME"))
            fields[b"MediaContentType%d" % number] = chance.choice((b"image/png", b"text/html"))
    if chance.random() < 0.05:
        fields[b"OptOutType"] = chance.choice((b"STOP", b"START", b"HELP"))
    form = Hostile(sid, list(fields.items()))
    if chance.random() < 0.35:
        form.believable = False
        chance.choice(_SPOILERS)(form, chance)
    form.signed = chance.random() < 0.8
    return form


def _body(chance: random.Random) -> bytes:
    return chance.choice(_BODIES)(chance)


_BODIES: tuple[Callable[[random.Random], bytes], ...] = (
    lambda chance: "".join(chance.choice(WORDS) for _ in range(chance.randrange(8))).encode(),
    lambda chance: chance.randbytes(chance.randrange(400)),  # whatever encoding somebody's phone believes in
    lambda chance: (chr(chance.randrange(0xD800, 0xE000)) * chance.randrange(1, 9)).encode("utf-8", "surrogatepass"),
    lambda chance: (chance.choice("\U0001f600\U0001f3fd\U0001f468") * 1600).encode(),
    lambda chance: b"\0" * chance.randrange(1, 1600),
    lambda chance: "".join(map(chr, chance.choices(range(1, 0xD800), k=chance.randrange(1600)))).encode(),
    lambda chance: (chance.choice(WORDS) * 1600)[:1600].encode(),
    lambda chance: chance.choice(WORDS).encode(),
)


def _repeat(form: Hostile, chance: random.Random) -> None:
    form.fields.insert(0, (chance.choice(form.fields)[0], _body(chance)))


def _drop(form: Hostile, chance: random.Random) -> None:
    form.fields.pop(chance.randrange(len(form.fields)))


def _crowd(form: Hostile, chance: random.Random) -> None:
    form.fields += [(b"P%d" % number, b"x") for number in range(chance.choice((80, 90, 100, 300, 3000)))]


def _swell(form: Hostile, chance: random.Random) -> None:
    form.fields.append((b"Zip", b"9" * chance.randrange(1000, 200_000)))


def _stuff(form: Hostile, chance: random.Random) -> None:
    at = chance.randrange(len(form.fields))
    form.fields[at] = (form.fields[at][0], _body(chance))


def _name(form: Hostile, chance: random.Random) -> None:
    form.fields.append((_body(chance)[:60] or b"x", _body(chance)))


def _rubble(form: Hostile, chance: random.Random) -> None:
    form.body = chance.randbytes(chance.randrange(2000))
    form.fields = []


_SPOILERS = (_repeat, _drop, _crowd, _swell, _stuff, _name, _rubble)


def _encoded(fields: Fields, chance: random.Random) -> bytes:
    safe = chance.choice(("", "@", "/:"))
    pieces = [quote_from_bytes(name, safe) + "=" + quote_from_bytes(value, safe) for name, value in fields]
    chance.shuffle(pieces)
    return "&".join(pieces).encode()


def _signature(fields: Fields) -> str:
    """Sign as Twilio does, written apart from the code that verifies: sorted names with their values, HMAC-SHA1."""
    settings = runtime.settings()
    content = b"".join(name + value for name, value in sorted(set(fields)))
    key = settings.twilio_auth_token.get_secret_value().encode()
    signed = hmac.new(key, settings.public_url.encode() + PATH.encode() + content, hashlib.sha1)
    return base64.b64encode(signed.digest()).decode()


def main(arguments: list[str]) -> int:
    """Fuzz a fresh house; the exit code says whether anything went wrong."""
    from service.app import create_app

    count, seed, minutes = (int(argument) for argument in (*arguments, *("2000", "1", "60")[len(arguments) :]))
    with stage.folder() as folder:
        stage.begin(folder / "data")
        stage.clinic()
        report = throw(create_app().test_client(), count, seed, minutes)
        db.engine().dispose()
    print(report, flush=True)
    return 1 if report.wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
