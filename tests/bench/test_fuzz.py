"""Hostile forms at the door for texts: refused or kept, never a 5xx, never lost.

`python -m bench.fuzz 100000` throws more.
"""

from pathlib import Path

import pytest

from bench import fuzz, stage
from config import db, runtime
from service.app import create_app


def test_no_hostile_form_breaks_the_door_and_no_text_is_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "_settings", None)
    monkeypatch.setattr(runtime, "_made", {})
    stage.begin(tmp_path / "data")
    stage.clinic()
    report = fuzz.throw(create_app().test_client(), 400, seed=1)
    db.engine().dispose()
    assert report.wrong == []
    assert report.answers["believable 200"] > 100  # it does reach the drain
    assert report.answers["unsigned 403"] > 20
    assert report.states["processed"] > 100
