"""A care manager's day in the inbox, by keys alone and without script, and what a morning asks for besides."""

import re

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from config import db
from messaging import conversations
from messaging.inbox.models import InboxItem
from messaging.models import Staff
from tests.browser import kit
from tests.browser.place import Served, a_reply, at
from tests.web.boards.test_unreached import opted_out, visit
from tests.web.conftest import House

pytestmark = pytest.mark.xdist_group("browser")
STRANGER = "+12025550198"


def a_morning(house: House, name: str, crisis: str, first: str, second: str) -> Staff:
    """A care manager who has a safety item of `crisis` and replies of `first` and `second`; saved replies are there."""
    staff = house.staff(name)
    a_reply(house, crisis, "I can't go on", kind="safety", owner_id=staff.id)
    a_reply(house, first, "Thank you", owner_id=staff.id)
    a_reply(house, second, "Can my sister come with me?", owner_id=staff.id)
    browser = house.signed_in(staff)
    assert browser.post("/saved-replies/defaults").status_code == 303
    return staff


def tab_to(page: Page, wanted: Locator) -> None:
    """Press Tab until `wanted` has the focus."""
    for _ in range(80):
        page.keyboard.press("Tab")
        if wanted.evaluate("one => one === document.activeElement"):
            return
    raise AssertionError(f"Tab does not lead to {wanted}")


def focused(page: Page) -> Locator:
    return page.locator(":focus")


def test_a_morning_is_worked_by_keys_alone(browser: Browser, served: Served, unhurried: None) -> None:
    rosa = a_morning(served[0], "Rosa Delgado", "Joy", "Devon", "Amina")
    with at(browser, served, rosa) as page:
        keys = kit.Keys(page)
        # Safety stands first, and is open.
        expect(page.get_by_role("heading", name="Joy Quintana", level=1)).to_be_visible()
        keys.press("a")
        keys.press("Space")
        tab_to(page, page.get_by_role("button", name="Acknowledge"))
        keys.press("Enter")
        expect(page.get_by_text("Acknowledged by Rosa Delgado")).to_be_visible()
        keys.press("n")
        keys.type("Her sister is with her until noon.")
        tab_to(page, page.get_by_role("button", name="Save note"))
        keys.press("Enter")
        expect(page.locator(".thread .noted")).to_contain_text("Her sister is with her until noon.")
        keys.press("s")
        expect(focused(page)).to_contain_text(kit.NEAREST_SNOOZE)
        keys.press("Enter")
        expect(page.locator(".notice")).to_contain_text("Joy Q. is snoozed until")
        expect(page.get_by_role("heading", name="Devon Quintana", level=1)).to_be_visible()
        keys.press("z")
        expect(page.locator(".notice")).to_contain_text("Taken back. Everything is as it was.")
        expect(page.get_by_role("heading", name="Joy Quintana", level=1)).to_be_visible()
        keys.press("e")
        expect(page.locator(".notice")).to_contain_text("Joy Q. is resolved. This is the next one.")
        expect(page.get_by_role("heading", name="Devon Quintana", level=1)).to_be_visible()
        keys.press("e")
        expect(page.get_by_role("heading", name="Amina Quintana", level=1)).to_be_visible()
        write_from_a_saved_reply(page)
        keys.press("/")
        keys.type("amina")
        keys.press("Enter")
        page.wait_for_url("**/patients/**")  # she is the only one who fits
        show_the_keys(page)


def show_the_keys(page: Page) -> None:
    """The list of the keys comes and goes by keys."""
    keys = kit.Keys(page)
    keys.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    kit.check(page)
    keys.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()


