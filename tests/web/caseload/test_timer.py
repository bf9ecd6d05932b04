"""The timer of work: begun by hand, paused by its page, one at a time, and nothing counts until it is confirmed."""

import re
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import select

from caseload.models import CareEntry, CareTimer
from config import audit, clock, db
from tests.web.caseload.seeding import at_local, enrolled, with_registry


@pytest.fixture
def scene(house: Any) -> Any:
    return with_registry(house)


def in_care(scene: Any, **names: str) -> str:
    """The page of somebody who is in care."""
    patient = scene.house.patient(**names)
    enrolled(scene, patient, days_ago=20)
    return f"/patients/{patient.id}/care"


def an_hour_ago(scene: Any, minutes: int = 25, seconds: int = 30) -> None:
    """Let the timer have begun an hour ago and been paused after so long."""
    with db.unit_of_work(db.EVERY) as session:
        timer = session.scalars(select(CareTimer).order_by(CareTimer.id.desc())).first()
        assert timer is not None
        begins = clock.now() - timedelta(hours=1)
        ends = begins + timedelta(minutes=minutes, seconds=seconds)
        timer.stretches, timer.since = [[begins.isoformat(), ends.isoformat(), "hand"]], None
        timer.state = "paused" if timer.state in ("running", "paused") else timer.state


def told(answer: Any) -> dict[str, Any]:
    assert answer.status_code == 200
    found: dict[str, Any] = answer.get_json()
    return found


def asked(scene: Any, what: str, **form: str) -> dict[str, Any]:
    """What a script is told."""
    return told(
        scene.browser.client.post(
            f"/care-timer/{what}", data={**form, "csrf_token": token(scene)}, headers={"Accept": "application/json"}
        )
    )


def token(scene: Any) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', scene.browser.get("/caseload").text)
    assert found is not None
    return found[1]


def confirming(page: str) -> tuple[str, dict[str, str]]:
    """The form of a proposal as the page has it: where it goes, and what stands in it."""
    form = re.search(r'action="([^"]+/confirm)">(.*?)</form>', page, re.S)
    assert form is not None
    fields = dict(re.findall(r'name="((?:begins|ends)\.\d)" type="datetime-local" step="1" value="([^"]+)"', form[2]))
    return form[1], {**fields, "timer": form[1].split("/")[-2], "kind": "call"}


def test_it_is_begun_stopped_and_confirmed_to_the_second_without_script(scene: Any) -> None:
    path = in_care(scene, first_name="Teresa", last_name="Quill")
    assert "Time this work" in scene.browser.get(path).text
    assert scene.browser.post(f"{path}/timer").status_code == 303
    page = scene.browser.get("/caseload").text
    assert "Timing your work for" in page
    assert "Teresa Q." in page
    an_hour_ago(scene)
    assert scene.browser.post("/care-timer/stop").headers["Location"].endswith("/care#timed")
    assert scene.rows(CareEntry) == []
    assert "Timed, not yet logged" in scene.browser.get("/caseload").text
    page = scene.browser.get(path).text
    assert "You timed 25 min 30 s" in page
    where, form = confirming(page)
    assert scene.browser.post(where, **form, reached="on").status_code == 303
    [entry] = scene.rows(CareEntry)
    assert entry.ends_at - entry.starts_at == timedelta(minutes=25, seconds=30)
    assert (entry.kind, entry.live, entry.source) == ("call", True, f"timer:{form['timer']}:0")
    assert "25 min" in scene.browser.get("/caseload").text
    assert "1 this month" in scene.browser.get("/caseload").text
    assert scene.browser.post(where, **form).status_code == 422
    assert len(scene.rows(CareEntry)) == 1


