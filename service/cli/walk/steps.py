"""The steps of the walk. Each acts through a door and returns, in words, what was then seen through another."""

import re
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime

from config import clock
from service.cli.walk import day, two_ehrs
from service.cli.walk.scene import NotSeen, Scene
from service.visitor import Page, Visitor


@dataclass
class Walk:
    """What one step leaves for the next: signed-in browsers by first name, and two EHRs that are being connected."""

    scene: Scene
    browsers: dict[str, Visitor] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    ehrs: Future[datetime] = field(default_factory=Future)

    def begin_to_connect(self) -> None:
        """Let both EHRs be connected while the walk goes on."""
        pool = ThreadPoolExecutor(1, "ehrs")
        self.ehrs = pool.submit(two_ehrs.connect, self.scene)
        pool.shutdown(wait=False)


Step = Callable[[Walk], str]


def import_a_day(walk: Walk) -> str:
    """A clinic, its care team, its patients and their visits are set up by command."""
    scene = walk.scene
    scene.command("clinic", "create", "--name", day.CLINIC, "--zone", day.ZONE, "--number", day.NUMBER,
                  "--phone", day.PHONE)  # fmt: skip
    patients, visits = day.write(scene.folder, clock.now())
    with ThreadPoolExecutor(2) as pool:
        invited = pool.map(lambda colleague: _invite(walk, colleague), day.TEAM)
        people = scene.command("patients", "import", str(patients))[0]
        booked = scene.command("appointments", "import", str(visits))[0]
        walk.links = dict(invited)
    again = scene.command("patients", "import", str(patients))[0]
    if again["unchanged"] != people["rows"] or booked["created"] != booked["rows"]:
        raise NotSeen("importing twice changed something")
    walk.begin_to_connect()
    return f"{people['created']} patients, {booked['created']} visits; importing again changed nothing"


def _invite(walk: Walk, colleague: day.Colleague) -> tuple[str, str]:
    words = [
        "--name",
        colleague.name,
        "--email",
        colleague.email,
        "--role",
        colleague.role,
        "--number",
        colleague.number,
        "--credential",
        colleague.credential,
        "--once",
    ]
    for language in colleague.languages:
        words += ["--language", language]
    for panel in colleague.panels:
        words += ["--panel", panel]
    return colleague.name.split()[0], walk.scene.command("staff", "invite", *words)[0]["link"]


def show_the_plan(walk: Walk) -> str:
    """The reminders are planned; one visit's are shown as its patient will get them."""
    rows = walk.scene.command("appointments", "plan")
    texts = [row for row in rows if row["visit"] == day.visit_id(day.FAR) and row["state"] == "planned"]
    if len(texts) != 3:
        raise NotSeen("three texts planned for the visit in three days")
    skipped = sum(row["state"] == "dropped" for row in rows)
    lines = [f"{_moment(row['local']):<32}{row['step']} before the visit" for row in texts]
    patient = f"{day.FAR.first} {day.FAR.last} comes in three days and gets three texts:\n  "
    return (
        patient
        + "\n  ".join(lines)
        + f"\n{len(rows)} texts for {len(day.PATIENTS)} visits; {skipped} steps skipped: their time had passed"
    )


def _moment(local: str) -> str:
    moment = datetime.fromisoformat(local)
    return f"{moment:%A, %B} {moment.day}, {moment:%I:%M %p}".replace(" 0", " ")


def sign_everyone_in(walk: Walk) -> str:
    """The care team signs in with one-time links; opening such a link changes nothing."""
    for name, link in walk.links.items():
        browser = walk.browsers[name] = walk.scene.browser()
        page = browser.get(link)
        page = browser.submit(page, page.form(action="/signin"))
        if page.status != 200 or "/signin" in page.url:
            raise NotSeen(f"{name} could not sign in")
    return ", ".join(walk.browsers) + " have signed in"


