"""The clinic's file by browser: down, up into drafts, and its mistakes by line."""

import tomllib
from io import BytesIO
from typing import Any

from config import db
from messaging.versions import publishing


def lead(house: Any) -> Any:
    return house.signed_in(house.staff("Dana Wu", role="clinic_admin"))


def test_what_is_downloaded_can_be_changed_and_uploaded_into_drafts(house: Any) -> None:
    browser = lead(house)
    answer = browser.get("/settings/file/clinic.toml")
    assert 'filename="clinic.toml"' in answer.headers["Content-Disposition"]
    assert tomllib.loads(answer.text)["clinic"]["name"] == "Alder Street Clinic"
    changed = answer.text.replace('name = "Alder Street Clinic"', 'name = "Elm Clinic"')
    browser.post("/settings/file", text="")  # takes the page's token along
    sent = {"file": (BytesIO(changed.encode()), "clinic.toml"), "csrf_token": browser.token}
    done = browser.client.post("/settings/file", data=sent, content_type="multipart/form-data")
    assert done.status_code == 303
    page = browser.get("/settings/file").text
    assert "Drafts were made: Clinic profile" in page
    with db.unit_of_work(house.clinic.id, read_only=True) as session:
        assert publishing.draft(session, house.clinic.id, "clinic") is not None
        assert publishing.live(session, house.clinic.id, "clinic") is None


def test_the_same_file_makes_no_draft(house: Any) -> None:
    browser = lead(house)
    text = browser.get("/settings/file/clinic.toml").text
    assert browser.post("/settings/file", text=text).status_code == 303
    assert "Nothing in this file differs" in browser.get("/settings/file").text


def test_a_mistake_is_named_with_its_line_and_what_was_typed_stays(house: Any) -> None:
    browser = lead(house)
    answer = browser.post("/settings/file", text='[clinic]\r\nname = "Elm"\r\nzone = "Mars"\r\nphone = "x"\r\n')
    assert answer.status_code == 422
    assert "line 3: clinic.zone: unknown time zone" in answer.text
    assert "zone = &#34;Mars&#34;" in answer.text
    broken = {"file": (BytesIO(b"\xff\xfe\x00"), "x.toml"), "csrf_token": browser.token}
    assert browser.client.post("/settings/file", data=broken).status_code == 422


def test_the_schema_is_there_and_only_who_decides_uploads(house: Any) -> None:
    rosa = house.signed_in(house.staff())
    assert "cadence" in rosa.get("/settings/file/schema.json").json["properties"]
    assert rosa.post("/settings/file", text="").status_code == 403