def test_a_script_is_told_how_it_stands_and_a_page_that_was_asleep_counts_for_nothing(scene: Any) -> None:
    path = in_care(scene)
    scene.browser.post(f"{path}/timer")
    assert asked(scene, "seen")["state"] == "running"
    with db.unit_of_work(db.EVERY) as session:
        timer = session.scalars(select(CareTimer)).one()
        timer.since = clock.now() - timedelta(hours=9)
        timer.seen_at = timer.since + timedelta(minutes=4)
    asleep = asked(scene, "seen")
    assert (asleep["state"], asleep["why"], asleep["seconds"]) == ("paused", "lost", 240)
    assert asked(scene, "resume")["state"] == "running"
    idle = asked(scene, "pause", why="idle", ago="300")
    assert (idle["state"], idle["why"], idle["seconds"]) == ("paused", "idle", 240)
    assert asked(scene, "pause", why="nonsense", ago="a")["state"] == "paused"


def test_a_pause_in_which_somebody_was_on_the_telephone_is_counted_when_they_say_so(scene: Any) -> None:
    path = in_care(scene)
    scene.browser.post(f"{path}/timer")
    with db.unit_of_work(db.EVERY) as session:
        timer = session.scalars(select(CareTimer)).one()
        begins = clock.now() - timedelta(minutes=20)
        ends = begins + timedelta(minutes=5)
        timer.stretches, timer.since, timer.state = [[begins.isoformat(), ends.isoformat(), "idle"]], None, "paused"
    assert "count the" in scene.browser.get(path).text
    counted = asked(scene, "count")
    assert counted["state"] == "running"
    assert counted["seconds"] >= 20 * 60
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        acts = session.scalars(select(audit.AuditEntry.act).where(audit.AuditEntry.act.like("care.timer%"))).all()
    assert sorted(acts) == ["care.timer_pause_counted", "care.timer_started"]


def test_a_colleague_has_one_and_the_next_ends_it_as_a_proposal(scene: Any) -> None:
    first, second = in_care(scene, first_name="Ana"), in_care(scene, first_name="Bo")
    scene.browser.post(f"{first}/timer")
    an_hour_ago(scene)
    scene.browser.post(f"{second}/timer")
    scene.browser.post(f"{second}/timer")
    assert [timer.state for timer in scene.rows(CareTimer)] == ["proposed", "running"]
    ben = scene.house.signed_in(scene.house.staff("Ben Okafor"))
    assert "Timing your work" not in ben.get(second).text
    assert "You timed" not in ben.get(first).text
    where, form = confirming(scene.browser.get(first).text)
    assert ben.post(where, **form).status_code == 422
    assert scene.rows(CareEntry) == []


def test_what_is_written_down_meanwhile_is_not_counted_twice(scene: Any) -> None:
    path = in_care(scene)
    scene.browser.post(f"{path}/timer")
    an_hour_ago(scene)
    scene.browser.post("/care-timer/stop")
    with db.unit_of_work(db.EVERY) as session:
        timer = session.scalars(select(CareTimer)).one()
        begins = clock.now() - timedelta(hours=1)
        timer.stretches = [[begins.isoformat(), (begins + timedelta(minutes=30)).isoformat(), "hand"]]
    work = {"kind": "messages", "starts_at": at_local(scene, timedelta(minutes=-50)), "minutes": "10"}
    assert scene.browser.post(f"{path}/log", **work).status_code == 303
    page = scene.browser.get(path).text
    assert "10 min of it you have logged already" in page
    where, form = confirming(page)
    assert scene.browser.post(where, **form).status_code == 303
    entries = sorted(scene.rows(CareEntry), key=lambda entry: entry.starts_at)
    assert len(entries) == 3
    for earlier, later in pairwise(entries):
        assert earlier.ends_at <= later.starts_at
    assert sum((entry.ends_at - entry.starts_at for entry in entries), timedelta()) == timedelta(minutes=30)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"ends.0": ""}, "needs a beginning before its end"),
        ({"begins.0": "", "ends.0": ""}, "every stretch is empty"),
        ({"ends.0": "2001-01-01T10:00"}, "needs a beginning before its end"),
        ({"ends.0": "2999-01-01T10:00"}, "needs a beginning before its end"),
        ({"kind": "sleep"}, "Choose what was done"),
    ],
)
def test_a_correction_that_cannot_be_is_refused_and_kept_in_the_form(
    scene: Any, changed: dict[str, str], said: str
) -> None:
    path = in_care(scene)
    scene.browser.post(f"{path}/timer")
    an_hour_ago(scene)
    scene.browser.post("/care-timer/stop")
    where, form = confirming(scene.browser.get(path).text)
    refused = scene.browser.post(where, **(form | changed))
    assert refused.status_code == 422
    assert said in refused.text
    assert scene.rows(CareEntry) == []
    assert scene.rows(CareTimer)[0].state == "proposed"


