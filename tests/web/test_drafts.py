"""Drafts: kept for one person and thread, through whatever happens, and cleared by nobody else."""

from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select

from config import db
from messaging.inbox import items
from messaging.inbox.models import InboxItem
from web import drafts, sessions
from web.models import Draft


def keep(scene: Any, body: str, **fields: str) -> Any:
    form = {"item": str(scene.item.id), "body": body, "compose": str(uuid4()), "quietly": "1", "version": ""}
    return scene.browser.post("/drafts", **(form | fields))


def page(scene: Any, browser: Any = None) -> str:
    return str((browser or scene.browser).get(f"/inbox/{scene.item.id}").text)


def test_a_draft_stands_in_the_composer_again_and_says_when_it_was_kept(scene: Any) -> None:
    answer = keep(scene, "Hola Teresa, soy")
    assert answer.status_code == 200
    assert answer.json["kept"]
    assert ">Hola Teresa, soy</textarea>" in page(scene)
    assert f"draft kept {answer.json['kept']}" in page(scene)


def test_a_draft_outlives_a_handover_and_a_sign_out(scene: Any) -> None:
    keep(scene, "half a thought")
    ben = scene.house.staff("Ben Okafor")
    with db.unit_of_work(scene.house.clinic.id) as session:
        item = session.get_one(InboxItem, scene.item.id)
        items.hand_over(session, item, session.merge(scene.rosa), session.merge(ben))
        sessions.revoke(session, scene.rosa.id)
    again = scene.house.signed_in(scene.rosa)
    assert ">half a thought</textarea>" in page(scene, again)


def test_nobody_else_sees_a_draft(scene: Any) -> None:
    keep(scene, "only for my eyes")
    for role in ("care_manager", "clinician", "clinic_admin"):
        other = scene.house.signed_in(scene.house.staff("Ben Okafor", role=role))
        assert "only for my eyes" not in page(scene, other)


def test_a_draft_is_sealed(scene: Any) -> None:
    keep(scene, "only for my eyes")
    with db.unit_of_work(db.EVERY) as session:
        assert b"only for my eyes" not in session.scalars(select(Draft)).one().body_ct


def test_one_thread_has_one_draft_whichever_of_its_items_is_open(scene: Any) -> None:
    keep(scene, "one story")
    about = {"patient_id": scene.patient.id, "conversation_id": scene.conversation.id}
    other = scene.house.item("delivery", owner_id=scene.rosa.id, **about)
    assert ">one story</textarea>" in scene.browser.get(f"/inbox/{other.id}").text


def test_emptying_the_box_clears_the_draft(scene: Any) -> None:
    version = keep(scene, "never mind").json["version"]
    assert keep(scene, "", version=version).json == {"version": "", "compose": "", "kept": ""}
    assert scene.draft() is None


def test_sending_clears_the_draft_and_a_late_save_does_not_bring_it_back(scene: Any) -> None:
    compose = str(uuid4())
    version = keep(scene, "On my way", compose=compose).json["version"]
    scene.reply("On my way", compose)
    assert scene.draft() is None
    keep(scene, "On my way", compose=compose, version=version)
    assert scene.draft() is None


def test_words_typed_after_a_text_has_gone_are_another_text(scene: Any) -> None:
    compose = str(uuid4())
    scene.reply("On my way", compose)
    answer = keep(scene, "On my way, five minutes", compose=compose)
    assert answer.json["compose"] not in ("", compose)
    assert scene.draft() == "On my way, five minutes"


def test_another_window_does_not_overwrite_words_it_has_not_seen(scene: Any) -> None:
    keep(scene, "from the first window")
    refused = keep(scene, "from the second")
    assert refused.status_code == 409
    assert refused.json["body"] == "from the first window"
    assert scene.draft() == "from the first window"
    assert keep(scene, "from the second", anyway="1").status_code == 200
    assert scene.draft() == "from the second"


def test_sending_in_one_window_leaves_the_other_window_s_words(scene: Any) -> None:
    keep(scene, "from the first window")
    scene.reply("from the second", version="")
    assert scene.draft() == "from the first window"


def test_without_script_a_button_keeps_and_another_discards_with_a_way_back(scene: Any) -> None:
    form = {"item": str(scene.item.id), "body": "later, perhaps", "compose": str(uuid4()), "version": ""}
    assert scene.browser.post("/drafts", **form).status_code == 303
    assert "Kept as a draft" in page(scene)
    gone = scene.browser.post("/drafts", **form, discard="1")
    assert scene.draft() is None
    assert "Put it back" in gone.text
    assert 'name="body" value="later, perhaps"' in gone.text
    scene.browser.post("/drafts", **form, anyway="1")
    assert scene.draft() == "later, perhaps"


def test_a_draft_begun_before_the_latest_text_says_so(scene: Any) -> None:
    keep(scene, "Thursday it is", seen=scene.seen())
    assert "began this before" not in page(scene)
    scene.house.text_from(scene.patient, "sorry, Friday")
    assert "You began this before the latest text" in page(scene)


def test_a_draft_is_bounded(scene: Any) -> None:
    keep(scene, "a" * 9_000)
    assert len(scene.draft() or "") == drafts.LONGEST


def test_a_page_knows_where_somebody_has_begun_to_write(scene: Any) -> None:
    keep(scene, "half a thought")
    with db.unit_of_work(scene.house.clinic.id) as session:
        assert drafts.threads(session, scene.rosa) == {scene.item.thread}


@pytest.mark.parametrize(("role", "status"), [("clinician", 403), ("clinic_admin", 403), ("front_desk", 403)])
def test_who_may_not_text_keeps_no_draft(scene: Any, role: str, status: int) -> None:
    scene.browser = scene.house.signed_in(scene.house.staff("Ben Okafor", role=role))
    assert keep(scene, "hello").status_code == status


def test_another_clinic_s_item_is_not_there(scene: Any, another_house: Any) -> None:
    elsewhere = another_house()
    scene.browser = elsewhere.signed_in(elsewhere.staff())
    assert keep(scene, "hello").status_code == 404
