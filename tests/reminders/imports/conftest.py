"""Files are imported on one day."""

from collections.abc import Iterator

import pytest
import time_machine

from tests.reminders.conftest import NOW


@pytest.fixture
def that_day() -> Iterator[None]:
    """It is NOW, and stays so."""
    with time_machine.travel(NOW, tick=False):
        yield
