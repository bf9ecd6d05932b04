"""A link that a phone opens with more than the link:
it opens all the same, and where nothing opens one reads whom to call."""

from urllib.parse import quote

import pytest

from config import db, keys
from intake_links import addresses
from messaging.people import directory

# What phones and people put around a link when they tap, copy or forward it.
AFTER = [
    ".", ")", "”", "»", "…", ",", ";", ":", "!", "'", "’", "*", "_", "]", "}", ">", "&gt;", "%22", "/", "/.", "/)",
    " Questions?", "\u00a0Or", "Or", ".Questions", "\u200b", "\u200d", "\ufeff", "\u2060", "\u00ad", "\n", "\u202c",
    "。", "）", "\u200b/", "|", "~", "😀", ".\u201d", "?\u201d", "#", "?", "&", "=",
]  # fmt: skip
BEFORE = ["(", "“", "\u200b", "<", "*", "_", "__", "\u202a", "[", "-"]


@pytest.mark.parametrize("more", AFTER, ids=repr)
def test_a_link_with_what_the_phone_took_along_opens(ward, phone, more):
    _, path = ward.issue()
    sent = more if more in ("#", "?") else quote(more, safe="/")
    phone.get(path + sent)
    assert (phone.response.status_code, phone.heading) == (200, "A few questions for you")
    assert phone.post(day=27, month=3, year=1981).path == "/i/q/1/1"


@pytest.mark.parametrize("less", BEFORE, ids=repr)
def test_and_with_what_stood_before_it(ward, phone, less):
    _, path = ward.issue()
    phone.enter("/i/" + quote(less) + path.removeprefix("/i/"))
    assert phone.path == "/i/q/1/1"


@pytest.mark.parametrize("at", [1, 11, 21])
@pytest.mark.parametrize("unseen", ["\u200b", "\u00ad", "\u2060"], ids=repr)
def test_what_nobody_sees_within_a_link_is_nothing(ward, phone, unseen, at):
    token = ward.issue()[1].removeprefix("/i/")
    assert phone.enter("/i/" + quote(token[:at] + unseen + token[at:])).path == "/i/q/1/1"


def test_two_slashes_lead_there_too(ward, phone):
    _, path = ward.issue()
    phone.get(path + "//")
    assert phone.response.status_code == 308
    assert phone.enter(phone.response.headers["Location"].removeprefix(phone.base_url)).path == "/i/q/1/1"


def test_a_birth_date_posted_to_such_an_address_lets_in(ward, phone):
    _, path = ward.issue()
    phone.get(path)
    assert phone.post(path + "/", day=27, month=3, year=1981).path == "/i/q/1/1"


@pytest.mark.parametrize("cut", [1, 2, 10])
def test_a_link_that_lost_its_end_is_a_dead_end_with_the_clinics_phone(ward, phone, cut):
    _, path = ward.issue()
    phone.get(path[:-cut])
    assert phone.response.status_code == 404
    assert 'href="tel:' in phone.page
    assert "Alder Street Clinic" in phone.page


@pytest.mark.parametrize(
    "path",
    [
        "/i/",
        "/i/x",
        "/i/x/",
        "/i/x/y/z",
        "/i/q",
        "/i/q/1/1",
        "/i/help",
        "/i/done",
        "/i/" + "A" * 22,
        "/i/%E2%80%8B",
    ],
)
def test_every_dead_end_has_the_phone_of_the_only_clinic(ward, phone, path):
    phone.get(path)
    assert phone.response.status_code in (403, 404)
    assert "Alder Street Clinic" in phone.page
    assert "(201) 555-0100" in phone.page


@pytest.mark.parametrize("path", ["/i/x", "/i/x/y/z", "/i/" + "A" * 22])
def test_of_several_clinics_it_is_the_one_whose_form_was_used_here(ward, phone, path):
    with db.unit_of_work(db.EVERY) as session:
        directory.add_clinic(
            session, name="Birch Clinic", zone="America/Denver", number="+12015550190", phone="+12015550191"
        )
    assert "Alder" not in phone.get(path).page
    phone.enter(ward.issue()[1]).get(path)
    assert "(201) 555-0100" in phone.page
    assert "Birch" not in phone.page


def test_a_form_from_another_site_is_refused_with_the_clinics_phone(ward, phone):
    headers = {"Sec-Fetch-Site": "cross-site"}
    answer = phone.client.post("/i/q/1/1", data={"answer": 1}, headers=headers, base_url=phone.base_url)
    assert answer.status_code == 403
    assert "(201) 555-0100" in answer.get_data(as_text=True)


def test_a_token_is_as_long_as_the_ones_we_make_and_the_likeliest_is_tried_first():
    token = keys.new_token()
    assert len(token) == addresses.LENGTH
    assert addresses.tokens_in(token) == [token]
    assert addresses.tokens_in(f"({token}Or call")[0] == token
    assert addresses.tokens_in("short") == ["short"]
    assert [addresses.page_in(rest) for rest in ("", ".", "me", "me.", "/me/", "new", "q/1/1")] == [
        "", "", "me", "me", "me", None, None,
    ]  # fmt: skip
