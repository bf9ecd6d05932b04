"""Nothing closes an alert but a named human: what a program may do with an item, and in whose name."""

from datetime import timedelta
from typing import Any

import pytest

from config import clock, db
from messaging.inbox.models import InboxItem
from tests.api.test_door import problem_of

both = pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)
REACHED = {"disposition": "reached_by_phone"}


def stands(side: Any, item: InboxItem) -> InboxItem:
    with db.unit_of_work(side.clinic.id) as session:
        return session.get_one(InboxItem, item.id)


@pytest.mark.parametrize("act", ["claim", "acknowledge", "resolve"])
@pytest.mark.parametrize("kind", ["safety", "screen", "reply"])
def test_a_program_that_is_nobody_moves_no_item(ours: Any, act: str, kind: str) -> None:
    item = ours.item(kind)
    body = {} if act == "claim" else REACHED
    answer = ours.program().post(f"/inbox/items/{item.id}/{act}", body)
    assert answer.status_code == 403
    problem_of(answer, "person_needed")
    assert stands(ours, item).state == "open"


@both
def test_in_a_colleague_s_name_an_item_is_taken_acknowledged_and_resolved(ours: Any) -> None:
    rosa = ours.staff()
    program, item = ours.program(staff=rosa), ours.item("safety", ours.patient())
    path = f"/inbox/items/{item.id}"
    claimed = program.post(f"{path}/claim")
    assert (claimed.status_code, claimed.json["owner_id"]) == (200, str(rosa.id))
    problem_of(program.post(f"{path}/resolve"), "not_yet")
    seen = program.post(f"{path}/acknowledge", REACHED)
    assert (seen.status_code, seen.json["acknowledged_by"]) == (200, str(rosa.id))
    done = program.post(f"{path}/resolve")
    assert (done.status_code, done.json["state"], done.json["done_by"]) == (200, "done", str(rosa.id))
    problem_of(program.post(f"{path}/resolve", key="another"), "already_done")
    assert {entry.actor for entry in ours.audited("item.acknowledged")} == {f"staff:{rosa.id}"}
    (asked,) = ours.audited("api.inbox.acknowledge")
    assert (asked.actor, asked.detail["staff"]) == (f"program:{program.key_id}", str(rosa.id))
    assert asked.about.endswith(f":{item.id}")


def test_what_a_colleague_has_is_not_taken_from_them(ours: Any) -> None:
    first, second, item = ours.program(staff=ours.staff()), ours.program(staff=ours.staff()), ours.item()
    assert first.post(f"/inbox/items/{item.id}/claim").status_code == 200
    problem_of(second.post(f"/inbox/items/{item.id}/claim"), "taken")
    assert first.post(f"/inbox/items/{item.id}/claim").status_code == 200


@pytest.mark.parametrize(
    ("body", "key"),
    [
        ({"disposition": "handled"}, "invalid"),
        ({"disposition": "gone fishing"}, "invalid"),
        ({"disposition": "assessed_low"}, "not_now"),
        ({"disposition": "could_not_reach"}, "not_now"),
    ],
)
def test_an_alert_is_acknowledged_only_by_what_fits_it(ours: Any, body: dict[str, str], key: str) -> None:
    program, item = ours.program(staff=ours.staff()), ours.item("safety", ours.patient())
    details = problem_of(program.post(f"/inbox/items/{item.id}/acknowledge", body), key)
    assert details["errors"][0]["pointer"].startswith("/")
    assert stands(ours, item).acknowledged_at is None


def test_who_was_not_reached_is_tried_again_and_owed_still(ours: Any) -> None:
    program, item = ours.program(staff=ours.staff()), ours.item("safety", ours.patient())
    again = (clock.now() + timedelta(hours=1)).isoformat()
    answer = program.post(
        f"/inbox/items/{item.id}/acknowledge", {"disposition": "could_not_reach", "next_at": again, "note": "no answer"}
    )
    assert answer.status_code == 200, answer.text
    assert answer.json["acknowledged_at"] is None
    problem_of(program.post(f"/inbox/items/{item.id}/resolve"), "not_yet")