def texts_arrive(walk: Walk) -> str:
    """The reminders that are due now arrive on the phones."""
    due = (day.YES, day.CHANGE, day.SPANISH, day.STOP, day.CRISIS, day.FORM)
    texts = [walk.scene.received(patient.number, day.CLINIC) for patient in due]
    return f"{len(texts)} phones have it. {day.YES.first}'s: “{texts[0]}”"


def answer_yes(walk: Walk) -> str:
    """Marcus answers Y."""
    walk.scene.type(day.YES.number, "Y")
    return "thanked: “" + walk.scene.received(day.YES.number, "We have you down") + "”"


def answer_change(walk: Walk) -> str:
    """A patient answers R, and a human learns of it."""
    walk.scene.type(day.CHANGE.number, "R")
    text = walk.scene.received(day.CHANGE.number, "find a better time")
    walk.scene.page_with(walk.browsers["Ben"], "/inbox?view=everyone", "Amina")
    return f"“{text}”, and an item in the inbox"


def answer_in_spanish(walk: Walk) -> str:
    """A patient answers in Spanish."""
    walk.scene.type(day.SPANISH.number, "Sí, ahí estaré")
    return "thanked in Spanish: “" + walk.scene.received(day.SPANISH.number, "Gracias") + "”"


def answer_stop(walk: Walk) -> str:
    """A patient answers STOP: the carrier confirms, we say nothing more, and the composer is closed."""
    walk.scene.type(day.STOP.number, "STOP")
    walk.scene.soon(lambda: _find(walk, "Sam", day.STOP, "opted out"), "the opt-out on the patient's page")
    return "the carrier confirmed; the patient's page says that this number has opted out"


def _find(walk: Walk, who: str, patient: day.Visitor, words: str) -> Page | None:
    browser = walk.browsers[who]
    page = browser.get("/patients")
    page = browser.submit(page, page.form(action="/patients", having="wanted"), wanted=patient.record)
    return page if words.casefold() in page.text.casefold() else None


def answer_crisis(walk: Walk) -> str:
    """A patient writes that they can't go on: help at once, and an item that cannot be overlooked."""
    walk.scene.type(day.CRISIS.number, "I can't go on")
    text = walk.scene.received(day.CRISIS.number, "988")
    walk.scene.page_with(walk.browsers["Ben"], "/inbox?view=mine", "Joy")
    walk.scene.received("+13035550112", "/inbox/")
    return f"“{text[:76]}…”; Ben has the item and a text without a name in it"


def answer_the_form(walk: Walk) -> str:
    """A patient opens the link on her phone and answers the PHQ-9, item 9 with “several days”."""
    phone, page = _open_the_link(walk)
    for value in (2, 2, 3, 1, 1, 1, 1, 0):
        page = phone.submit(page, page.form(having="answer"), answer=str(value))
    sent = time.perf_counter()
    page = phone.submit(page, page.form(having="answer"), answer="1")
    walk.scene.page_with(walk.browsers["Rosa"], "/inbox?view=mine", "Teresa", "tem 9")
    seen = time.perf_counter()
    walk.scene.received(day.TEAM[0].number, "/inbox/")
    rang = time.perf_counter()
    if "988" not in page.text:
        raise NotSeen("help was not shown at once")
    page = _send(phone, page)
    return (
        f"in Rosa's inbox {1000 * (seen - sent):.0f} ms after the answer, her phone rang after "
        f"{1000 * (rang - sent):.0f} ms; 988 was shown at once; the form is sent"
    )


def _open_the_link(walk: Walk) -> tuple[Visitor, Page]:
    link = re.search(r"https?://\S+/i/[\w-]+", walk.scene.received(day.FORM.number, "/i/"))
    if link is None:
        raise NotSeen("no link in the text")
    phone = walk.scene.browser()
    for _ in range(20):  # previews of carriers and phones: they change nothing
        phone.get(link.group())
    page = phone.get(link.group())
    year, month, birth = day.FORM.birth.split("-")
    return phone, phone.submit(page, page.form(having="year"), day=birth, month=month, year=year)


