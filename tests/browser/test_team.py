"""The team in two and three browsers: asked and answered in a thread, a task to its end, an announcement until read."""

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import func, select

from config import db
from messaging.inbox.models import InboxItem
from messaging.models import Message
from tests.browser import kit
from tests.browser.place import Served, a_reply, at

pytestmark = pytest.mark.xdist_group("browser")


def look(page: Page) -> None:
    """Check the page on a phone, a tablet and a desk, by day and at night."""
    for width in (320, 390, 768, 1440):
        for scheme in ("light", "dark"):
            page.set_viewport_size({"width": width, "height": 900})
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            kit.check(page)


def test_two_colleagues_talk_about_a_patient_beside_the_texts(browser: Browser, served: Served) -> None:
    house, service = served
    rosa, wu = house.staff("Rosa Delgado"), house.staff("Amara Wu", role="clinician")
    patient, item = a_reply(house, "Teresa", "Can I come at four?", owner_id=rosa.id)
    thread = f"{service}/patients/{patient.id}/team"
    with at(browser, served, rosa) as hers, at(browser, served, wu, size=kit.PHONE) as his:
        hers.goto(f"{service}/inbox/{item.id}")
        hers.wait_for_load_state()
        hers.keyboard.press("n")
        hers.keyboard.type("Her mood is worse. @am")
        expect(hers.get_by_role("listbox", name="Colleagues").get_by_role("option", name="Amara Wu")).to_be_visible()
        hers.keyboard.press("Enter")
        hers.keyboard.type("can you see her?")
        expect(hers.get_by_label("Note never sent to anybody")).to_have_value(
            "Her mood is worse. @Amara Wu can you see her?"
        )
        hers.get_by_role("button", name="Save note").click()
        expect(hers.get_by_role("status").filter(has_text="Your note is kept")).to_be_visible()

        his.goto(f"{service}/inbox")
        his.locator(".row", has_text="Asked to look").click()
        expect(his.get_by_text("Her mood is worse. @Amara Wu can you see her?").first).to_be_visible()
        kit.check(his)
        his.get_by_label("Reply to Rosa Delgado").fill("Yes, at five.")
        his.get_by_role("button", name="Save reply").click()
        expect(his.get_by_text("Answered").first).to_be_visible()

        hers.goto(thread)
        expect(hers.get_by_text("Amara Wu: read today")).to_be_visible()
        expect(hers.get_by_text("Yes, at five.")).to_be_visible()
        hers.get_by_label("Note for colleagues, never sent").fill("Hard of hearing, call her daughter")
        hers.get_by_label("Pin it: a fact everybody must know").check()
        hers.get_by_role("button", name="Save note").click()
        expect(hers.get_by_label("Pinned by the team").get_by_text("Hard of hearing")).to_be_visible()
        look(hers)
        his.goto(f"{service}/patients/{patient.id}")
        expect(his.get_by_label("Pinned by the team").get_by_text("Hard of hearing")).to_be_visible()
    with db.unit_of_work(house.clinic.id) as session:
        out = select(func.count()).select_from(Message).where(Message.direction == "out")
        assert session.scalar(out) == 0


def test_without_script_a_colleague_is_chosen_from_a_list_and_a_note_is_corrected(
    browser: Browser, served: Served
) -> None:
    house, service = served
    rosa, ben = house.staff("Rosa Delgado"), house.staff("Ben Okafor")
    patient = house.patient(first_name="Amina")
    with at(browser, served, rosa, script=False) as page:
        page.goto(f"{service}/patients/{patient.id}/team")
        page.get_by_label("Note for colleagues, never sent").fill("Alergic to penicillin")
        page.get_by_label("Ask somebody to look").first.select_option(str(ben.id))
        page.get_by_role("button", name="Save note").click()
        expect(page.get_by_text("Ben Okafor: not read yet")).to_be_visible()
        page.get_by_role("link", name="Correct the note").click()
        page.get_by_label("What it should say").fill("Allergic to penicillin")
        page.get_by_role("button", name="Save the correction").click()
        expect(page.get_by_text("corrects an earlier note")).to_be_visible()
        expect(page.locator("s", has_text="Alergic to penicillin")).to_be_visible()


def test_a_file_that_is_too_large_is_refused_before_it_is_sent_and_what_was_typed_stays(
    browser: Browser, served: Served
) -> None:
    house, service = served
    patient = house.patient(first_name="Devon")
    with at(browser, served, house.staff("Rosa Delgado")) as page:
        page.goto(f"{service}/patients/{patient.id}/team")
        page.get_by_label("Note for colleagues, never sent").fill("the letter from cardiology")
        page.get_by_label("Files up to 5.0 MB each").set_input_files(
            {"name": "scan.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-" + b"x" * (20 * 1024 * 1024)}
        )
        page.get_by_role("button", name="Save note").click()
        valid = page.get_by_label("Files up to 5.0 MB each").evaluate("box => box.validationMessage")
        assert "larger than 5.0 MB" in valid
        expect(page.get_by_label("Note for colleagues, never sent")).to_have_value("the letter from cardiology")


