"""A story of real processes whose names, numbers, words and tokens are then looked for in everything that is kept."""

import csv
import re
import zlib
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
from redis import Redis
from sqlalchemy import make_url

from config import clock
from service.cli.walk import day
from service.cli.walk.steps import Walk, import_a_day, sign_everyone_in
from service.visitor import Visitor
from tests.walks.kit import Running

Serve = Callable[..., Running]
PERSON = ("QZX-44718", "Zephyrine", "Quackenbosh", "+12015550171", "1961-04-17")
STRANGER = "+12015550172"
KIND, ROOM, NOTE = "Zyzzyva follow-up", "Xylograph room 7", "Vituperative handoff note"
SAID, CRISIS, FROM_NOBODY = "My quixotry is late", "I want to kill myself, gobbledygook", "Mumpsimus, who is this"
REPLY, KEPT_NAME, KEPT_WORDS, FILTER = (
    "Tatterdemalion, see you",
    "Flibbertigibbet",
    "Kerfuffle, we call you",
    "Snollygoster",
)
# Whatever of a patient or of a key must be read by nobody who has a file, a dump or the queue.
WORDS = (*PERSON, STRANGER, KIND, ROOM, NOTE, SAID, CRISIS, FROM_NOBODY, REPLY, KEPT_NAME, KEPT_WORDS, FILTER)
# What may stand in clear, as docs/clear.toml says: the search must find it, or it looks at the wrong thing.
IN_CLEAR = "Suite Nudiustertian"


def test_nothing_of_the_story_is_readable_on_sqlite_in_redis_logs_or_metrics(serve: Serve, tmp_path: Path) -> None:
    log = tmp_path / "service.log"
    with log.open("wb") as out:
        running = serve(output=out.fileno(), WARMTHREAD_LOG_LEVEL="debug")
        canaries = the_story(running)
        database = dict(files(tmp_path / "data", "warmthread.sqlite3*"))
        assert found(database, [IN_CLEAR]) != []
        assert found(database, canaries) == []
        assert found(queue(running), canaries) == []
        metrics = running.scene.browser().get("/metrics").source
        assert "warmthread_" in metrics
        assert found({"metrics": metrics.encode()}, canaries) == []
    assert log.stat().st_size > 0
    assert found(dict(files(tmp_path, "service.log")), canaries) == []
    everything = {name: held for name, held in files(tmp_path / "data", "**/*") if not name.endswith("master.keys")}
    assert len(everything) > 4
    assert found(everything, canaries) == []


def test_nothing_of_the_story_is_readable_in_a_dump_of_postgresql(serve: Serve, empty_postgresql: str) -> None:
    canaries = the_story(serve(DATABASE_URL=empty_postgresql))
    tables = dump(empty_postgresql)
    assert len(tables) > 80
    assert {name for name, _ in found(tables, [IN_CLEAR])} == {"appointment"}
    assert found(tables, canaries) == []


def the_story(running: Running) -> list[str]:
    """Let the person of the story be imported, texted, read, handed on; return every word and token of it."""
    walk = Walk(running.scene)
    import_a_day(walk)
    sign_everyone_in(walk)
    book(running)
    said = [running.scene.received(PERSON[3], day.CLINIC)]
    for number, body in ((PERSON[3], SAID), (PERSON[3], CRISIS), (STRANGER, FROM_NOBODY)):
        running.scene.type(number, body)
    said.append(running.scene.received(PERSON[3], "988"))
    answer(walk)
    hand_over(walk)
    keep(walk)
    said.append(running.scene.received(PERSON[3], REPLY))
    links = [link.rpartition("/")[2] for link in walk.links.values()]
    tokens = [*links, *(cookie for browser in walk.browsers.values() for cookie in cookies(browser))]
    assert len(tokens) >= 8
    return [*WORDS, *(text for text in said if len(text) > 20), *tokens]


def book(running: Running) -> None:
    """Import the person, and a visit whose reminder of the day before falls due in a moment."""
    scene = running.scene
    people, visits = Path(scene.folder, "canary.csv"), Path(scene.folder, "canary-visit.csv")
    starts = clock.now().astimezone(ZoneInfo(day.ZONE)).replace(tzinfo=None) + timedelta(days=1, seconds=8)
    booked = (clock.now() - timedelta(days=9)).isoformat(timespec="seconds")
    with people.open("w", newline="") as first, visits.open("w", newline="") as second:
        csv.writer(first).writerows([("record", "first_name", "last_name", "phone", "birth_date"), PERSON])
        visit = ("ZV1", PERSON[0], starts.isoformat(timespec="seconds"), day.ZONE, booked, IN_CLEAR, KIND)
        columns = ("visit", "patient", "starts_at", "zone", "booked_at", "place", "kind")
        csv.writer(second).writerows([columns, visit])
    assert scene.command("patients", "import", str(people))[0]["created"] == 1
    assert scene.command("appointments", "import", str(visits))[0]["created"] == 1
    here = scene.command("appointments", "import", str(visits))[0]
    assert here["unchanged"] == 1


