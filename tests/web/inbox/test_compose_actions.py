"""Sending from the inbox: where one comes to afterwards, and what of it can be taken back."""

import re
from typing import Any
from uuid import uuid4

from messaging.inbox.models import InboxItem

MINE = {"view": "mine", "back": "/inbox?view=mine"}


def compose() -> str:
    return str(uuid4())


def ways_back(page: str) -> list[str]:
    """The addresses that the toasts of a page lead to."""
    return re.findall(r'data-undo="\d+">.*?<form method="post" action="([^"]+)"', page, re.S)


def test_a_text_that_settles_goes_on_to_the_next_of_the_view(scene: Any, unhurried: None) -> None:
    following = scene.house.item(owner_id=scene.rosa.id, summary="the next one")
    scene.house.item(summary="nobody's")
    sent = scene.reply("Yes, bring her", then="next", **MINE)
    assert (sent.status_code, sent.location) == (303, f"/inbox/{following.id}?view=mine")
    assert scene.house.read(InboxItem, scene.item.id).state == "done"
    page = scene.browser.get(sent.location).text
    assert "Your text is on its way. Teresa Q. is resolved; this is the next one." in page
    assert [text.body for text in scene.sent()] == ["Yes, bring her"]
    # The text has left; the settling can be taken back.
    [way] = ways_back(page)
    scene.browser.post(way, **MINE)
    assert scene.house.read(InboxItem, scene.item.id).state != "done"


def test_after_the_last_one_the_list_says_so(scene: Any) -> None:
    sent = scene.reply("Yes, bring her", then="next", **MINE)
    assert sent.location == "/inbox?view=mine"
    assert "Teresa Q. is resolved, and was the last one here." in scene.browser.get(sent.location).text


def test_what_is_refused_goes_nowhere_and_settles_nothing(scene: Any) -> None:
    scene.house.item(owner_id=scene.rosa.id)
    refused = scene.reply("Your PHQ-9 score was 14", then="next", **MINE)
    assert refused.status_code == 422
    assert "Your PHQ-9 score was 14" in refused.text
    assert " autofocus " in refused.text
    assert scene.house.read(InboxItem, scene.item.id).state != "done"
    assert scene.sent() == []


def test_a_safety_item_is_not_left_by_a_text(scene: Any) -> None:
    about = {"patient_id": scene.patient.id, "conversation_id": scene.conversation.id, "owner_id": scene.rosa.id}
    item = scene.house.item("safety", **about)
    sent = scene.browser.post(f"/inbox/{item.id}/reply", body="I am calling", then="next", compose=compose(), **MINE)
    assert sent.location == f"/inbox/{item.id}?view=mine"
    assert scene.house.read(InboxItem, item.id).state != "done"


def test_a_planned_text_is_taken_back_from_its_toast(scene: Any) -> None:
    page = scene.browser.get(f"/inbox/{scene.item.id}").text
    day = re.search(r'<select id="day".*?</select>', page, re.S)
    assert day is not None
    values = re.findall(r'value="([^"]+)"', day[0])
    planned = scene.reply("See you then", then="later", day=values[-1], at="10:00", **MINE)
    shown = scene.browser.get(planned.location).text
    [way] = ways_back(shown)
    assert re.fullmatch(rf"/inbox/{scene.item.id}/planned/[0-9a-f-]+/take-back", way)
    back = scene.browser.post(way, **MINE)
    assert "Its words are in the composer again" in scene.browser.get(back.location).text
    assert scene.draft() == "See you then"


def test_a_note_is_struck_from_its_toast(scene: Any) -> None:
    kept = scene.browser.post(f"/inbox/{scene.item.id}/note", words="Comes by car", **MINE)
    [way] = ways_back(scene.browser.get(kept.location).text)
    struck = scene.browser.post(way, **MINE)
    assert struck.location == kept.location
    assert "<s>Comes by car</s>" in scene.browser.get(struck.location).text
