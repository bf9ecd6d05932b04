"""A row of the registry that was made before is shown again only where nothing that stands in it has changed."""

import random
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from sqlalchemy import select

from caseload import billing, contacts, episodes, listing, months
from caseload.models import CareEntry, Episode
from config import clock, db
from messaging.inbox import notes_and_calls
from messaging.models import Clinic, Patient, Staff
from tests.queries import statements
from tests.web.caseload.seeding import answer, at_local, back, enrolled, with_registry

# Not whole minutes: two of them are three.
WORK = timedelta(seconds=90)


@pytest.fixture
def scene(house: Any) -> Any:
    return with_registry(house)


def _named_otherwise(scene: Any, patient: Patient, _: Episode) -> None:
    with db.unit_of_work(scene.house.clinic.id) as session:
        session.get_one(Patient, patient.id).last_name = "Nowak-Reyes"


def _born_earlier(scene: Any, patient: Patient, _: Episode) -> None:
    with db.unit_of_work(scene.house.clinic.id) as session:
        session.get_one(Patient, patient.id).birth_date = "1950-01-01"


def _manager_renamed(scene: Any, _: Patient, __: Episode) -> None:
    with db.unit_of_work(scene.house.clinic.id) as session:
        session.get_one(Staff, scene.rosa.id).name = "Rosa Delgado-Lee"


def _clinician_renamed(scene: Any, _: Patient, __: Episode) -> None:
    with db.unit_of_work(scene.house.clinic.id) as session:
        session.get_one(Staff, scene.ames.id).name = "Dr. Ames-Vega"


def _insured_otherwise(_: Any, __: Patient, episode: Episode) -> None:
    with db.unit_of_work(db.EVERY) as session:
        session.get_one(Episode, episode.id).payer = "medicaid"


def _plan_written(_: Any, __: Patient, episode: Episode) -> None:
    with db.unit_of_work(db.EVERY) as session:
        session.get_one(Episode, episode.id).plan_on = date(clock.now().year, 1, 2)


def _given_away(scene: Any, patient: Patient, _: Episode) -> None:
    other = scene.house.staff("Ben Okafor")
    assert scene.browser.post(f"/patients/{patient.id}/care/give", manager=str(other.id)).status_code == 303


def _answered(scene: Any, patient: Patient, _: Episode) -> None:
    answer(scene.house, patient, 1, 21)


def _spoken_with(scene: Any, patient: Patient, _: Episode) -> None:
    with db.unit_of_work(scene.house.clinic.id) as session:
        staff, clinic = session.get_one(Staff, scene.rosa.id), session.get_one(Clinic, scene.house.clinic.id)
        notes_and_calls.log_call(session, clinic, staff, outcome="reached", patient_id=patient.id)


def _worked_for(scene: Any, patient: Patient, _: Episode) -> None:
    work = {"kind": "plan", "starts_at": at_local(scene, timedelta(minutes=-8)), "minutes": "7"}
    assert scene.browser.post(f"/patients/{patient.id}/care/log", **work).status_code == 303


def _asked_about(scene: Any, patient: Patient, _: Episode) -> None:
    assert scene.browser.post(f"/patients/{patient.id}/care/question", question="What next?").status_code == 303


def _phase_changed(scene: Any, patient: Patient, _: Episode) -> None:
    check_on = (clock.now() + timedelta(days=30)).date().isoformat()
    assert scene.browser.post(f"/patients/{patient.id}/care/relapse", check_on=check_on).status_code == 303


def _enrolled_earlier(_: Any, __: Patient, episode: Episode) -> None:
    with db.unit_of_work(db.EVERY) as session:
        back(session.get_one(Episode, episode.id), timedelta(weeks=2))


CHANGES: dict[str, Callable[[Any, Patient, Episode], None]] = {
    "Nowak-Reyes": _named_otherwise,
    f"{clock.now().year - 1950} years": _born_earlier,
    "Rosa Delgado-Lee ·": _manager_renamed,
    "Dr. Ames-Vega</span>": _clinician_renamed,
    "Medicaid</span>": _insured_otherwise,
    "plan Jan 2": _plan_written,
    "Ben Okafor ·": _given_away,
    "<b>21</b>": _answered,
    "1 this month": _spoken_with,
    "7 min</span>": _worked_for,
    "a question waits": _asked_about,
    "Relapse prevention</span>": _phase_changed,
    "6 wk": _enrolled_earlier,
}


def test_whatever_changes_in_a_row_is_seen_the_next_time(scene: Any) -> None:
    assert len(CHANGES) >= 10
    unseen = []
    for words, change in CHANGES.items():
        patient = scene.house.patient(last_name=f"Case{len(unseen)}{words[:1].strip('<')}")
        episode = enrolled(scene, patient, days_ago=28)
        answer(scene.house, patient, 27, 12)
        for _ in range(2):
            assert words not in _row(scene, patient)
        change(scene, patient, episode)
        if words not in _row(scene, patient):
            unseen.append(words)
        with db.unit_of_work(db.EVERY) as session:  # the next is looked at by itself
            session.get_one(Episode, episode.id).phase = "discharged"
            session.get_one(Staff, scene.rosa.id).name = "Rosa Delgado"
            session.get_one(Staff, scene.ames.id).name = "Dr. Ames"
    assert unseen == []