def test_a_task_goes_from_who_asks_to_who_does_it_and_back_to_who_watches(browser: Browser, served: Served) -> None:
    house, service = served
    rosa, ben = house.staff("Rosa Delgado"), house.staff("Ben Okafor")
    patient = house.patient(first_name="Joy")
    house.signed_in(rosa).post("/tasks/templates/defaults")
    with at(browser, served, rosa) as hers, at(browser, served, ben) as his:
        hers.goto(f"{service}/patients/{patient.id}")
        hers.get_by_role("link", name="Make a task").click()
        hers.get_by_role("link", name="Call back").click()
        expect(hers.get_by_label("What is to be done")).to_have_value("Call back")
        hers.get_by_label("Who does it", exact=True).select_option(str(ben.id))
        hers.get_by_label("Who hears how it ends").select_option(str(rosa.id))
        look(hers)
        hers.get_by_role("button", name="Make the task").click()
        expect(hers.get_by_text("Ben Okafor has it now.")).to_be_visible()
        expect(hers.get_by_role("link", name="Call back")).to_be_visible()

        his.goto(f"{service}/inbox")
        his.locator(".row", has_text="Call back").click()
        kit.check(his)
        his.get_by_label("What came of it").fill("She will come on Friday")
        his.get_by_role("button", name="Done", exact=True).click()
        expect(his.get_by_text("Closed, with what came of it.")).to_be_visible()

        hers.goto(f"{service}/tasks")
        look(hers)
        hers.get_by_role("link", name="Call back").first.click()
        expect(hers.get_by_text("Done, Ben Okafor, today")).to_be_visible()
        look(hers)
    with db.unit_of_work(house.clinic.id) as session:
        item = session.scalars(select(InboxItem).where(InboxItem.kind == "task")).one()
        assert (item.disposition, item.done_by) == ("task_done", ben.id)


def test_an_announcement_reaches_three_browsers_and_leaves_each_when_it_is_read(
    browser: Browser, served: Served
) -> None:
    house, service = served
    words = "The afternoon clinic is cancelled"
    staff = [house.staff("Ada Chief", role="clinic_admin"), house.staff("Rosa Delgado")]
    staff.append(house.staff("Dana Price", role="front_desk"))
    with at(browser, served, staff[0]) as chief, at(browser, served, staff[1]) as rosa:
        chief.goto(f"{service}/announcements")
        chief.get_by_label("What everybody should know").fill(words)
        chief.get_by_role("button", name="Put it on the board").click()
        expect(chief.locator(".post.board").get_by_text(words).first).to_be_visible()
        look(chief)
        with at(browser, served, staff[2], size=kit.PHONE) as desk:
            for page in (rosa, desk):
                page.goto(f"{service}/today")
                strip = page.get_by_label("For everyone").get_by_text(words).first
                expect(strip).to_be_visible()
                kit.check(page)
                page.get_by_role("button", name="I have read it").click()
                expect(page.get_by_label("For everyone").get_by_text(words)).to_have_count(0)
                expect(page.get_by_label("Announcements").get_by_text(words)).to_be_visible()
                kit.check(page)
        chief.reload()
        chief.get_by_text("3 have read it").click()
        expect(chief.get_by_text("Read by Ada Chief, Rosa Delgado, Dana Price.")).to_be_visible()


def test_a_note_to_a_colleague_is_answered_on_a_phone(browser: Browser, served: Served) -> None:
    house, service = served
    rosa, ben = house.staff("Rosa Delgado"), house.staff("Ben Okafor")
    with at(browser, served, rosa) as hers, at(browser, served, ben, size=kit.PHONE) as his:
        hers.goto(f"{service}/notes")
        hers.get_by_label("To", exact=True).select_option(str(ben.id))
        hers.get_by_label("Note", exact=True).fill("Can you take Friday?")
        hers.get_by_role("button", name="Send").click()
        expect(hers.get_by_text("not read yet")).to_be_visible()
        his.goto(f"{service}/notes")
        kit.check(his)
        his.get_by_label("Answer Rosa Delgado").fill("Yes")
        his.get_by_role("button", name="Send answer").click()
        expect(his.get_by_text("Rosa Delgado has it in their inbox.")).to_be_visible()
        hers.reload()
        expect(hers.get_by_text("read today").last).to_be_visible()
        look(hers)
