"""What a process has loaded is handed to it once, and the collector of garbage does not walk through it again."""

import gc

import pytest

from service import start


@pytest.fixture
def thawed():
    yield
    gc.unfreeze()


def test_what_is_loaded_is_no_garbage_to_look_through(thawed):
    before = gc.get_freeze_count()
    start.settled()
    assert gc.get_freeze_count() > before
    assert len(gc.get_objects()) < gc.get_freeze_count() / 10