def write_from_a_saved_reply(page: Page) -> None:
    """By keys: a saved reply is found and put in, changed, and sent."""
    keys, box = kit.Keys(page), page.get_by_label("Reply to Amina's phone")
    keys.press("r")
    expect(box).to_be_focused()
    tab_to(page, page.locator(".saved summary").first)
    keys.press("Enter")
    expect(page.get_by_label("Find a saved reply")).to_be_focused()  # as soon as they are read
    keys.type("bring")
    offers = page.locator("[data-offer]:visible")
    expect(offers).to_have_count(1)
    keys.press("Tab")
    expect(focused(page)).to_contain_text("of course you may bring somebody with you")
    keys.press("Enter")
    expect(box).to_be_focused()
    expect(box).to_have_value(re.compile("^Yes, of course you may bring somebody"))
    keys.press("Control+A")
    keys.type("Yes, do bring her.")
    expect(page.get_by_text("1 segment, ")).to_be_visible()
    tab_to(page, page.get_by_role("button", name="Send and wait"))
    keys.press("Enter")
    expect(page.locator(".notice")).to_contain_text("Your text is on its way.")
    expect(page.locator(".msg.out")).to_contain_text("Yes, do bring her.")


def test_the_same_morning_is_worked_without_script(browser: Browser, served: Served, unhurried: None) -> None:
    staff = a_morning(served[0], "Ben Carter", "Nadia", "Owen", "Priya")
    with at(browser, served, staff, script=False) as page, at(browser, served, staff) as twin:
        expect(page.locator("[data-chosen]")).to_have_text("The chosen")  # script would say "0 chosen"
        page.get_by_role("link", name=re.compile("Nadia Q")).first.click()
        kit.check_as(page, twin)
        page.locator("#outcome > summary").click()
        page.get_by_label("Reached by phone").check()
        page.get_by_role("button", name="Acknowledge").click()
        expect(page.get_by_text("Acknowledged by Ben Carter")).to_be_visible()
        page.locator(".tab.note > summary").click()
        page.get_by_label("Note never sent to anybody").fill("Her sister is with her until noon.")
        page.get_by_role("button", name="Save note").click()
        expect(page.locator(".thread .noted")).to_contain_text("Her sister is with her until noon.")
        page.locator(".acts summary", has_text="Snooze").click()
        page.get_by_role("button", name=re.compile("^In 1 hour")).click()
        expect(page.locator(".notice")).to_contain_text("Nadia Q. is snoozed until")
        expect(page.get_by_role("heading", name="Owen Quintana", level=1)).to_be_visible()
        page.get_by_role("button", name="Undo").click()
        expect(page.locator(".notice")).to_contain_text("Taken back.")
        expect(page.get_by_role("heading", name="Nadia Quintana", level=1)).to_be_visible()
        page.get_by_role("button", name="Resolve and next").click()
        expect(page.get_by_role("heading", name="Owen Quintana", level=1)).to_be_visible()
        page.get_by_role("button", name="Resolve and next").click()
        expect(page.get_by_role("heading", name="Priya Quintana", level=1)).to_be_visible()
        page.locator(".saved summary").first.click()
        page.get_by_role("button", name="Show them").click()
        page.get_by_role("button", name=re.compile("you may bring somebody")).first.click()
        expect(page.get_by_label("Reply to Priya's phone")).to_have_value(re.compile("^Yes, of course"))
        page.get_by_label("Reply to Priya's phone").fill("Yes, do bring her.")
        page.get_by_role("button", name="Send and wait").click()
        expect(page.locator(".notice")).to_contain_text("Your text is on its way.")
        page.get_by_label("Find a patient").fill("priya")
        page.get_by_label("Find a patient").press("Enter")
        page.wait_for_url("**/patients/**")  # she is the only one who fits
        kit.check_as(page, twin)


def test_an_unknown_number_is_given_to_a_patient_and_can_be_separated_again(browser: Browser, served: Served) -> None:
    house, service = served
    house.patient(first_name="Walter", last_name="Novak")
    with db.unit_of_work(house.clinic.id) as session:
        conversation = conversations.of_number(session, house.clinic, STRANGER)
        conversations.file_inbound(
            session, house.clinic, conversation, body="It is me, new phone", provider_sid="SX1", reading=[]
        )
    item = house.item(conversation_id=conversation.id, summary="It is me, new phone")
    with at(browser, served, house.staff("Ines Moreau")) as page:
        page.goto(f"{service}/inbox/{item.id}?view=everyone")
        page.get_by_role("link", name="Whose number is this?").click()
        page.get_by_label("Name, phone or record number of the patient").fill("novak")
        page.get_by_role("main").get_by_role("button", name="Find").click()
        kit.check(page)
        page.get_by_role("button", name=re.compile("^It is theirs ?: Walter Novak")).click()
        kit.check(page)
        page.get_by_role("button", name="Yes, it is Walter Novak's").click()
        expect(page.get_by_role("heading", name="Walter Novak", level=1)).to_be_visible()
        expect(page.locator(".thread")).to_contain_text("It is me, new phone")
        page.get_by_role("button", name="Separate again").click()
        expect(page.get_by_role("link", name="Whose number is this?")).to_be_visible()
    assert served[0].read(InboxItem, item.id).patient_id is None


