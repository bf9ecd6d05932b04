"""Two visits come by HL7, their patients confirm by text, and the EHR's engine has each confirmation once, whatever
breaks on the way."""

import os
import re
import signal
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import hl7

from config import clock
from service.cli.walk import day
from service.cli.walk.scene import Scene
from service.embedded import ports
from service.visitor import Page, Visitor
from tests.waiting import PATIENCE, until
from tests.walks.kit import Running, hurry_reminders
from tests.walks.test_written_back import hurry_writing
from tests.walks.two_ehrs import ehr

PHONES = {"12": "+12015550135", "13": "+12015550136"}
FEED = re.compile(r"/feeds/([0-9a-f-]{36})")


def administrator(scene: Scene) -> Visitor:
    who = (
        "--name",
        "Ines Vega",
        "--email",
        "ines@clinic.example",
        "--role",
        "clinic_admin",
        "--number",
        "+12015550190",
    )
    (invited,) = scene.command("staff", "invite", *who, "--once")
    browser = scene.browser()
    page = browser.get(invited["link"])
    assert "/signin" not in browser.submit(page, page.form(action="/signin")).url
    return browser


def let_it_be_told(scene: Scene, admin: Visitor) -> str:
    """Set up the engine by command, tick on the page that it hears of visits; return the address of that page."""
    port = str(scene.ehr("PUT", "epic/engine", {"port": 0})["port"])
    scene.command("feeds", "tell", "books", "--host", "127.0.0.1", "--port", port, "--plain")
    listed = admin.get("/settings/feeds")
    (feed_id,) = set(FEED.findall(listed.source))
    address = f"/feeds/{feed_id}/writing"
    page = admin.get(address)
    assert admin.submit(page, page.form(having="kinds"), kinds="visit").status == 200
    return address


def book(running: Running, key: str, sent: dict[str, Any]) -> None:
    """The EHR has a visit a day from now, booked long ago, and sends it."""
    start = clock.now().replace(second=0, microsecond=0) + timedelta(hours=24, minutes=2)
    person = {"first": f"Ana{key}", "last": "River", "born": "1980-01-02", "record": f"M{key}", "phone": PHONES[key]}
    ehr(running, "PUT", f"epic/patients/P{key}", person)
    ehr(running, "PUT", f"epic/visits/{key}", {"patient": f"P{key}", "start": start.isoformat()})
    answered = ehr(running, "POST", "epic/hl7", {"event": "S12", "visit": key} | sent)["answered"]
    assert "\rMSA|AA|" in answered


def breaks(running: Running, *faults: dict[str, Any]) -> None:
    ehr(running, "PUT", "epic/faults", [{"method": "MLLP", "times": 1} | fault for fault in faults])


def confirm(running: Running, key: str) -> None:
    """The reminder of a day before comes, and is answered."""

    def reminded() -> bool:
        hurry_reminders()
        return bool(running.scene.texts(PHONES[key]))

    until(reminded, "a reminder on the phone", within=3 * PATIENCE, pause=0.2)
    running.scene.type(PHONES[key], "Y")


def taken(running: Running, key: str) -> list[hl7.Message]:
    """What the engine has taken of a visit, each message once."""
    written = ehr(running, "GET", "epic")["written"]
    return [hl7.parse(each["body"]["message"]) for each in written if each["number"] == key]


def heard(running: Running) -> list[tuple[str, int]]:
    """Each message that came to the engine, by event and MSH-10, and what it was answered."""
    return [(each["path"], each["status"]) for each in ehr(running, "GET", "epic")["asked"] if each["method"] == "MLLP"]


def states(page: Page) -> list[str]:
    """How what the EHR is owed stands, as the page says it."""
    return re.findall(r'data-name="State">([^<]+)<', page.source)


def kill(running: Running, *names: str) -> None:
    for name in names:
        if pid := running.pid(name):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def clinic_with_an_engine(scene: Scene) -> tuple[str, Visitor, str]:
    """A clinic that hears of an EHR by both doors and tells its engine; the feed's secret, the administrator, the page
    of what goes back."""
    scene.command("clinic", "create", "--name", day.CLINIC, "--zone", day.ZONE, "--number", day.NUMBER)
    (feed,) = scene.command("feeds", "add-source", "books")
    scene.command("feeds", "mllp", "books", "--sender", "SIMEHR|CLINIC")
    admin = administrator(scene)
    return feed["secret"], admin, let_it_be_told(scene, admin)


def test_a_confirmed_visit_is_told_to_the_engine_once_whoever_is_killed_and_whatever_it_answers(
    serve: Callable[..., Running],
) -> None:
    port = ports.free_port()
    running = serve(WARMTHREAD_MLLP_PORT=str(port))
    secret, admin, address = clinic_with_an_engine(running.scene)

    def stands(*expected: str) -> bool:
        running.service.supervisor.poll()
        hurry_writing()
        return states(admin.get(address)) == list(expected)

    # By MLLP; the engine takes it and is silent, the worker dies, and at the second try the connection ends.
    breaks(running, {"hang_s": 8, "accepts": True}, {"drops": True, "accepts": True})
    book(running, "12", {"mllp_port": port})
    confirm(running, "12")
    until(lambda: taken(running, "12"), "the engine to have taken it", within=3 * PATIENCE, pause=0.1)
    kill(running, "worker.bulk", "ticker")
    until(lambda: stands("Written"), "an acknowledgement", within=4 * PATIENCE, pause=1)
    (told,) = taken(running, "12")
    assert (len(heard(running)), len({path for path, _ in heard(running)})) == (3, 1)
    assert [str(told.segment("MSH")[field]) for field in (5, 6, 9)] == ["SIMEHR", "CLINIC", "SIU^S14"]
    assert [str(told.segment("SCH")[field]) for field in (2, 25)] == ["12", "Confirmed"]
    assert str(told.segment("PID")[3]) == "M12^^^MRN^MR"

    # By HTTP; the engine is locked at first, then does not know the visit, until a person has it told again.
    breaks(running, {"code": "AR 206"}, {"code": "AE 204"})
    book(running, "13", {"url": f"{running.scene.service}/webhooks/ehr/books", "secret": secret})
    confirm(running, "13")
    refused = "Refused: somebody must look at it"
    until(lambda: stands(refused, "Written"), "the refusal on the page", within=4 * PATIENCE, pause=1)
    assert taken(running, "13") == []
    page = admin.get(address)
    assert "(AE 204)" in page.text
    admin.submit(page, page.form(action="/replay/"))
    until(lambda: stands("Written", "Written"), "both to be written", within=4 * PATIENCE, pause=1)
    (told,) = taken(running, "13")
    assert str(told.segment("SCH")[2]) == "13"
    assert [status for _, status in heard(running)[3:]] == [501, 422, 200]
    assert len({path for path, _ in heard(running)}) == 2
