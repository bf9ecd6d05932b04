"""The list of a clinic's settings: whoever sees a page in it may open it, and the page says where one is."""

import re
from typing import Any

import pytest
from flask import url_for

from web import permissions, settings_menu


@pytest.mark.parametrize("role", sorted(permissions.MAY))
def test_every_page_in_the_list_opens_for_whoever_sees_it(house: Any, role: str) -> None:
    browser = house.signed_in(house.staff("Kim Ost", role=role))
    for _, pages in settings_menu.open_to(role):
        for _, endpoint, name in pages:
            with house.app.test_request_context():
                path = url_for(endpoint)
            answer = browser.get(path)
            assert answer.status_code == 200, (role, path)
            nav = re.search(r'<nav class="chapters".*?</nav>', answer.text, re.DOTALL)
            assert nav is not None, path
            assert re.search(rf'aria-current="page">{name}</a>', nav.group()), path


def test_a_role_sees_no_page_that_would_refuse_it() -> None:
    seen = {role: {name for _, pages in settings_menu.open_to(role) for name, *_ in pages} for role in permissions.MAY}
    assert seen["front_desk"] == {"drift", "import", "emergencies"}
    assert {"import", "care_terms"} <= seen["care_manager"]
    assert seen["care_manager"] < seen["clinic_admin"]
    assert seen["clinic_admin"] == {name for _, pages in settings_menu.GROUPS for name, *_ in pages}
    assert settings_menu.open_to("nobody we know") == []


def test_the_work_keeps_the_bar_and_the_settings_are_one_word_in_it(house: Any) -> None:
    browser = house.signed_in(house.staff())
    page = browser.get("/inbox").text
    assert page.count(">Settings</a>") == 1
    assert "chapters" not in page
    assert "Questionnaires</a>" not in page
