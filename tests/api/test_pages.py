"""Lists: whole, in order, right while rows are added, and with cursors that only we can write."""

from typing import Any

import pytest

from api import cursors
from tests.api.test_door import problem_of

both = pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)


def walk(program: Any, path: str, **query: Any) -> list[str]:
    """Read a list to its end, page by page."""
    ids: list[str] = []
    after: dict[str, str] = {}
    while True:
        answer = program.get(path, limit=2, **query, **after)
        assert answer.status_code == 200, answer.text
        page = answer.json
        ids += [row["id"] for row in page["items"]]
        if "next" not in page:
            return ids
        assert page["next"] == page["last"]
        after = {"after": page["next"]}


@both
def test_a_list_is_walked_to_its_end_without_gap_or_repetition(ours: Any) -> None:
    made = [str(ours.patient(f"R{n}", f"+130355501{n:02}").id) for n in range(5)]
    assert walk(ours.program(), "/patients") == sorted(made)


def test_what_comes_while_one_walks_comes_at_the_end_and_shifts_nothing(ours: Any) -> None:
    program = ours.program()
    first = [str(ours.patient(f"R{n}", None).id) for n in range(3)]
    page = program.get("/patients", limit=2).json
    late = ours.patient("R9", None)
    rest = program.get("/patients", after=page["next"]).json
    assert [row["id"] for row in (*page["items"], *rest["items"])] == [*sorted(first), str(late.id)]


def test_the_end_of_a_list_is_where_one_catches_up_later(ours: Any) -> None:
    program = ours.program()
    ours.patient("R1", None)
    end = program.get("/patients").json
    assert "next" not in end
    assert program.get("/patients", after=end["last"]).json == {"items": []}
    late = ours.patient("R2", None)
    assert [row["id"] for row in program.get("/patients", after=end["last"]).json["items"]] == [str(late.id)]


def test_a_cursor_of_another_list_another_clinic_or_nobody_is_refused(ours: Any, theirs: Any) -> None:
    ours.patient("R1", None)
    theirs.patient("R1", None)
    good = ours.program().get("/patients").json["last"]
    foreign = theirs.program().get("/patients").json["last"]
    ended = good[:-2] + ("AA" if good[-2:] != "AA" else "BB")
    for cursor in (foreign, ended, "", "x", "é", good + "A", good[:10], cursors.write(ours.clinic.id, "events", 1)):
        answer = ours.program().get("/patients", after=cursor)
        assert answer.status_code == 400, cursor
        problem_of(answer, "bad_cursor")


def test_a_list_can_be_of_one_patient(ours: Any) -> None:
    maya, ana = ours.patient("R1", None), ours.patient("R2", None)
    items = [str(ours.item(patient=patient).id) for patient in (maya, ana, maya)]
    assert walk(ours.program(), "/inbox/items", patient_id=maya.id) == [items[0], items[2]]
    assert walk(ours.program(), "/inbox/items", patient_id=maya.id, state="done") == []