def test_a_correction_counts_as_it_was_typed_and_a_decline_counts_nothing(scene: Any) -> None:
    path = in_care(scene)
    for what in ("confirm", "decline"):
        scene.browser.post(f"{path}/timer")
        an_hour_ago(scene)
        scene.browser.post("/care-timer/stop")
        where, form = confirming(scene.browser.get(path).text)
        form |= {"begins.0": at_local(scene, timedelta(minutes=-30)), "ends.0": at_local(scene, timedelta(minutes=-20))}
        assert scene.browser.post(where.replace("confirm", what), **form).status_code == 303
    [entry] = scene.rows(CareEntry)
    assert entry.ends_at - entry.starts_at == timedelta(minutes=10)
    assert [timer.state for timer in scene.rows(CareTimer)] == ["kept", "declined"]


def test_a_timer_that_counted_nothing_proposes_nothing_and_nobody_outside_care_has_one(scene: Any) -> None:
    path = in_care(scene)
    scene.browser.post(f"{path}/timer")
    with db.unit_of_work(db.EVERY) as session:
        timer = session.scalars(select(CareTimer)).one()
        timer.since, timer.state = None, "paused"
    scene.browser.post("/care-timer/stop")
    assert "Nothing was timed" in scene.browser.get(path).text
    stranger = scene.house.patient()
    assert "Time this work" not in scene.browser.get(f"/patients/{stranger.id}").text
    assert scene.browser.post(f"/patients/{stranger.id}/care/timer").status_code == 422
    assert scene.browser.post("/care-timer/pause", back="https://elsewhere.example/").headers["Location"] == "/"


def test_work_counts_from_when_the_page_was_opened_ten_minutes_ago_at_most(scene: Any) -> None:
    path = in_care(scene)
    opened = (clock.now() - timedelta(minutes=3)).isoformat()
    scene.browser.post(f"{path}/timer", opened=opened)
    assert asked(scene, "seen")["seconds"] in range(180, 200)
    with db.unit_of_work(db.EVERY) as session:
        session.delete(session.scalars(select(CareTimer)).one())
    scene.browser.post(f"{path}/timer", opened="2001-01-01T00:00:00Z")
    assert asked(scene, "seen")["seconds"] in range(600, 660)


def test_it_is_begun_on_the_page_of_a_case_too_and_leads_back_there(scene: Any) -> None:
    patient = scene.house.patient(first_name="Ana")
    item = scene.house.item("reply", patient_id=patient.id, summary="Can I come at four?")
    case = f"/inbox/{item.id}"
    assert "Time this work" not in scene.browser.get(case).text
    enrolled(scene, patient, days_ago=20)
    page = scene.browser.get(case).text
    assert "Time this work" in page
    begun = scene.browser.post(f"/patients/{patient.id}/care/timer", back=case)
    assert begun.headers["Location"] == case
    page = scene.browser.get(case).text
    assert "Timing your work for" in page
    assert "Time this work" not in page


def test_what_was_timed_is_confirmed_after_the_episode_has_ended_too(scene: Any) -> None:
    path = in_care(scene)
    scene.browser.post(f"{path}/timer")
    an_hour_ago(scene)
    assert scene.browser.post(f"{path}/discharge", reason="declined").status_code == 303
    scene.browser.post("/care-timer/stop")
    where, form = confirming(scene.browser.get(path).text)
    assert scene.browser.post(where, **form).status_code == 303
    assert len(scene.rows(CareEntry)) == 1
    assert scene.browser.post(f"{path}/timer").status_code == 422
