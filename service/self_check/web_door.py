"""A made-up patient at the web door: opens the link, says the birth date, and answers every question, over HTTP."""

from urllib.parse import urlsplit

from config import clock, runtime
from service.self_check import made_up
from service.visitor import NotThere, Page, Visitor

# Nothing but the ninth question, a little: what must never be missed where everything else is well.
ANSWERS = (0, 0, 0, 0, 0, 0, 0, 0, 1)
ONE_PAGE_SECONDS, ALL_SECONDS = 10.0, 45.0
# From the page of help by the check of the answers to the thanks.
PAGES_AFTER = 6


class NotTaken(Exception):
    """The web server did not take the answer; the text says why in a word or a status, never the address."""


def address() -> str:
    """Return the address by which the web server is reached: the operator's own, else the public one."""
    settings = runtime.settings()
    return settings.self_check_door or settings.public_url


def answer(url: str) -> None:
    """Answer the PHQ-9 of a link as its patient would. Raises NotTaken."""
    browser, ends = Visitor(address(), ONE_PAGE_SECONDS), clock.monotonic() + ALL_SECONDS
    try:
        page = _shown(browser.get(urlsplit(url).path), ends)
        born = {"day": made_up.BORN.day, "month": made_up.BORN.month, "year": made_up.BORN.year}
        gate = page.form(having="year")
        page = _shown(browser.submit(page, gate, **{name: str(value) for name, value in born.items()}), ends)
        for value in ANSWERS:
            page = _shown(browser.submit(page, page.form(having="answer"), answer=str(value)), ends)
        _hand_over(browser, page, ends)
    except NotThere:
        raise NotTaken("a page without its form") from None
    except OSError as error:
        raise NotTaken(f"no answer ({type(getattr(error, 'reason', error)).__name__})") from None


def _hand_over(browser: Visitor, page: Page, ends: float) -> None:
    """Go on from the page of help to the thanks."""
    for _ in range(PAGES_AFTER):
        checks = [form for form in page.forms if "/check" in form.action]
        page = _shown(browser.submit(page, checks[0]) if checks else browser.get("/i/q"), ends)
        if urlsplit(page.url).path.endswith("/i/done"):
            return
    raise NotTaken("no word of thanks")


def _shown(page: Page, ends: float) -> Page:
    if page.status != 200:
        raise NotTaken(f"status {page.status}")
    if clock.monotonic() > ends:
        raise NotTaken(f"slower than {ALL_SECONDS:.0f} s")
    return page