def _send(phone: Visitor, page: Page) -> Page:
    """Go on from the page of help to the check of the answers, send them, and return the thank-you."""
    for _ in range(6):
        if page.url.endswith("/i/done"):
            return page
        checks = [form for form in page.forms if "/check" in form.action]
        onward = [link for link in page.links if link in ("/i/q", "/i/done")]
        page = phone.submit(page, checks[0]) if checks else phone.get(onward[0] if onward else "/i/q")
    raise NotSeen("the form could not be sent")


def acknowledge_and_reply(walk: Walk) -> str:
    """The care manager acknowledges what she did, and writes to the patient."""
    rosa = walk.browsers["Rosa"]
    page = walk.scene.page_with(rosa, "/inbox?view=mine", "Teresa")
    links = [link for link in page.links if re.search(r"/inbox/[0-9a-f-]{36}", link)]
    for link in links:
        case = rosa.get(link)
        if "Teresa" in case.text and "tem 9" in case.text:
            break
    case = rosa.submit(case, case.form(action="/acknowledge"), disposition="reached_by_phone")
    case = rosa.submit(case, case.form(action="/reply"), body="Hi Teresa, Rosa here. I am on my way to you.")
    return "on Teresa's phone: “" + walk.scene.received(day.FORM.number, "Rosa here") + "”"


def hand_off(walk: Walk) -> str:
    """A warm handoff: asked for, accepted by a care manager, the patient told, and met."""
    sam = walk.browsers["Sam"]
    page = sam.get("/handoffs")
    sam.submit(page, page.form(action="/handoffs", having="record"), record=day.HERE.record, place="Room 4")
    rosa = walk.browsers["Rosa"]
    page = walk.scene.page_with(rosa, "/handoffs", "Walter", "Offered to you")
    page = rosa.submit(page, page.form(action="/accept"))
    text = walk.scene.received(day.HERE.number, "expecting you")
    page = walk.scene.page_with(rosa, "/handoffs", "Walter")
    walk.scene.type(day.HERE.number, "HERE")
    page = walk.scene.page_with(rosa, "/handoffs", "Walter", "They are there")
    rosa.submit(page, page.form(action="/met"))
    walk.scene.page_with(sam, "/handoffs", "What became of those you asked for", "Walter", "Met")
    return f"accepted by Rosa, then texted: “{text}”; Walter wrote HERE, they met, and Sam reads so on his page"


def one_visit_in_two_ehrs(walk: Walk) -> str:
    """A patient in two EHRs has one visit and gets one text."""
    start = walk.ehrs.result(walk.scene.patience)
    return two_ehrs.is_one_visit(walk.scene, start, walk.browsers["Ines"])


def nothing_is_owed(walk: Walk) -> str:
    """The ledger says that every positive answer has reached a named human, and the audit chain holds."""
    rows = walk.scene.command("ledger")
    chains = walk.scene.command("audit", "verify")
    if not rows or any(row["owed"] for row in rows) or not chains or chains[0]["faults"]:
        raise NotSeen("the ledger or the audit chain")
    return f"{len(rows)} positive, none owed; {chains[0]['lines']} audit lines chained"


STEPS: tuple[tuple[str, Step], ...] = (
    ("Import a day of visits", import_a_day),
    ("Plan the reminders", show_the_plan),
    ("Sign the care team in", sign_everyone_in),
    ("Texts go out", texts_arrive),
    ("Marcus answers Y", answer_yes),
    ("Amina answers R", answer_change),
    ("Lucía answers in Spanish", answer_in_spanish),
    ("Devon answers STOP", answer_stop),
    ("Joy writes “I can't go on”", answer_crisis),
    ("Teresa answers the questions on her phone", answer_the_form),
    ("Rosa acknowledges and replies", acknowledge_and_reply),
    ("A warm handoff for Walter", hand_off),
    ("One patient in two EHRs", one_visit_in_two_ehrs),
    ("Nothing is owed", nothing_is_owed),
)
