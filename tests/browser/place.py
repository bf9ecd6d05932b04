"""A clinic whose pages are served from this process, and colleagues at their desks; nobody works off its queue."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page
from werkzeug.serving import make_server

from config import db, keys, runtime, settings
from messaging.consent import ledger
from messaging.inbox.models import InboxItem
from messaging.models import Patient, Staff
from service import app as application
from service.embedded.valkey import ValkeyServer
from tests.browser import kit
from tests.web.conftest import ENVIRONMENT, House, a_house
from web import permissions

Served = tuple[House, str]


@contextmanager
def serving(folder: Path, valkey: ValkeyServer) -> Iterator[Served]:
    """A clinic, and the address where its pages are served; the queue is real, nobody works in it."""
    before = (runtime._settings, dict(runtime._made))
    runtime.configure(settings.load(ENVIRONMENT | {"WARMTHREAD_DATA_DIR": str(folder), "REDIS_URL": valkey.url}))
    keys.ring()
    db.Base.metadata.create_all(db.engine())
    app = application.create_app()
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield a_house(app, "+12025550100"), f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()
    server.server_close()
    db.engine().dispose()
    runtime._settings = before[0]
    runtime._made.clear()
    runtime._made.update(before[1])


@contextmanager
def at(browser: Browser, served: Served, staff: Staff, init: str = "", **options: Any) -> Iterator[Page]:
    """A colleague's page at a desk, signed in; it closes with the block.

    `init` runs in it first; `options` go to kit.context.
    """
    inside = kit.context(browser, options.pop("size", kit.DESK), **options)
    try:
        if init:
            inside.add_init_script(init)
        page = inside.new_page()
        enter(page, served, staff)
        yield page
    finally:
        inside.close()


def enter(page: Page, served: Served, staff: Staff) -> None:
    """Sign in with a fresh one-time link, into the inbox where it is theirs."""
    house, service = served
    onward = "?next=/inbox" if permissions.may(staff.role, "inbox.read") else ""
    page.goto(service + house.link(staff) + onward)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(lambda url: "/signin" not in url)


def a_reply(house: House, first_name: str, words: str, kind: Any = "reply", **facts: Any) -> tuple[Patient, InboxItem]:
    """A patient who may be texted and has written, and the item of it, a reply unless `kind` says otherwise."""
    patient = house.patient(first_name=first_name)
    with db.unit_of_work(house.clinic.id) as session:
        number = session.get_one(Patient, patient.id).numbers[0].number or ""
        ledger.record(session, house.clinic, number, "granted", source="staff", actor="system:test")
    conversation = house.text_from(patient, words)
    about = {"patient_id": patient.id, "conversation_id": conversation.id, "summary": words}
    return patient, house.item(kind, **(about | facts))