def test_a_text_is_planned_for_the_morning_and_taken_back(browser: Browser, served: Served) -> None:
    house, service = served
    _, item = a_reply(house, "Lena", "When do you open?")
    with at(browser, served, house.staff("Sam Fields")) as page:
        page.goto(f"{service}/inbox/{item.id}?view=everyone")
        page.get_by_label("Reply to Lena's phone").fill("At eight. See you then.")
        page.locator(".send summary", has_text="More ways").click()
        expect(page.get_by_label("Hour")).to_have_value("08:00")
        kit.check(page)
        page.get_by_role("button", name="Plan it").click()
        planned = page.get_by_role("list", name="Planned texts")
        expect(planned).to_contain_text("At eight. See you then.")
        expect(planned).to_contain_text("goes out")
        kit.check(page)
        page.get_by_role("button", name=re.compile("^Take back to change")).click()
        expect(planned).to_have_count(0)
        expect(page.get_by_label("Reply to Lena's phone")).to_have_value("At eight. See you then.")


def test_who_was_not_reached_is_called_and_the_call_is_written_down(browser: Browser, served: Served) -> None:
    house, _ = served
    visit(house, opted_out(house, first_name="Harold"), hour=9)
    with at(browser, served, house.staff("Ida Frank", role="front_desk")) as page:
        page.get_by_role("link", name=re.compile("^Unconfirmed visits")).click()
        row = page.locator("li.call", has_text="Harold Quintana")
        expect(row).to_contain_text("Opted out")
        expect(row.get_by_role("link", name=re.compile("^Call "))).to_have_attribute("href", re.compile("^tel:\\+1202"))
        row.get_by_role("button", name="Voicemail").click()
        expect(row).to_contain_text("left a voicemail without details")
        kit.check(page)
        row.get_by_role("button", name="Confirm").click()
        expect(page.get_by_text("1 of 1 reached")).to_be_visible()
        expect(page.get_by_role("heading", name="Nobody is left to call")).to_be_visible()


def test_several_are_settled_at_once_and_what_is_about_safety_is_left_alone(
    browser: Browser, served: Served, unhurried: None
) -> None:
    house, _ = served
    staff = house.staff("Dana Wu")
    _, safety = a_reply(house, "Teresa", "I can't go on", kind="safety", owner_id=staff.id)
    replies = [a_reply(house, name, "Thank you", owner_id=staff.id)[1] for name in ("Ada", "Milo")]
    with at(browser, served, staff) as page:
        expect(page.locator(".row")).to_have_count(3)
        expect(page.get_by_label(re.compile("^Choose Teresa"))).to_have_count(0)
        for name in ("Ada", "Milo"):
            page.get_by_label(re.compile(f"^Choose {name}")).check()
        expect(page.get_by_text("2 chosen")).to_be_visible()
        # Even where a page asks for it: as if it had been drawn before the item became one of safety.
        page.evaluate(
            """id => document.querySelector("#bulk").append(Object.assign(document.createElement("input"),
            { type: "hidden", name: "item", value: id }))""",
            str(safety.id),
        )
        page.locator("#bulk").get_by_role("button", name="Resolve").click()
        expect(page.locator(".notice")).to_contain_text("2 resolved. 1 left alone: patient safety")
        expect(page.locator(".row")).to_have_count(1)
        page.get_by_role("button", name="Undo").click()
        expect(page.locator(".row")).to_have_count(3)
        kit.check(page)
    assert {house.read(InboxItem, item.id).state for item in (safety, *replies)} == {"open"}
