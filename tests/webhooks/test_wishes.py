"""A visit of which somebody wanted no texts, and the word by which they want them again."""

from typing import Any

import pytest
from sqlalchemy import select

from config import db
from reminders import withdrawing
from reminders.models import Appointment
from tests.webhooks.test_handle_text import _visit


@pytest.mark.parametrize(
    ("words", "lifted"),
    [("START", True), ("UNSTOP", True), ("Y", False), ("HELP", False), ("ok thanks", False)],
)
def test_whoever_wanted_no_texts_about_a_visit_gets_them_again_with_start_only(
    world: Any, words: str, lifted: bool
) -> None:
    _visit(world)
    with db.unit_of_work(db.EVERY) as session:
        withdrawing.quiet(session, session.scalars(select(Appointment)).one(), "patient:x")
    world.text(words)
    assert (world.rows(Appointment)[0].quiet_at is None) == lifted