def _row(scene: Any, patient: Patient) -> str:
    page: str = scene.browser.get("/caseload?manager=all").text
    [row] = [row for row in page.split("<tr>") if f"/patients/{patient.id}/care" in row]
    return row


def test_a_caseload_is_read_with_as_many_queries_however_many_there_are(scene: Any) -> None:
    asked = []
    for many in (2, 6):
        for _ in range(many):
            enrolled(scene, scene.house.patient(), days_ago=20)
        scene.browser.get("/caseload")
        with statements() as heard:
            assert scene.browser.get("/caseload").status_code == 200
        asked.append(len(heard))
    assert asked[0] == asked[1]


def test_days_with_a_contact_and_minutes_of_work_are_counted_by_the_clinics_clock(scene: Any) -> None:
    assert counted(scene) == 20


def counted(scene: Any) -> int:
    """Let work be done around many midnights, and compare; return on how many of twenty days it was."""
    patient, zone = scene.house.patient(), ZoneInfo(scene.house.clinic.zone)
    episode = enrolled(scene, patient, days_ago=60)
    today = clock.now().astimezone(zone).date()
    facts = {"clinic_id": episode.clinic_id, "episode_id": episode.id, "staff_id": scene.rosa.id, "kind": "call"}
    moments = _moments(zone, today)
    with db.unit_of_work(scene.house.clinic.id) as session:
        for at in moments:
            session.add(CareEntry(**facts, live=True, starts_at=at, ends_at=at + WORK, made_at=at))
    with db.unit_of_work(scene.house.clinic.id, read_only=True) as session:
        clinic, first = session.get_one(Clinic, scene.house.clinic.id), today - timedelta(days=19)
        days = contacts.spoken(session, clinic, first, [patient.id])[patient.id].days
        [standing] = listing.standings(session, clinic, Episode.id == episode.id)
    this_month = [at for at in moments if (at.year, at.month) == (today.year, today.month)]
    assert days == len({at.date() for at in moments if at.date() >= first})
    # To the second, and rounded down once.
    assert standing.month.minutes == int(len(this_month) * WORK.total_seconds() // 60)
    return days


def _moments(zone: ZoneInfo, today: date) -> list[datetime]:
    """Just before midnight and at it, of each of thirty days past: of today too, whenever this runs."""
    midnights = [datetime.combine(today - timedelta(days=days), time(), zone) for days in range(30)]
    moments = [at + timedelta(minutes=minutes) for at in midnights for minutes in (-7, 0)]
    return [at for at in moments if at <= clock.now()]


def test_the_table_counts_what_the_month_counts_whatever_is_written_struck_or_done_at_the_same_time(scene: Any) -> None:
    """Against the month's page, which reads every entry; what was remembered a moment ago must not be shown again."""
    chance = random.Random(15)
    of = [enrolled(scene, scene.house.patient(), days_ago=40) for _ in range(4)]
    staff = [scene.rosa, scene.house.staff("Ben Okafor"), scene.silva]
    seen = set()
    for _ in range(12):
        with db.unit_of_work(scene.house.clinic.id) as session:
            written = session.scalars(select(CareEntry).where(CareEntry.struck_at.is_(None))).all()
            if written and chance.random() < 0.3:
                chance.choice(written).struck_at = clock.now()
            for _ in range(chance.randint(1, 3)):
                session.add(_entry(chance, chance.choice(of), chance.choice(staff)))
            if chance.random() < 0.3:
                session.get_one(Staff, staff[1].id).role = chance.choice(("care_manager", "psychiatric_consultant"))
        with db.unit_of_work(scene.house.clinic.id) as session:
            clinic = session.get_one(Clinic, scene.house.clinic.id)
            month = months.of(episodes.today_of(clinic))
            table = {each.id: (each.month.minutes, each.month.to_next) for each in listing.standings(session, clinic)}
            reckoned = {each.row.id: each.reckoning for each in billing.of_clinic(session, clinic, month)}
        assert table == {which: (each.count.minutes, each.proposal.to_next) for which, each in reckoned.items()}
        seen |= set(table.values())
    assert len(seen) > 12


def _entry(chance: random.Random, episode: Episode, staff: Staff) -> CareEntry:
    """Work of today's last hours, often at the same time as other work."""
    starts = clock.now() - timedelta(minutes=chance.randint(20, 200))
    return CareEntry(
        clinic_id=episode.clinic_id, episode_id=episode.id, staff_id=staff.id, kind="call", live=True,
        starts_at=starts, ends_at=starts + timedelta(minutes=chance.randint(1, 19)), made_at=clock.now(),
    )  # fmt: skip


def test_the_table_says_how_far_the_next_code_is_in_the_words_of_the_patients_page(scene: Any) -> None:
    with time_machine.travel(datetime(2026, 3, 18, 20, tzinfo=UTC), tick=True):
        scene.browser, patient = scene.house.signed_in(scene.rosa), scene.house.patient()
        enrolled(scene, patient, days_ago=40)
        work = {"kind": "plan", "starts_at": at_local(scene, timedelta(minutes=-50)), "minutes": "9"}
        assert scene.browser.post(f"/patients/{patient.id}/care/log", **work).status_code == 303
        said = "7 min short of G2214, 14 days left"
        assert said in _row(scene, patient)
        assert said in scene.browser.get(f"/patients/{patient.id}/care").text
        assert f'9,"{said}"' in scene.browser.get("/caseload.csv").text
