"""The frame: what a browser is told to refuse, what a page weighs, and what stands there when something is wrong."""

import gzip
import re
from importlib import resources
from typing import Any

import pytest

from web import layout
from web.inbox import inbox_page
from web.presenters import list_rows


def test_every_page_forbids_foreign_and_inline_code(house: Any) -> None:
    rosa = house.staff()
    item = house.item("safety", owner_id=rosa.id, patient_id=house.patient().id)
    browser = house.signed_in(rosa)
    paths = ("/inbox", f"/inbox/{item.id}", "/handoffs", "/patients", "/preferences", "/nowhere")
    for page in [browser.get(path) for path in paths] + [house.browser().get("/signin")]:
        assert page.headers["Content-Security-Policy"].partition("; report-")[0] == layout.POLICY
        assert page.headers["Cache-Control"] == "no-store"
        assert page.headers["Referrer-Policy"] in ("no-referrer", "same-origin")
        assert not re.search(r"<style|\sstyle=|<script(?![^>]*\ssrc=)|\son[a-z]+=", page.text)
        assert "http://" not in page.text.replace("http://www.w3.org", "")


def test_a_page_with_all_it_needs_weighs_less_than_a_hundred_kilobytes(house: Any) -> None:
    rosa = house.staff()
    for _ in range(60):
        item = house.item(owner_id=rosa.id, patient_id=house.patient(language="es").id)
    browser = house.signed_in(rosa)
    page = browser.get(f"/inbox/{item.id}?view=mine&language=es&kind=reply").text
    assert page.count("data-row=") == list_rows.BESIDE
    assets = set(re.findall(r'(?:href|src)="(/assets/[^"]+)"', page))
    asking = {"Accept-Encoding": "gzip"}
    loaded = [browser.get(path.replace("&amp;", "&"), headers=asking, buffered=True) for path in assets]
    assert {answer.status_code for answer in loaded} == {200}
    assert all("immutable" in answer.headers["Cache-Control"] for answer in loaded)
    packed = [answer for answer in loaded if answer.headers.get("Content-Encoding") == "gzip"]
    assert len(packed) >= len(loaded) - 1
    assert len(page.encode()) + sum(len(answer.data) for answer in loaded) < 100_000


def test_no_line_of_a_script_that_looks_like_a_remark_is_part_of_a_string() -> None:
    scripts = sorted(resources.files("web").joinpath("static").iterdir(), key=lambda script: script.name)
    lines = [(script.name, line) for script in scripts if script.name.endswith(".js") for line in _lines(script)]
    assert len(lines) > 500
    # Each quote of the kind that may go over several lines ends in the line in which it begins.
    assert [(name, line) for name, line in lines if re.sub(r"\\.|\"[^\"]*\"", "", line).count("`") % 2] == []


def _lines(script: Any) -> list[str]:
    return [line for line in script.read_text("utf-8").splitlines() if not line.lstrip().startswith("//")]


def test_a_sheet_is_packed_for_whoever_can_unpack_it_and_only_for_them(house: Any) -> None:
    browser = house.browser()
    plain = browser.get("/assets/base.css", buffered=True)
    packed = browser.get("/assets/base.css", headers={"Accept-Encoding": "gzip, br"}, buffered=True)
    assert "Content-Encoding" not in plain.headers
    assert gzip.decompress(packed.data) == re.sub(rb"/\*.*?\*/\s*", b"", plain.data, flags=re.DOTALL)
    assert {plain.headers["Vary"], packed.headers["Vary"]} == {"Accept-Encoding"}
    page = house.signed_in(house.staff()).get("/inbox", headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in page.headers


@pytest.mark.parametrize(("path", "status"), [("/nowhere", 404), ("/inbox?view=odd", 404), ("/inbox/x", 404)])
def test_what_is_not_there_is_said_kindly(house: Any, path: str, status: int) -> None:
    answer = house.signed_in(house.staff()).get(path)
    assert answer.status_code == status
    assert "There is nothing at this address" in answer.text


def test_a_stranger_is_told_of_no_inbox(house: Any) -> None:
    for path in ("/nowhere", "/kiosk", "/inboxes/5"):
        answer = house.browser().get(path)
        assert answer.status_code == 404
        assert "There is nothing at this address" in answer.text
        assert "inbox" not in answer.text.split("<main", 1)[1].lower()
        assert ">Sign in</a>" in answer.text
    known = house.signed_in(house.staff()).get("/nowhere").text
    assert "Your inbox still has everything" in known
    assert "Back to your work" in known


def test_a_failure_of_ours_shows_no_insides(house: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = house.signed_in(house.staff())
    monkeypatch.setattr(inbox_page.list_rows, "page", lambda *a, **k: 1 / 0)
    answer = browser.get("/inbox")
    assert answer.status_code == 500
    assert "We could not finish that" in answer.text
    assert "Zero" not in answer.text


def test_machines_do_not_get_pages_for_people(house: Any) -> None:
    assert "stylesheet" not in house.browser().get("/webhooks/nowhere").text


def test_keys_can_be_switched_off_and_lists_made_denser(house: Any) -> None:
    browser = house.signed_in(house.staff())
    assert 'data-keys="on"' in browser.get("/inbox").text
    assert browser.post("/preferences", keys="off", density="compact").status_code == 303
    page = browser.get("/inbox").text
    assert 'data-keys="off"' in page
    assert 'class="compact"' in page


def test_the_browser_counts_with_the_alphabet_of_the_server() -> None:
    from messaging.wording import text_templates

    source = resources.files("web").joinpath("static/compose.js").read_text("utf-8")
    basic = re.search(r'^const GSM = "(.*)";$', source, re.M)
    twice = re.search(r'^const GSM_TWICE = "(.*)";$', source, re.M)
    assert basic is not None
    assert twice is not None
    for written, alphabet in ((basic[1], text_templates._GSM_BASIC), (twice[1], text_templates._GSM_ESCAPED)):
        plain = re.sub(r"\\(.)", lambda match: {"n": "\n", "r": "\r", "f": "\f"}.get(match[1], match[1]), written)
        assert set(plain) == set(alphabet)
