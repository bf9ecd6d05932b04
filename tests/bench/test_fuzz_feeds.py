"""Whatever an EHR throws at its doors is answered, and what was answered is found: a few hundred here,
`python -m bench.fuzz_feeds 100000` throws more."""

from typing import Any

from bench import fuzz_feeds
from messaging.models import Clinic
from service.app import create_app


def test_mutated_messages_and_bundles_are_answered_and_none_is_lost(house: Any, clinic: Clinic) -> None:
    report = fuzz_feeds.throw(fuzz_feeds.Doors(create_app().test_client(), clinic), 400, seed=1)
    assert report.wrong == []
    assert report.count == 400
    assert report.states["done"] > 20
