"""What may leave: nothing unless the clinic has said so of this connection; every combination there is."""

from itertools import chain, combinations, product
from typing import Any
from uuid import uuid4

import pytest

from config import db
from intake_links import scoring
from messaging.ehr_outbox import part_two
from messaging.models import Clinic
from records.writing import leaving
from records.writing.leaving import Facts
from tests.interchange.polling.asked_ehrs import ACTOR
from tests.records.writing import kit
from tests.records.writing.kit import Writes, answered

KINDS = ("screen", "visit")


def subsets(values: tuple[str, ...]) -> list[tuple[str, ...]]:
    return list(chain.from_iterable(combinations(values, size) for size in range(len(values) + 1)))


def test_every_combination_of_what_it_is_and_what_is_allowed_leaves_or_stays_as_the_rule_says() -> None:
    seen = 0
    things = [("visit", ""), *(("screen", each) for each in scoring.instruments())]
    for (kind, instrument), labelled, change, substances, kinds, allows in product(
        things, (True, False), (True, False), (True, False), subsets(KINDS), subsets(leaving.ALLOWANCES)
    ):
        may = leaving.kept_back(Facts(kind, instrument, labelled, change, substances), kinds, allows) is None
        wanted = kind in kinds
        wanted = wanted and not (labelled and "part_2" not in allows)
        wanted = wanted and not (instrument == "audit_c" and "audit_c" not in allows)
        wanted = wanted and not (change and "changes" not in allows)
        wanted = wanted and not (substances and "substances" not in allows)
        assert may == wanted, (kind, instrument, labelled, change, substances, kinds, allows)
        seen += 1
    assert seen == len(things) * 2 * 2 * 2 * 4 * 16


def test_nothing_leaves_by_a_connection_of_which_nothing_was_said() -> None:
    for kind, instrument in (("visit", ""), *(("screen", each) for each in scoring.instruments())):
        assert leaving.kept_back(Facts(kind, instrument), (), ()) == "kind_off"


def test_audit_c_stays_until_the_clinic_lets_it_go(clinic: Clinic, epic: Writes) -> None:
    answered(clinic, "audit_c", [2, 1, 1])
    answered(clinic, event="2")
    epic.drain()
    assert [(row.state, row.refused) for row in epic.rows()] == [("kept_back", "audit_c"), ("written", None)]
    epic.decide(kinds=["screen"], forms=["response", "observations"], allows=["audit_c"])
    epic.drain()
    assert [row.state for row in epic.rows()] == ["written", "written"]


@pytest.mark.parametrize("what", ["clinic", "feed", "episode"])
def test_f12_what_falls_under_part_2_is_not_told_to_an_ehr(what: str, clinic: Clinic, epic: Writes) -> None:
    with db.unit_of_work(clinic.id) as session:
        row_id = {"clinic": clinic.id, "feed": epic.ehr.feed_id, "episode": kit.episode(session)}[what]
        part_two.label(session, clinic.id, part_two.about(what, row_id), ACTOR, on=True)
    answered(clinic)
    epic.drain()
    assert (epic.row.state, epic.row.refused, epic.there()) == ("kept_back", "part_2", [])
    with db.unit_of_work(clinic.id) as session:
        part_two.label(session, clinic.id, part_two.about("feed", uuid4()), ACTOR, on=True)  # somebody else's
        part_two.label(session, clinic.id, part_two.about(what, row_id), ACTOR, on=False)
    epic.decide(kinds=["screen"], forms=["response"])
    epic.drain()
    assert epic.row.state == "written"


def test_a_label_counts_at_the_moment_of_sending(clinic: Clinic, epic: Writes, monkeypatch: Any) -> None:
    answered(clinic)
    with db.unit_of_work(clinic.id) as session:
        part_two.label(session, clinic.id, part_two.about("clinic", clinic.id), ACTOR, on=True)
    epic.drain()
    assert (epic.row.state, epic.posted()) == ("kept_back", [])