def answer(walk: Walk) -> None:
    """A care manager says what was done about the crisis, in words, and writes to the person."""
    ben = walk.browsers["Rosa"]
    page = walk.scene.page_with(ben, "/inbox?view=everyone", PERSON[1])
    cases = (ben.get(link) for link in page.links if re.search(r"/inbox/[0-9a-f-]{36}", link))
    case = next(page for page in cases if PERSON[1] in page.text and "gobbledygook" in page.text)
    case = ben.submit(case, case.form(action="/claim")) if any("/claim" in form.action for form in case.forms) else case
    case = ben.submit(case, case.form(action="/acknowledge"), disposition="reached_by_phone", words=NOTE)
    assert case.status == 200
    case = ben.submit(case, case.form(action="/reply"), body=REPLY)
    assert case.status == 200


def hand_over(walk: Walk) -> None:
    """The front desk asks for a warm handoff in a room, with a note."""
    sam = walk.browsers["Sam"]
    page = sam.get("/handoffs")
    asked = sam.submit(page, page.form(action="/handoffs", having="record"), record=PERSON[0], place=ROOM, note=NOTE)
    assert asked.status == 200
    walk.scene.page_with(sam, "/handoffs", ROOM)


def keep(walk: Walk) -> None:
    """Somebody keeps words and a filter of their own."""
    rosa = walk.browsers["Rosa"]
    page = rosa.get("/saved-replies")
    page = rosa.submit(page, page.form(having="text_en"), name=KEPT_NAME, text_en=KEPT_WORDS)
    assert KEPT_NAME in page.text
    page = rosa.get("/inbox?view=everyone&kind=reply")
    page = rosa.submit(page, page.form(action="/inbox/filters"), name=FILTER)
    assert FILTER in page.text


def cookies(browser: Visitor) -> list[str]:
    """The values of a browser's cookies that let somebody in."""
    [jar] = [handler.cookiejar for handler in browser._opener.handlers if hasattr(handler, "cookiejar")]
    return [cookie.value for cookie in jar if cookie.value and len(cookie.value) > 20]


def files(folder: Path, pattern: str) -> Iterator[tuple[str, bytes]]:
    """Every file below a folder, by its name."""
    for path in folder.glob(pattern):
        if path.is_file():
            yield path.name, path.read_bytes()


def queue(running: Running) -> dict[str, bytes]:
    """What Redis holds: each live key, and the snapshot it writes."""
    assert running.service.valkey is not None
    client: Any = Redis.from_url(running.service.valkey.url)
    held = {f"key {key!r}": key + value(client, key) for key in client.scan_iter()}
    assert held
    client.config_set("rdbcompression", "no")
    snapshot = running.service.valkey.home / "dump.rdb"
    client.save()
    return held | {"rdb": snapshot.read_bytes()}


def value(client: Any, key: bytes) -> bytes:
    """A key's value as bytes, nothing if it has gone meanwhile; what RQ has compressed is opened."""
    readers: dict[Any, Callable[[], Any]] = {
        b"hash": lambda: flat(client.hgetall(key).items()),
        b"string": lambda: [client.get(key) or b""],
        b"list": lambda: client.lrange(key, 0, -1),
        b"set": lambda: list(client.smembers(key)),
        b"zset": lambda: client.zrange(key, 0, -1),
        b"stream": lambda: flat(pair for _, pairs in client.xrange(key) for pair in pairs.items()),
        b"none": list,
    }
    return b"\n".join(opened(part) for part in readers[client.type(key)]())


def flat(pairs: Iterable[tuple[bytes, bytes]]) -> list[bytes]:
    """Names and values, one after the other."""
    return [part for pair in pairs for part in pair]


def opened(part: bytes) -> bytes:
    """The bytes, and what they hold if they are compressed."""
    try:
        return part + zlib.decompress(part)
    except zlib.error:
        return part


def dump(url: str) -> dict[str, bytes]:
    """Every table, as COPY gives its rows: text and sealed bytes alike."""
    address = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(address) as connection:
        connection.execute("SELECT set_config('app.clinic', '*', false)")
        names = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        held = {}
        for (name,) in names:
            # Not COPY of the table itself: row-level security would refuse it.
            with connection.cursor().copy(f"COPY (SELECT * FROM {name}) TO STDOUT (FORMAT binary)") as rows:
                held[name] = b"".join(bytes(row) for row in rows)
    return held


def found(held: dict[str, bytes], canaries: list[str]) -> list[tuple[str, str]]:
    """Which canary stands where, in its own letters or as an address would carry it."""
    return [
        (name, canary)
        for name, content in held.items()
        for canary in canaries
        if any(form.encode() in content for form in {canary, canary.lower(), canary.lstrip("+").replace(" ", "%20")})
    ]
