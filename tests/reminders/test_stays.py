"""What is told of a stay in a hospital: of each part the newest counts, in whichever order it comes."""

from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest

from config import db
from messaging.models import Clinic
from reminders import stays
from reminders.models import InpatientStay
from reminders.stays import Told

both = pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)
MARCH = datetime(2026, 3, 1, tzinfo=UTC)


def day(number: int) -> datetime:
    return MARCH + timedelta(days=number - 1)


def told(said: int, number: str = "1", *, cancelled: bool = False, **edges: int | None) -> Told:
    """What is said on a day of March of the stay with this number; edges as days of March."""
    at = {name: None if on is None else day(on) for name, on in edges.items()}
    return Told("ehr.general", number, day(said), at, cancelled)


# Admitted on the 3rd, said to have left on the 6th, which is taken back, then on the 8th; the admission is put right.
STORY = (
    told(3, admitted_at=3),
    told(6, discharged_at=6),
    told(7, discharged_at=None),
    told(9, admitted_at=2, discharged_at=8),
    told(10),
)
# The same, and at last that there was no such stay.
NO_STAY = (*STORY[:4], told(11, cancelled=True))


@pytest.mark.parametrize(("story", "state"), [(STORY, "kept"), (NO_STAY, "cancelled")])
def test_in_whichever_order_a_stay_is_told_it_ends_as_the_newest_has_it(
    house: Any, clinic: Clinic, new_patient: Any, story: tuple[Told, ...], state: str
) -> None:
    patient = new_patient("Ana")
    with db.unit_of_work(clinic.id) as session:
        for place, order in enumerate(permutations(story)):
            for each in (*order, order[0]):  # and what was told first is told again
                stays.keep(session, patient, Told(each.source, str(place), each.said_at, each.edges, each.cancelled))
        rows = session.query(InpatientStay).all()
        assert len(rows) == 120
        assert {(row.state, row.admitted_at, row.discharged_at) for row in rows} == {(state, day(2), day(8))}


def test_told_again_nothing_changes(house: Any, clinic: Clinic, new_patient: Any) -> None:
    patient = new_patient("Ana")
    with db.unit_of_work(clinic.id) as session:
        assert [stays.keep(session, patient, each) for each in STORY] == [True, True, True, True, False]
        assert not any(stays.keep(session, patient, each) for each in STORY)


@both
def test_the_stays_of_a_stretch_are_those_that_share_time_with_it(house: Any, clinic: Clinic, new_patient: Any) -> None:
    ana, bea = new_patient("Ana"), new_patient("Bea")
    told_of_ana = {
        "before": told(1, "before", admitted_at=1, discharged_at=5),
        "into": told(2, "into", admitted_at=4, discharged_at=6),
        "open": told(3, "open", admitted_at=9),
        "after": told(4, "after", admitted_at=10, discharged_at=12),
        "again": told(5, "again", admitted_at=7, discharged_at=6),
        "unadmitted": told(6, "unadmitted", discharged_at=8),
        "cancelled": told(7, "cancelled", admitted_at=6, discharged_at=8),
    }
    with db.unit_of_work(clinic.id) as session:
        for each in told_of_ana.values():
            stays.keep(session, ana, each)
        stays.keep(session, ana, told(8, "cancelled", cancelled=True))
        stays.keep(session, bea, told(8, "bea", admitted_at=6, discharged_at=7))
        within = stays.within(session, [ana.id], day(5), day(10))
        assert [stay.external_id for stay in within[ana.id]] == ["into", "again", "open"]
        assert list(within) == [ana.id]
        spans = [stays.span(stay) for stay in within[ana.id]]
        assert spans == [(day(4), day(6)), (day(7), stays.EVER), (day(9), stays.EVER)]
