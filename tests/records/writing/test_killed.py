"""Whoever is killed in the middle of writing to an EHR leaves it with each thing once."""

import multiprocessing
import os
import signal
from typing import Any

import pytest

from config import db
from messaging.models import Clinic
from records.writing import lane
from tests.records.writing.kit import Writes, answered, of_total
from tests.waiting import PATIENCE, until


def _work() -> None:
    """The worker that is killed: what the EHR has taken it never writes down."""
    db.forget_connections()
    lane.drain()


@pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)
@pytest.mark.parametrize("path", ["QuestionnaireResponse", "Observation"])
def test_killed_in_the_middle_of_a_write_the_ehr_has_it_once(
    house: Any, clinic: Clinic, epic: Writes, path: str
) -> None:
    epic.faults({"method": "POST", "path": path, "hang_s": 3, "accepts": True, "times": 1})
    answered(clinic)
    worker = multiprocessing.get_context("fork").Process(target=_work)
    worker.start()
    until(lambda: epic.there(path), "the EHR to have taken it")
    os.kill(worker.pid or 0, signal.SIGKILL)
    worker.join(PATIENCE)
    assert epic.row.state == "waiting"
    assert epic.drain() == 0  # held until the lease ends
    until(lambda: len(epic.posted()) >= 1, "the killed one's request to end")
    epic.later()
    assert epic.row.state == "written"
    assert len(epic.there("QuestionnaireResponse")) == 1
    assert len(epic.there("Observation")) == 11
    assert len(of_total(epic.there())) == 1
