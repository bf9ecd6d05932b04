"""Two EHRs of the simulator that the clinic writes to."""

import pytest

from tests.interchange.polling.asked_ehrs import Asked
from tests.interchange.polling.conftest import athena as asked_athena
from tests.interchange.polling.conftest import epic as asked_epic
from tests.interchange.polling.conftest import here
from tests.records.writing.kit import Writes

__all__ = ["asked_athena", "asked_epic", "here"]


@pytest.fixture
def epic(asked_epic: Asked) -> Writes:
    return Writes(asked_epic)


@pytest.fixture
def athena(asked_athena: Asked) -> Writes:
    return Writes(asked_athena, kinds=["screen", "visit"], forms=["response"])
